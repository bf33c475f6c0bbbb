"""Paying `settle`: series, stacks, study and subject become the pure function of the series' files, in one transaction (design §3)."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gyrus.dicom.pixel_digest import Stamp, digest_one, place_of
from gyrus.dicom.site_fields import site_fields_of, table_with
from gyrus.extractor.reading import TURN
from gyrus.extractor.settings import ExtractorSettings
from gyrus.extractor.settle import names_of
from gyrus.extractor.settlement import Answer, Asked, settle_series
from gyrus.shared import crash, debts, intake
from gyrus.shared.bells import bell
from gyrus.shared.errors import Later
from gyrus.shared.service import Service
from gyrus.shared.store import DatabaseAt
from gyrus.shared.topology import STAGES
from gyrus.shared.workers import WorkerLost, Workers

Document = dict[str, Any]
STAGE = STAGES["settle"]


class Settling:
    """Settles the series that are due."""

    def __init__(self, service: Service, settings: ExtractorSettings, workers: Workers) -> None:
        self.service, self.store, self.bus, self.workers = service, service.store, service.bus, workers
        self._names = names_of(table_with(site_fields_of(settings.site_fields)))
        self._at_once, self._limit_s = settings.settle_at_once, settings.settle_limit_s
        self._at = DatabaseAt(service.settings.mongo_url, service.settings.mongo_database)

    async def settle_due(self) -> None:
        """Settle every series whose time has come, some at once."""
        due = {**debts.is_owed("settle"), "$expr": {"$lte": ["$owed.settle.due", "$$NOW"]}}
        fields = {"study": 1, TURN: 1}
        found = [row async for row in self.store["series"].find(due, fields).sort("owed.settle.due").limit(500)]
        gate = asyncio.Semaphore(self._at_once)
        turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

        async def one(series: Document) -> None:
            async with turns[_study_of(series)], gate:
                await self.service.try_once(STAGE, self.settle, series["_id"])

        async with asyncio.TaskGroup() as group:
            for series in found:
                group.create_task(one(series))

    async def settle(self, series: str) -> None:
        """A try in a worker, with the pixels of copies digested where it asks for them; then ring."""
        asked = Asked(series=series, lease_s=self.service.lease_s, names=self._names)
        answer = await self._in_worker(asked)
        pixels: dict[str, Any] = {}
        while answer.compare:
            pixels |= await self._digests(answer.compare)
            answer = await self._in_worker(replace(asked, pixels=pixels))
        for file in answer.lost:  # a deletion took its header block, which was there when a reader looked: a read brings it back
            await intake.announce_again(self.store, self.bus, file, (file["size"], file["mtime_ns"]))
        if answer.lost:
            raise Later("a header block of its files is missing; a read of them is owed")
        await crash.point("settle.10")
        for stage, document in answer.ring:
            await self.bus.ring(*bell(STAGES[stage], document))

    async def _in_worker(self, asked: Asked) -> Answer:
        return await self.workers.run(self._limit_s, settle_series, self._at, asked)

    async def _digests(self, files: Sequence[Document]) -> dict[str, tuple[Stamp, str | None]]:
        """The digests of the pixels of files, by file; a file that is not as its document says is announced again."""
        known = [(file["size"], file["mtime_ns"]) for file in files]
        paths = [self.service.sources.locate(file["source"], file["path"]) for file in files]
        places = [place_of(file["image"]) for file in files]
        answers = await self.workers.each(self._limit_s, digest_one, list(zip(paths, known, places, strict=True)))
        digests: dict[str, tuple[Stamp, str | None]] = {}
        for file, before, answer in zip(files, known, answers, strict=True):
            seen, pixels = (before, None) if isinstance(answer, WorkerLost) else answer
            digests[file["_id"]] = before, pixels  # of one that costs its reader, or has changed, there is none
            if seen != before:
                await intake.announce_again(self.store, self.bus, file, seen)
        return digests

    # ── the sweep of files ───────────────────────────────────────────────────────────────────────────────────────────

    async def sweep_unsettled(self) -> None:
        """Owe `settle` for what stays in `unsettled` and is not owed: a reader wrote its file after its batch was cleared, and died."""
        await self.owe_unsettled({})

    async def owe_unsettled(self, files: Document) -> list[str]:
        """Owe `settle` for what some files leave unsettled, where it is not owed and did not fail; what still waits for settling."""
        pipeline: list[Document] = [
            {"$match": {"unsettled": {"$exists": True}, **files}},
            {"$unwind": "$unsettled"},
            {"$group": {"_id": "$unsettled"}},
            {"$limit": 1000},
        ]
        waiting = [row["_id"] async for row in self.store["files"].aggregate(pipeline)]
        known = {row["_id"]: row async for row in self.store["series"].find({"_id": {"$in": waiting}}, {"owed": 1, "failure": 1})}
        for series in waiting:
            row = known.get(series)
            if not debts.owes(row, "settle") and "failure" not in (row or {}):
                change = [{"$set": {"cohort": series.split("/", 1)[0]}}, *debts.owe("settle", cap_s=0.001, quiet_s=0.001)]
                await self.store["series"].update_one({"_id": series}, change, upsert=True)
        return waiting


def _study_of(series: Document) -> str:
    """The study whose document the series is going to write: siblings conflict in it, so they go one after the other."""
    return str(series["owed"]["settle"].get("turn") or series.get("study") or series["_id"])
