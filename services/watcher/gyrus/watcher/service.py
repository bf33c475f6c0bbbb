"""The watcher as a service: jobs become batches of paths, and a job's totals are frozen when its files have their outcome."""

from typing import Any

from gyrus.shared import debts, intake
from gyrus.shared.service import Service
from gyrus.shared.subject_rules import has_rules
from gyrus.watcher.scan import Scans
from gyrus.watcher.settings import WatcherSettings
from gyrus.watcher.watch import Watch

Document = dict[str, Any]


class Watcher:
    """Freezes jobs, and announces again what was rejected for a passing reason."""

    def __init__(self, service: Service) -> None:
        self.store, self.bus = service.store, service.bus

    async def freeze(self) -> None:
        """The totals of jobs whose scan is paid, whose batches are read and whose series are settled."""
        scanned = {"open": True, "owed.scan.since": {"$exists": False}, "stopped": {"$ne": "pause"}}
        async for job in self.store["jobs"].find(scanned):
            if not await intake.hurry(self.store, job["_id"]):
                continue
            if await self.store["series"].find_one({"owed.settle.jobs": job["_id"], **debts.is_owed("settle")}, {"_id": 1}):
                continue
            totals = await self._totals(job)
            lacking = True if totals["unaccounted"] or totals["unsettled"] else "$$REMOVE"
            change: list[Document] = [{"$set": {"totals": totals, "finished_at": "$$NOW", "lacking": lacking}}, {"$unset": "open"}]
            await self.store["jobs"].update_one({"_id": job["_id"], "owed.scan.since": {"$exists": False}}, change)

    async def _totals(self, job: Document) -> Document:
        totals = dict.fromkeys(("extracted", "duplicate", "conflicting", "rejected", "unsettled", "gone"), 0)
        lost = {"$and": ["$gone", {"$ne": ["$reason", "vanished"]}]}  # it had its outcome before it went
        uncoded = {"$and": ["$unmapped", {"$not": "$gone"}]}
        group = {"$group": {"_id": {"outcome": "$outcome", "lost": lost, "uncoded": uncoded}, "n": {"$sum": 1}}}
        unmapped = 0
        async for row in self.store["files"].aggregate([{"$match": {"jobs": job["_id"]}}, group]):
            name = "gone" if row["_id"]["lost"] else row["_id"]["outcome"] or "unsettled"
            totals[name] = totals.get(name, 0) + row["n"]  # `deleted` is there only where something was deleted meanwhile
            unmapped += row["n"] if row["_id"]["uncoded"] else 0
        totals["unchanged"] = job.get("unchanged", 0)
        seen = 0 if job.get("stopped") else (job.get("progress") or {}).get("seen", 0)  # what was not announced has no outcome
        accounted = sum(count for name, count in totals.items() if name != "gone")
        totals |= {"seen": max(seen, accounted), "unaccounted": max(seen - accounted, 0)}  # not 0: a batch failed
        ruled = unmapped or await has_rules(self.store, job["cohort"])
        return totals | ({"unmapped": unmapped} if ruled else {})

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
    watcher = Watcher(service)
    service.answers("scan", Scans(service, settings).scan, workers=settings.scans)
    service.every(1, "watch", Watch(service, settings).watch)
    service.every(0.5, "freeze", watcher.freeze)
    service.every(settings.sweep_every_s, "retry_rejected", watcher.retry_rejected)
    return service
