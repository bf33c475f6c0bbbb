"""NATS, in one place: the only module that imports FastStream and nats-py.

The broker's state is made here from the topology, again whenever it is found missing; FastStream declares nothing by itself. A ring that
cannot be heard is repeated until it is: nothing but speed depends on it, but speed is worth having.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import nats.errors
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker
from faststream.nats.annotations import NatsMessage
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as Acknowledge
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from gyrus.shared import topology
from gyrus.shared.events import Event
from gyrus.shared.settings import Settings
from gyrus.shared.topology import Stage, Stream

__all__ = ["Bus", "Message", "is_away"]

Message = NatsMessage
STREAM_FULL = 10077  # JetStream: maximum messages exceeded
_log = logging.getLogger("gyrus.bus")


class Bus:
    """One connection: makes the topology, subscribes, rings."""

    def __init__(self, settings: Settings) -> None:
        self._full = {"FILES": settings.files_max_messages}
        self._ack_wait_s = settings.ack_wait_s
        self.broker = NatsBroker(
            settings.nats_url.split(","),
            apply_types=False,
            logger=None,
            max_reconnect_attempts=-1,  # with a finite number the pull loop spins for ever once they are used up
            reconnect_time_wait=1,
            graceful_timeout=settings.grace_s,
        )
        self.ready = asyncio.Event()

    async def connect(self) -> None:
        """Connect, waiting for a server that is not there yet."""
        while True:
            try:
                await self.broker.connect()
                break
            except (OSError, nats.errors.Error, TimeoutError) as error:
                _log.warning("nats_away", extra={"error": str(error)})
                await asyncio.sleep(0.5)

    @property
    def js(self) -> JetStreamContext:
        """JetStream of this connection."""
        return self.broker.connection.jetstream(timeout=3)

    async def ensure(self) -> None:
        """Streams and consumers are as the topology says."""
        for stream in topology.STREAMS:
            await self._ensure_stream(stream)
        for stage in topology.STAGES.values():
            if stage.event:
                await self._ensure_consumer(stage)
        self.ready.set()

    async def watch(self) -> None:
        """Make again what is missing, for ever: a subscriber whose consumer was deleted goes on by itself once it is back."""
        while True:
            try:
                await self.ensure()
            except (nats.errors.Error, OSError) as error:
                self.ready.clear()
                _log.warning("nats_away", extra={"error": type(error).__name__})
            await asyncio.sleep(2)

    async def _ensure_stream(self, stream: Stream) -> None:
        wanted = StreamConfig(
            name=stream.name,
            subjects=list(stream.subjects),
            retention=RetentionPolicy.WORK_QUEUE if stream.work else RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW if stream.work else DiscardPolicy.OLD,
            max_msgs=self._full.get(stream.name, stream.max_messages),
            max_age=stream.max_age_s,
            duplicate_window=topology.DUPLICATE_WINDOW_S,
        )
        try:
            there = (await self.js.stream_info(stream.name)).config
        except NotFoundError:
            await self.js.add_stream(wanted)
            return
        if (sorted(there.subjects or []), there.max_msgs, there.max_age) != (sorted(stream.subjects), wanted.max_msgs, wanted.max_age):
            await self.js.update_stream(wanted)

    async def _ensure_consumer(self, stage: Stage) -> None:
        assert stage.event
        wanted = ConsumerConfig(
            durable_name=stage.name,
            filter_subject=topology.SUBJECTS[stage.event],
            ack_policy=Acknowledge.EXPLICIT,
            ack_wait=self._ack_wait_s,
            max_deliver=-1,
            max_ack_pending=500,
        )
        try:
            there = (await self.js.consumer_info(stage.stream, stage.name)).config
        except NotFoundError:
            await self.js.add_consumer(stage.stream, wanted)
            return
        if there.filter_subject != wanted.filter_subject or there.ack_wait != wanted.ack_wait:
            await self.js.add_consumer(stage.stream, wanted)

    def subscribe(self, stage: Stage, answer: Callable[[Message], Awaitable[None]], workers: int) -> None:
        """Messages of a stage go to `answer`, which acknowledges; `workers` of them at once."""
        assert stage.event

        async def undecoded(message: Message) -> Message:
            return message

        self.broker.subscriber(
            topology.SUBJECTS[stage.event],
            stream=JStream(stage.stream, declare=False),
            durable=stage.name,
            pull_sub=True,
            max_workers=workers,
            ack_policy=AckPolicy.MANUAL,
            decoder=undecoded,  # what cannot be parsed is a dead letter, and the frame writes it
        )(answer)

    async def ring(self, event: Event, message_id: str | None = None) -> None:
        """Publish until it is stored. message_id: a repeated publication of it vanishes; a sweep rings without one."""
        subject = topology.SUBJECTS[type(event)]
        headers = {"Nats-Msg-Id": message_id} if message_id else None
        waited_s = 0.1
        while True:
            try:
                body = event.model_dump_json().encode()
                await self.broker.publish(body, subject, stream=topology.stream_of(subject), headers=headers, timeout=5)
                return
            except (nats.errors.Error, OSError) as error:
                _log.debug("ring_repeated", extra={"error": type(error).__name__})  # away, or the stream is full
            await asyncio.sleep(waited_s)
            waited_s = min(waited_s * 2, 2)

    async def pending(self, stage: Stage) -> int:
        """Messages of a stage that no consumer has answered yet."""
        info = await self.js.consumer_info(stage.stream, stage.name)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def close(self) -> None:
        """Stop pulling, let work in hand finish within the grace."""
        try:
            await self.broker.stop()
        except (nats.errors.Error, OSError) as error:
            _log.warning("nats_away", extra={"error": type(error).__name__})


def is_away(error: BaseException) -> bool:
    """Whether an error says that NATS, or what we need of it, is not there now."""
    if isinstance(error, APIError):
        return isinstance(error, NotFoundError) or (error.code == 503 and error.err_code != STREAM_FULL)
    return isinstance(error, nats.errors.Error)


def delivered(message: Message) -> int:
    """How often this message was delivered, this time included."""
    return int(message.raw_message.metadata.num_delivered)


def body(message: Message) -> bytes:
    """What the message says, as it came."""
    raw: Any = message.body
    return raw if isinstance(raw, bytes) else str(raw).encode()
