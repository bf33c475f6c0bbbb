"""The watcher as a service: jobs become batches of paths, and a job's totals are frozen when its files have their outcome."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, PositiveInt

from gyrus.shared import crash, debts, intake
from gyrus.shared.errors import Away
from gyrus.shared.service import Service
from gyrus.shared.settings import Settings
from gyrus.shared.store import AFTER
from gyrus.watcher.compare import compare
from gyrus.watcher.walk import Walk, missing

CHUNK = 1000  # files that are compared in one round trip
BATCH_BYTES = 256_000  # of paths in one batch
Document = dict[str, Any]


class WatcherSettings(Settings):
    """What the watcher needs."""

    batch_files: PositiveInt = Field(64, description="Files in one batch, where the job does not say.")
    scans: PositiveInt = Field(8, description="Jobs that are scanned at once.")


@dataclass
class Scan:
    """A scan under way: its job, and what it counted."""

    job: Document
    batch_files: int
    waiting: list[Mapping[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    announced: int = 0
    seen: int = 0

    def batches(self, last: bool) -> Iterator[list[Mapping[str, Any]]]:
        """Full batches of the files that wait; the rest too if it is the last."""
        while len(self.waiting) >= self.batch_files or (last and self.waiting):
            batch: list[Mapping[str, Any]] = []
            size = 0
            while self.waiting and len(batch) < self.batch_files and size < BATCH_BYTES:
                size += len(self.waiting[0]["path"])
                batch.append(self.waiting.pop(0))
            yield batch


class Watcher:
    """Scans jobs, freezes them, and announces again what was rejected for a passing reason."""

    def __init__(self, service: Service, settings: WatcherSettings) -> None:
        self.service, self.settings = service, settings
        self.store, self.bus = service.store, service.bus

    # ── a scan ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def scan(self, job_id: str) -> None:
        """Pay `scan` on a job: announce every file that is not known as it is, and every known one that is not there."""
        await crash.point("scan.1")
        condition, change = debts.lease("scan", self.service.lease_s)
        job = await self.store["jobs"].find_one_and_update({"_id": job_id, **condition}, change, return_document=AFTER)
        if job is None:
            return  # nothing is owed, or another scanner is at it
        try:
            await self._scan(job, debts.n_of(job, "scan"))
        except Away:
            await self.store["jobs"].update_one({"_id": job_id}, {"$unset": {"owed.scan.lease": ""}})
            raise
        await intake.hurry(self.store, job_id)

    async def _scan(self, job: Document, n: int) -> None:
        root = self.service.sources.root(job["source"])
        await self._no_deletion(job["cohort"])
        scan = Scan(job, job["options"].get("batch_files") or self.settings.batch_files)
        walk = Walk(root, job["path"])
        await crash.point("scan.2")
        files = iter(walk)
        while chunk := await asyncio.to_thread(lambda: list(itertools.islice(files, CHUNK))):
            scan.seen += len(chunk)
            await self._compare(scan, [intake.found(job["cohort"], job["source"], *seen) for seen in chunk])
        await self._look_for_missing(scan, root)
        await self._announce(scan, last=True)
        await crash.point("scan.6")
        totals = {"unchanged": scan.unchanged, "skipped": dict(walk.skipped), **self._progress(scan)}
        change_paid = debts.paid("scan")
        change_paid["$set"] |= totals
        await self.store["jobs"].update_one({"_id": job["_id"], **debts.unmoved("scan", n)}, change_paid)

    async def _compare(self, scan: Scan, seen: Sequence[Mapping[str, Any]]) -> None:
        ids = [file["id"] for file in seen]
        await crash.point("scan.3")
        # Open batches first: a file that leaves its batch in between has its document by then.
        waiting = await intake.announced(self.store, ids)
        fields = {"size": 1, "mtime_ns": 1, "gone": 1, "jobs": 1, "deleted": 1}
        known = {document["_id"]: document async for document in self.store["files"].find({"_id": {"$in": ids}}, fields)}
        compared = compare(seen, known, waiting, scan.job["_id"], bool(scan.job["options"].get("again")))
        scan.unchanged += compared.unchanged
        scan.waiting += compared.announce
        await self._announce(scan, last=False)

    async def _announce(self, scan: Scan, last: bool) -> None:
        for batch in scan.batches(last):
            await self._no_deletion(scan.job["cohort"])
            await intake.announce(self.store, self.bus, scan.job, batch, ("scan.4", "scan.5"))
            scan.announced += len(batch)
            await self._still_mine(scan)
        await self._still_mine(scan)

    async def _no_deletion(self, cohort: str) -> None:
        """Raises Away while a deletion takes up what there is of the cohort: what is announced afterwards is new to it."""
        taking_up = {"cohort": cohort, "swept": {"$exists": False}, **debts.is_owed("delete")}
        if await self.store["deletions"].find_one(taking_up, {"_id": 1}):
            raise Away("a deletion in this cohort is taking up what is there")

    async def _still_mine(self, scan: Scan) -> None:
        """Renew the lease and show how far it is."""
        _, change = debts.lease("scan", self.service.lease_s)
        await self.store["jobs"].update_one({"_id": scan.job["_id"], **debts.is_owed("scan")}, [*change, {"$set": self._progress(scan)}])

    @staticmethod
    def _progress(scan: Scan) -> Document:
        return {"progress": {"seen": scan.seen, "announced": scan.announced, "unchanged": scan.unchanged}}

    async def _look_for_missing(self, scan: Scan, root: str) -> None:
        """Paths of documents that are not there any more are announced like any other: the reader looks once more."""
        job = scan.job
        below = [{"path": job["path"]}, {"path": {"$gte": job["path"] + "/", "$lt": job["path"] + "0"}}]  # "0" follows "/"
        query = {"cohort": job["cohort"], "source": job["source"], "gone": False, **({"$or": below} if job["path"] else {})}
        documents = self.store["files"].find(query, {"path": 1}).sort([("cohort", 1), ("source", 1), ("path", 1)])
        while chunk := [document["path"] for document in await documents.to_list(CHUNK)]:
            lost = await asyncio.to_thread(missing, root, chunk)
            self.service.sources.root(job["source"])  # a lost mount is not a thousand lost files
            if lost:
                await self._compare(scan, [intake.found(job["cohort"], job["source"], path, None, None) for path in lost])

    # ── what comes after ─────────────────────────────────────────────────────────────────────────────────────────────

    async def freeze(self) -> None:
        """The totals of jobs whose scan is paid, whose batches are read and whose series are settled."""
        async for job in self.store["jobs"].find({"open": True, "owed.scan.since": {"$exists": False}}):
            if not await intake.hurry(self.store, job["_id"]):
                continue
            if await self.store["series"].find_one({"owed.settle.jobs": job["_id"], **debts.is_owed("settle")}, {"_id": 1}):
                continue
            totals = await self._totals(job)
            change: list[Document] = [{"$set": {"totals": totals, "finished_at": "$$NOW"}}, {"$unset": "open"}]
            await self.store["jobs"].update_one({"_id": job["_id"], "owed.scan.since": {"$exists": False}}, change)

    async def _totals(self, job: Document) -> Document:
        totals = dict.fromkeys(("extracted", "duplicate", "conflicting", "rejected", "unsettled", "gone"), 0)
        lost = {"$and": ["$gone", {"$ne": ["$reason", "vanished"]}]}  # it had its outcome before it went
        group = {"$group": {"_id": {"outcome": "$outcome", "lost": lost}, "n": {"$sum": 1}}}
        async for row in self.store["files"].aggregate([{"$match": {"jobs": job["_id"]}}, group]):
            name = "gone" if row["_id"]["lost"] else row["_id"]["outcome"] or "unsettled"
            totals[name] = totals.get(name, 0) + row["n"]  # `deleted` is there only where something was deleted meanwhile
        totals["unchanged"] = job.get("unchanged", 0)
        seen = (job.get("progress") or {}).get("seen", 0)
        accounted = sum(count for name, count in totals.items() if name != "gone")
        return {**totals, "seen": max(seen, accounted), "unaccounted": max(seen - accounted, 0)}  # not 0: a batch failed

    async def retry_rejected(self) -> None:
        """Announce again the files whose rejection was for a passing reason and whose time has come."""
        due = {"again_at": {"$exists": True}, "$expr": {"$lte": ["$again_at", "$$NOW"]}}
        async for file in self.store["files"].find(due).limit(1000):
            later: list[Document] = [{"$set": {"again_at": {"$add": ["$again_at", 3_600_000]}}}]  # should this batch fail
            await self.store["files"].update_one({"_id": file["_id"], "rev": file["rev"]}, later)
            if file["jobs"]:
                await intake.announce_again(self.store, self.bus, file, (file["size"], file["mtime_ns"]))


def make() -> Service:
    """The watcher, wired."""
    settings = WatcherSettings()
    service = Service("watcher", settings)
    watcher = Watcher(service, settings)
    service.answers("scan", watcher.scan, workers=settings.scans)
    service.every(0.5, "freeze", watcher.freeze)
    service.every(settings.sweep_every_s, "retry_rejected", watcher.retry_rejected)
    return service
