"""The frame of a service: the one place that knows how a message is answered.

    paid, or nothing owed              acknowledged
    it cannot be parsed                a dead letter, acknowledged
    the work raised                    counted on the document, again after a growing delay; the fifth time it is a failure
    MongoDB or NATS is away            waited for, the message kept in progress, nothing counted
    a source is away (`Away`)          told on the document (`owed.<stage>.waiting`), rung for again after a while, nothing counted;
                                       its messages do not keep others from their turn
    not ready yet (`Later`)            again after a growing delay, nothing counted
    long work                          heartbeats
    SIGTERM                            what is in hand is finished within the grace

It also gives health and metrics over HTTP and runs the sweeps.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.types import ASGIApp

from gyrus.shared import bus as nats
from gyrus.shared import crash, debts, log, metrics
from gyrus.shared import store as mongo
from gyrus.shared.bells import bell
from gyrus.shared.bus import Bus, Message
from gyrus.shared.errors import Away, Later
from gyrus.shared.health import Health, serve
from gyrus.shared.ids import ulid
from gyrus.shared.settings import Settings
from gyrus.shared.sources import Sources
from gyrus.shared.store import Store
from gyrus.shared.sweep import Sweep
from gyrus.shared.topology import MAX_DELIVERIES, RETRY_FACTORS, STAGES, Stage

Handler = Callable[[str], Awaitable[None]]
_log = logging.getLogger("gyrus.service")


class Service:
    """One room as a process: its handlers, its loops, its connections."""

    def __init__(self, room: str, settings: Settings) -> None:
        self.room, self.settings = room, settings
        self.store, self.bus, self.sources = Store(settings), Bus(settings), Sources(settings)
        self.web: Callable[[Health], ASGIApp] | None = None  # a room that answers more than health and metrics
        self.stopping = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()
        self._rung_later: set[tuple[str, str]] = set()  # stage and document: whoever rings for it meanwhile adds no second bell
        self._at_end: list[Callable[[], None]] = []
        self._loops: list[tuple[str, float, Callable[[], Awaitable[None]]]] = []
        self._wanted: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        crash.arm(settings.crash_points)

    # ── what a room says ─────────────────────────────────────────────────────────────────────────────────────────────

    def answers(self, stage_name: str, handler: Handler, workers: int = 1) -> None:
        """`handler(_id)` pays the stage on one document; it returns when the debt is paid, is not owed, or is somebody else's now."""
        stage = STAGES[stage_name]

        async def answer(message: Message) -> None:
            await self._answer(stage, handler, message)

        self.bus.subscribe(stage, answer, workers)

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something again and again; servers that are away are waited for, errors are logged and it goes on."""
        if seconds > 0:
            self._loops.append((name, seconds, work))

    def soon(self, name: str) -> None:
        """Do what is done again and again without waiting for its time."""
        self._wanted[name].set()

    def at_end(self, close: Callable[[], None]) -> None:
        """Call `close` when the service ends."""
        self._at_end.append(close)

    @property
    def lease_s(self) -> float:
        """How long a lease lasts: it is over when a message that was not answered is delivered again."""
        return self.settings.ack_wait_s * 2 / 3

    # ── one message ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, stage: Stage, handler: Handler, message: Message) -> None:
        assert stage.event
        try:
            event = stage.event.model_validate_json(nats.body(message))
        except ValidationError as problem:
            error = problem
            await self._until_there(stage, lambda: self._dead_letter(stage, message, error))
            return
        document = str(getattr(event, stage.names))
        async with self._heartbeat(message):
            delay_s = await self._until_there(stage, lambda: self.work(stage, handler, document, nats.delivered(message)))
        with contextlib.suppress(Exception):  # not acknowledged means delivered again, and doing it twice is doing it once
            await (message.ack() if delay_s is None else message.nack(delay=delay_s))

    async def _until_there(self, stage: Stage, work: Callable[[], Awaitable[float | None]]) -> float | None:
        """Do it; while a server is away, wait and do it again. Returns the delay of the next delivery, None when done."""
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_away(error):
                    raise
                _waited(stage, type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), timeout=1)
            if self.stopping.is_set():
                return 1.0

    async def work(self, stage: Stage, handler: Handler, document: str, deliveries: int = 1) -> float | None:
        """One try at a debt, counted where it raises. Returns the delay after which to try again, None when it is answered."""
        started = time.monotonic()
        try:
            if deliveries > MAX_DELIVERIES:
                raise RuntimeError(
                    f"delivered {deliveries} times without an answer: it kills its worker, or what it waits for does not come"
                )
            await handler(document)
        except Away as away:
            await self._away(stage, document, away)
            return None
        except Later as later:
            metrics.DONE.labels(stage.name, "later").inc()
            _log.debug("postponed", extra={"stage": stage.name, "why": str(later)})
            return float(min(2**deliveries, 60))
        except Exception as error:
            if is_away(error):
                raise
            return await self._raised(stage, document, error)
        metrics.DONE.labels(stage.name, "done").inc()
        metrics.SECONDS.labels(stage.name).observe(time.monotonic() - started)
        return None

    async def _away(self, stage: Stage, document: str, away: Away) -> None:
        """Say on the document what it waits for, and ring for it again after a while; the debt stays as it is."""
        _waited(stage, str(away))
        query = {"_id": document, **debts.is_owed(stage.name)}
        await self.store[stage.collection].update_one(query, {"$set": {f"owed.{stage.name}.waiting": str(away)}})
        if stage.event and (stage.name, document) not in self._rung_later:
            self._rung_later.add((stage.name, document))
            task = asyncio.create_task(self._ring_later(stage, document))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _ring_later(self, stage: Stage, document: str) -> None:
        await asyncio.sleep(self.settings.away_s)
        self._rung_later.discard((stage.name, document))  # before it is heard
        with contextlib.suppress(Exception):  # a server is away as well: the sweep rings
            owed = await self.store[stage.collection].find_one({"_id": document, **debts.is_owed(stage.name)})
            if owed:
                await self.bus.ring(bell(stage, owed)[0])

    async def try_once(self, stage: Stage, handler: Handler, document: str) -> None:
        """A try at a debt of a stage that has no bell; where a server is away, the next look finds it again."""
        try:
            await self.work(stage, handler, document)
        except Exception as error:
            if not is_away(error):
                raise
            _waited(stage, type(error).__name__)

    async def _raised(self, stage: Stage, document: str, error: Exception) -> float | None:
        """Count the error on the document; the fifth is a failure, which a person sees and may retry."""
        _log.error("work_raised", extra={"stage": stage.name}, exc_info=error)
        words = error.strerror if isinstance(error, OSError) else str(error)  # without the path
        text = f"{type(error).__name__}: {words}"[:500]
        advice = f"Look at the error, mend its cause, then `gyrus retry --stage {stage.name}`."
        change = debts.failed(stage.name, self.settings.retry_s, text, advice)
        now = await self.store[stage.collection].find_one_and_update(
            {"_id": document, **debts.is_owed(stage.name)}, change, return_document=mongo.AFTER
        )
        if now is None:
            return None
        gave_up = not debts.owes(now, stage.name)
        metrics.DONE.labels(stage.name, "failed" if gave_up else "raised").inc()
        tries = int(now["owed"][stage.name]["tries"])
        return None if gave_up else RETRY_FACTORS[min(tries, len(RETRY_FACTORS)) - 1] * self.settings.retry_s

    async def _dead_letter(self, stage: Stage, message: Message, error: ValidationError) -> None:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'message'}: {e['msg']}" for e in error.errors(include_input=False, include_url=False)
        )
        letter = {
            "_id": ulid(),
            "room": self.room,
            "stage": stage.name,
            "body": nats.body(message)[:65_536],
            "error": problems[:500],
        }
        await self.store["dead_letters"].insert_one(letter)
        metrics.DEAD.labels(stage.name).inc()
        _log.error("message_not_understood", extra={"stage": stage.name})
        with contextlib.suppress(Exception):
            await message.ack()

    @contextlib.asynccontextmanager
    async def _heartbeat(self, message: Message) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await asyncio.sleep(self.settings.ack_wait_s / 3)
                with contextlib.suppress(Exception):  # away; the next beat may be heard
                    await message.in_progress()

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()

    def _stages(self) -> list[Stage]:
        return [stage for stage in STAGES.values() if stage.room == self.room]

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        log.set_up()
        metrics.prepare(self.room, version("gyrus"))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stopping.set)
        health = Health(self.readiness)
        app = self.web(health) if self.web else Starlette(routes=health.routes())
        web = asyncio.create_task(serve(app, self.settings.http_host, self.settings.http_port))
        pulse = asyncio.create_task(health.pulse())
        life = asyncio.create_task(self._live())
        stop = asyncio.create_task(self.stopping.wait())
        done, _ = await asyncio.wait({web, life, stop}, return_when=asyncio.FIRST_COMPLETED)
        self.stopping.set()
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life
        await self.bus.close()
        for close in self._at_end:
            close()
        pulse.cancel()
        web.cancel()
        await asyncio.wait({web})
        self.store.close()
        _log.info("stopped", extra={"service": self.room})
        for task in done - {stop}:
            task.result()

    async def _live(self) -> None:
        await self._wait_for_servers()
        sweep = Sweep(self.store, self.bus, self._stages(), self.settings.sweep_after_s)
        self.every(self.settings.sweep_every_s, "sweep", sweep.ring)
        self.every(5, "count", sweep.count)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bus.watch())
            await self.bus.ready.wait()
            await self.bus.broker.start()
            _log.info("started", extra={"service": self.room})
            for name, seconds, work in self._loops:
                group.create_task(self._repeat(name, seconds, work))

    async def _wait_for_servers(self) -> None:
        await self.bus.connect()
        while True:
            try:
                await self.store.ensure()
                return
            except Exception as error:
                if not mongo.is_away(error):
                    raise
                _log.warning("waited", extra={"error": type(error).__name__})
                await asyncio.sleep(1)

    async def _repeat(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            self._wanted[name].clear()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the loop goes on; a fault of it is logged with its trace
                level = logging.WARNING if is_away(error) else logging.ERROR
                _log.log(level, "loop_interrupted", extra={"loop": name, "error": type(error).__name__}, exc_info=level == logging.ERROR)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted[name].wait(), seconds)

    async def readiness(self) -> dict[str, str]:
        """Each part that this service needs: `ok`, or what is wrong with it."""
        parts: dict[str, str] = {}
        for name, probe in (("mongo", self.store.ping), ("nats", self._probe_nats)):
            try:
                await asyncio.wait_for(probe(), timeout=2)
                parts[name] = "ok"
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
                parts[name] = f"away ({type(error).__name__})"
        return parts

    async def _probe_nats(self) -> None:
        if not self.bus.ready.is_set():
            raise ConnectionError("streams and consumers are not there")
        for stage in self._stages():
            if stage.event:
                await self.bus.pending(stage)


def _waited(stage: Stage, why: str) -> None:
    metrics.DONE.labels(stage.name, "away").inc()
    _log.warning("waited", extra={"stage": stage.name, "for": why})


def is_away(error: BaseException) -> bool:
    """Whether an error says that MongoDB or NATS is not there now."""
    return mongo.is_away(error) or nats.is_away(error)


def main(service: Callable[[], Any]) -> None:
    """Run a service until it is told to stop; `service` makes it, inside the event loop."""

    async def live() -> None:
        await service().run()

    asyncio.run(live())
