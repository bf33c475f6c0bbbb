"""From files that were seen to batches that owe `read`: compared with what is known, bundled, never far ahead of their readers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

from gyrus.shared import crash, debts, intake
from gyrus.shared.errors import Away
from gyrus.shared.scope import DELETED
from gyrus.shared.service import Service
from gyrus.shared.store import BY_PLACE, Store
from gyrus.watcher.compare import Compared, compare
from gyrus.watcher.walk import missing

CHUNK = 1000  # files that are compared in one round trip
BATCH_BYTES = 256_000  # of paths in one batch
LOOK_EVERY_S = 0.1  # whether the readers have caught up

STAMP = ("path", "size", "mtime_ns", "gone")  # of a document; the index BY_PLACE says it by itself
FULL = "room in the stream FILES: batches wait to be read there, or NATS is away"
Document = dict[str, Any]
Between = Callable[[str | None], Awaitable[None]]
Found = Mapping[str, Any]
Stamped = tuple[str, int | None, int | None]  # path, size, mtime_ns; None where a file is lost


class Announcing:
    """The files of one job on their way into batches.

    steps: the crash points before comparing, inserting and ringing. between: called after each batch, and with what is waited for while
    NATS or the readers keep us waiting; what it raises ends the announcing. ahead: batches of the job that may wait to be read.
    """

    def __init__(self, service: Service, job: Document, steps: tuple[str, str, str], ahead: int, between: Between) -> None:
        self.store, self.bus, self.job = service.store, service.bus, job
        self.steps, self.between, self._patience_s = steps, between, service.lease_s / 2
        self.batch_files = job["options"]["batch_files"]
        self.announced = 0
        self._ahead, self._room = ahead, 0
        self._waiting: list[Found] = []

    @property
    def waiting(self) -> int:
        """Files that were added and are in no batch yet."""
        return len(self._waiting)

    async def compare(self, seen: Sequence[Stamped], again: bool = False, mine: bool = False) -> Compared:
        """Which of these must be read. mine: this job may have announced some of them before."""
        job = self.job
        found = [intake.found(job["cohort"], job["source"], *one) for one in seen]
        await crash.point(self.steps[0])
        ids = [file["id"] for file in found]
        # Open batches first: a file that leaves its batch in between has its document by then.
        waiting = await intake.announced(self.store, ids)
        known = await self._known(found, dict.fromkeys((*STAMP, "jobs") if mine else STAMP, 1))
        known |= await self._buried([id_ for id_ in ids if id_ not in known])
        return compare(found, known, waiting, job["_id"], again)

    async def _known(self, found: Sequence[Found], fields: Document) -> dict[str, Document]:
        """What documents say of files, by id; from an index alone, unless it matters who read them."""
        ids = {file["path"]: file["id"] for file in found}
        here = {"cohort": self.job["cohort"], "source": self.job["source"], "path": {"$in": list(ids)}}
        documents = self.store["files"].find(here, {"_id": 0, **fields}).hint(BY_PLACE)
        # The index says null of a field that is not there.
        return {ids[one["path"]]: {name: value for name, value in one.items() if value is not None} async for one in documents}

    async def _buried(self, ids: Sequence[str]) -> dict[str, Document]:
        """Tombstones, which have no path any more. A deletion is there before the first of them: asked for afterwards, it is seen."""
        if not ids or not await self.store["deletions"].find_one({"cohort": self.job["cohort"]}, {"_id": 1}):
            return {}
        fields = dict.fromkeys((*STAMP, "jobs", DELETED), 1)
        return {one["_id"]: one async for one in self.store["files"].find({"_id": {"$in": list(ids)}}, fields)}

    async def add(self, files: Sequence[Found]) -> None:
        """Announce what fills a batch; the rest waits for more."""
        self._waiting += files
        await self._announce(last=False)

    async def flush(self) -> None:
        """Announce the rest."""
        await self._announce(last=True)

    async def _announce(self, last: bool) -> None:
        for batch in self._batches(last):
            await self._until_read()
            await no_deletion(self.store, self.job["cohort"])
            await self._ring(intake.announce(self.store, self.bus, self.job, batch, self.steps[1:]))
            self.announced += len(batch)
            self._room -= 1
            await self.between(None)

    async def _ring(self, announcing: Coroutine[Any, Any, None]) -> None:
        """Announce; while NATS takes nothing the job is still mine, and says what it waits for."""
        task = asyncio.create_task(announcing)
        try:
            while not (await asyncio.wait({task}, timeout=self._patience_s))[0]:
                await self.between(FULL)
            await task
        finally:
            task.cancel()

    def _batches(self, last: bool) -> Iterator[list[Found]]:
        """Full batches of the files that wait; the rest too if it is the last."""
        while len(self._waiting) >= self.batch_files or (last and self._waiting):
            batch: list[Found] = []
            size = 0
            while self._waiting and len(batch) < self.batch_files and size < BATCH_BYTES:
                size += len(self._waiting[0]["path"])
                batch.append(self._waiting.pop(0))
            yield batch

    async def _until_read(self) -> None:
        """Wait while too many batches of the job are not read yet: other jobs want their turn, and a pause should soon be felt."""
        while self._room < 1:
            unread = await self.store["batches"].count_documents({"job": self.job["_id"], **debts.is_owed("read")}, limit=self._ahead)
            self._room = self._ahead - unread
            if self._room < 1:
                await asyncio.sleep(LOOK_EVERY_S)
                await self.between(None)


async def no_deletion(store: Store, cohort: str) -> None:
    """Raises Away while a deletion takes up what there is of the cohort: what is announced afterwards is new to it."""
    taking_up = {"cohort": cohort, "swept": {"$exists": False}, **debts.is_owed("delete")}
    if await store["deletions"].find_one(taking_up, {"_id": 1}):
        raise Away("a deletion in this cohort is taking up what is there")


async def lost(store: Store, job: Document, root: str) -> AsyncIterator[list[Stamped]]:
    """Paths of documents below a job's place at which there is no file any more, some at a time."""
    query = {**intake.place(job["cohort"], job["source"], job["path"]), "gone": False}
    documents = store["files"].find(query, {"_id": 0, "path": 1}, batch_size=CHUNK).sort([("cohort", 1), ("source", 1), ("path", 1)])
    while chunk := [document["path"] for document in await documents.to_list(CHUNK)]:
        paths = await asyncio.to_thread(missing, root, chunk)
        yield [(path, None, None) for path in paths]
