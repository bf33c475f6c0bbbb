"""Paying `scan`: a job becomes batches of paths, or with `dry_run` a count (design §3)."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.shared import crash, debts, intake
from gyrus.shared.errors import Away
from gyrus.shared.service import Service
from gyrus.shared.sources import Sources
from gyrus.shared.store import AFTER
from gyrus.shared.subject_rules import SubjectRules
from gyrus.watcher.announcing import CHUNK, Announcing, Stamped, lost, no_deletion
from gyrus.watcher.dry_run import DryRun
from gyrus.watcher.settings import WatcherSettings
from gyrus.watcher.walk import Patterns, Seen, Walk, count

Document = dict[str, Any]
STEPS = ("scan.3", "scan.4", "scan.5")


class Stopped(Exception):
    """A person wants the scan to pause or to end: `wanted`."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


@dataclass
class Progress:
    """How far a scan is. total: about how many files there are, None until they are counted."""

    seen: int = 0
    waiting: int = 0  # seen, and not announced yet
    announced: int = 0
    unchanged: int = 0
    total: int | None = None

    def told(self) -> Document:
        """As the job's document has it."""
        names = ("seen", "waiting", "announced", "unchanged", "total")
        return {f"progress.{name}": getattr(self, name) for name in names}


class Scans:
    """Scans the jobs."""

    def __init__(self, service: Service, settings: WatcherSettings) -> None:
        self.service, self.store, self.settings = service, service.store, settings
        self._rules = SubjectRules(service.store, service.sources)

    async def scan(self, job_id: str) -> None:
        """Announce every file that is not known as it is, and every known one that is not there."""
        await crash.point("scan.1")
        condition, change = debts.lease("scan", self.service.lease_s)
        attempt = {"$add": [{"$ifNull": ["$progress.attempt", 0]}, 1]}
        begun = {"$set": {"progress": {"attempt": attempt, "since": "$$NOW", "seen": 0, "waiting": 0}}}
        job = await self.store["jobs"].find_one_and_update({"_id": job_id, **condition}, [*change, begun], return_document=AFTER)
        if job is None:
            return  # nothing is owed, or another scanner is at it
        job["options"]["batch_files"] = job["options"].get("batch_files") or self.settings.batch_files
        try:
            await self._scan(job, debts.n_of(job, "scan"))
        except Away:
            await self.store["jobs"].update_one({"_id": job_id}, {"$unset": {"owed.scan.lease": ""}})
            raise
        await intake.hurry(self.store, job_id)

    async def _scan(self, job: Document, n: int) -> None:
        options, progress = job["options"], Progress()
        root = self.service.sources.root(job["source"])
        await no_deletion(self.store, job["cohort"])
        patterns = Patterns(tuple(options.get("include") or ()), tuple(options.get("exclude") or ()))
        walk = Walk(root, job["path"], patterns)
        dry = DryRun(job, await self._rules.of(job["cohort"])) if options.get("dry_run") else None
        await crash.point("scan.2")
        told: Document = {"stopped": None}
        counting = asyncio.create_task(self._count(root, job["path"], patterns, progress))
        try:
            await self._announce(job, walk, progress, dry)
        except Stopped as stopped:
            told = {"stopped": stopped.wanted}
        finally:
            counting.cancel()
        await crash.point("scan.6")
        told |= {"unchanged": progress.unchanged, "skipped": dict(walk.skipped), **progress.told()}
        await self._pay(job, n, told | (dry.told(progress.seen, progress.unchanged) if dry else {}))

    async def _pay(self, job: Document, n: int, told: Document) -> None:
        change = debts.paid("scan")
        change["$set"] |= told
        change["$unset"] |= {"wanted": ""} | ({"open": "", "rule": ""} if "totals" in told else {})
        await self.store["jobs"].update_one({"_id": job["_id"], **debts.unmoved("scan", n)}, change)

    async def _announce(self, job: Document, walk: Walk, progress: Progress, dry: DryRun | None) -> None:
        again = bool(job["options"].get("again"))

        async def between(waits_for: str | None) -> None:
            progress.announced, progress.waiting = announcing.announced, announcing.waiting
            await self._still_mine(job, progress, waits_for)

        announcing = Announcing(self.service, job, STEPS, self.settings.batches_ahead, between)

        async def take(seen: Sequence[Stamped]) -> None:
            compared = await announcing.compare(seen, again, mine=job["progress"]["attempt"] > 1)
            progress.unchanged += compared.unchanged
            if not dry:
                await announcing.add(compared.announce)

        await between(None)
        async for chunk in chunks(walk):
            progress.seen += len(chunk)
            if dry:
                dry.count(chunk)
            await take(chunk)
            await between(None)
        await walked_whole(self.service.sources, job["source"], walk)
        async for gone in lost(self.store, job, walk.root):
            self.service.sources.root(job["source"])  # a lost mount is not a thousand lost files
            if gone:
                await take(gone)
        await announcing.flush()
        progress.announced, progress.waiting = announcing.announced, 0

    async def _still_mine(self, job: Document, progress: Progress, waits_for: str | None) -> None:
        """Renew the lease, show how far it is and what it waits for, and hear what people want."""
        _, change = debts.lease("scan", self.service.lease_s)
        where = {"_id": job["_id"], **debts.is_owed("scan")}
        told = {name: {"$literal": value} for name, value in progress.told().items()} | {"owed.scan.waiting": waits_for or "$$REMOVE"}
        now = await self.store["jobs"].find_one_and_update(where, [*change, {"$set": told}], {"wanted": 1}, return_document=AFTER)
        if now and now.get("wanted"):
            raise Stopped(now["wanted"])

    async def _count(self, root: str, path: str, patterns: Patterns, progress: Progress) -> None:
        """How many files there are, beside the scan, so that people learn how long it will take."""
        stop = threading.Event()
        try:
            progress.total = await asyncio.to_thread(count, root, path, patterns, stop.is_set)
        finally:
            stop.set()


async def walked_whole(sources: Sources, source: str, walk: Walk) -> None:
    """Raises Away where the source is not there after the walk, or was not for a while."""
    sources.root(source)
    if await asyncio.to_thread(walk.came_back):
        raise Away(f"source '{source}' was away while it was walked")


async def chunks(walk: Walk) -> AsyncIterator[list[Seen]]:
    """What a walk sees, some at a time, without holding up the event loop."""
    files = iter(walk)
    try:
        while chunk := await asyncio.to_thread(lambda: list(itertools.islice(files, CHUNK))):
            yield chunk
    finally:
        with contextlib.suppress(ValueError):  # it was cancelled while a thread is at it
            await asyncio.to_thread(files.close)  # waits for the folders that are being listed
