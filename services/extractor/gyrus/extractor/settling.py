"""Paying `settle`: series, stacks, study and subject become the pure function of the series' files, in one transaction (design §3)."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from gyrus.dicom.pixel_digest import digest_one, place_of
from gyrus.dicom.site_fields import site_fields_of, table_with
from gyrus.extractor.oddities import study_conflicts
from gyrus.extractor.outcomes import changed_writes, first_writes
from gyrus.extractor.settings import ExtractorSettings
from gyrus.extractor.settle import Settled, copies, names_of, settle, study_of, subject_of, visits_of
from gyrus.shared import crash, debts, intake
from gyrus.shared.bells import bell
from gyrus.shared.errors import GyrusError, Later
from gyrus.shared.ids import digest
from gyrus.shared.service import Service
from gyrus.shared.store import AFTER, Session, UpdateMany, UpdateOne, literal
from gyrus.shared.topology import STAGES
from gyrus.shared.workers import WorkerLost, Workers

Document = dict[str, Any]
STAGE = STAGES["settle"]
HISTORY = 20  # versions that a stack remembers


class Moved(GyrusError):
    """Something was owed anew, or a file's document moved, while the series was computed: the result does not count."""


@dataclass
class Bells:
    """What is rung once the transaction is committed."""

    studies: set[str] = field(default_factory=set)
    stacks: set[str] = field(default_factory=set)


class Settling:
    """Settles the series that are due."""

    def __init__(self, service: Service, settings: ExtractorSettings, workers: Workers) -> None:
        self.service, self.store, self.bus, self.workers = service, service.store, service.bus, workers
        self._names = names_of(table_with(site_fields_of(settings.site_fields)))
        self._at_once, self._limit_s = settings.settle_at_once, settings.settle_limit_s
        self._turns = [asyncio.Lock() for _ in range(64)]  # each for many studies

    async def settle_due(self) -> None:
        """Settle every series whose time has come, some at once."""
        due = {**debts.is_owed("settle"), "$expr": {"$lte": ["$owed.settle.due", "$$NOW"]}}
        found = [row["_id"] async for row in self.store["series"].find(due, {"_id": 1}).sort("owed.settle.due").limit(500)]
        gate = asyncio.Semaphore(self._at_once)

        async def one(series: str) -> None:
            async with gate:
                await self.service.try_once(STAGE, self.settle, series)

        async with asyncio.TaskGroup() as group:
            for series in found:
                group.create_task(one(series))

    async def settle(self, series: str) -> None:
        """Lease; read `n`, then the files; compute; one transaction; ring."""
        await crash.point("settle.1")
        condition, change = debts.lease("settle", self.service.lease_s)
        document = await self.store["series"].find_one_and_update({"_id": series, **condition}, change, return_document=AFTER)
        if document is None:
            return
        await crash.point("settle.2")
        n = debts.n_of(document, "settle")
        await crash.point("settle.3")
        try:
            files, settled = await self._compute(series)
            fence = await self._write_first(series, n, files, settled)
            async with self._turn(settled.series.get("study")):
                bells = await self.store.transaction(lambda session: self._write(session, series, fence, files, settled))
        except Later:
            await self._release(series)
            raise
        except Moved:
            await self._release(series)
            return
        await crash.point("settle.10")
        await self._ring(bells)

    async def _release(self, series: str) -> None:
        """It is owed anew: nobody need wait for the lease to run out."""
        await self.store["series"].update_one({"_id": series}, {"$unset": {"owed.settle.lease": ""}})

    def _turn(self, study: str | None) -> asyncio.Lock:
        """Siblings conflict in the study's document: within one process they go one after the other."""
        return self._turns[hash(study) % len(self._turns)]

    # ── compute ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _compute(self, series: str) -> tuple[list[Document], Settled]:
        """All files that the series must look at, and what it is."""
        files = await self.store["files"].find({"$or": [{"series": series}, {"unsettled": series}]}).to_list(None)
        mine = [file for file in files if file.get("series") == series]
        blocks = await self.store["headers"].find({"_id": {"$in": sorted({f["header"] for f in mine})}}).to_list(None)
        headers = {block["_id"]: block["fields"] for block in blocks}
        await self._read_lost([file for file in mine if file["header"] not in headers])
        await self._compare_pixels(mine, copies(mine))
        settled = await self.workers.run(self._limit_s, settle, mine, headers, self._names)
        if settled.compare:
            await self._compare_pixels(mine, settled.compare)
            settled = await self.workers.run(self._limit_s, settle, mine, headers, self._names)
        return files, settled

    async def _read_lost(self, files: Sequence[Document]) -> None:
        """A deletion took a header block that was there when a reader looked, before the reader wrote its file: a read brings it back."""
        for file in files:
            await intake.announce_again(self.store, self.bus, file, (file["size"], file["mtime_ns"]))
        if files:
            raise Later("a header block of its files is missing; a read of them is owed")

    async def _compare_pixels(self, mine: Sequence[Document], ids: Collection[str]) -> None:
        """Digest the pixels of some files; kept on their documents with the rest of the result."""
        wanted = set(ids)
        files = [file for file in mine if file["_id"] in wanted]
        known = [(file["size"], file["mtime_ns"]) for file in files]
        paths = [self.service.sources.locate(file["source"], file["path"]) for file in files]
        places = [place_of(file["image"]) for file in files]
        answers = await self.workers.each(self._limit_s, digest_one, list(zip(paths, known, places, strict=True)))
        for file, before, answer in zip(files, known, answers, strict=True):
            if isinstance(answer, WorkerLost):
                file["compared"] = None  # its pixels cannot be read: the file costs its own comparison, not the series
                continue
            seen, pixels = answer
            if seen == before:
                file["compared"] = pixels
            else:
                await intake.announce_again(self.store, self.bus, file, seen)

    # ── write ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write_first(self, series: str, n: int, files: Sequence[Document], settled: Settled) -> int:
        """First outcomes, and the series out of its files' `unsettled`; the `n` by which to pay.

        These are almost all writes of files, and a transaction makes each many times dearer. It is owed anew before: so whoever pays, now
        or later, has read the files after this. Raises Moved where a file did, or where another settler was quicker.
        """
        writes = first_writes(series, files, settled.outcomes)
        if not writes:
            return n
        await crash.point("settle.4")
        fenced = await self.store["series"].update_one({"_id": series, **debts.unmoved("settle", n)}, debts.owed_anew("settle"))
        if not fenced.matched_count:
            raise Moved
        await crash.point("settle.5")
        if await self.store.write("files", [UpdateMany(*write) for write in writes]) != sum(
            len(where["_id"]["$in"]) for where, _ in writes
        ):
            raise Moved
        return n + 1

    async def _write(self, session: Session, series: str, n: int, files: Sequence[Document], settled: Settled) -> Bells:
        await crash.point("settle.6")
        before = await self._pay(session, series, n, settled)
        await crash.point("settle.7")
        await self._write_changed(session, files, settled)
        bells = Bells()
        changed = await self._write_stacks(session, series, settled, bells) or before.get("study") != settled.series["study"]
        await crash.point("settle.8")
        studies = {study for study in (settled.series["study"], before.get("study")) if study}
        named = {*settled.series["studies"], *before.get("studies", ())}  # by some of its files: they are told that it is in two studies
        subjects: set[str] = set()
        for study in sorted(studies | named):
            subjects |= await self._write_study(session, study, changed and study in studies)
        for subject in sorted(subjects):
            await self._write_subject(session, subject)
        if changed:
            bells.studies = studies
        elif not files and not before.get("study"):
            await self._forget(session, series)
        await crash.point("settle.9")
        return bells

    async def _pay(self, session: Session, series: str, n: int, settled: Settled) -> Document:
        """Clear the debt if `n` holds, and write the series; the series as it was."""
        change = debts.paid("settle")
        change["$set"] |= {"series_instance_uid": series.split("/", 1)[1], **settled.series}
        before: Document | None = await self.store["series"].find_one_and_update(
            {"_id": series, **debts.unmoved("settle", n)}, change, session=session
        )
        if before is None:
            raise Moved
        return before

    async def _write_changed(self, session: Session, files: Sequence[Document], settled: Settled) -> None:
        """Outcomes that are not what they were; no such file may have moved."""
        writes = [UpdateOne(*write) for write in changed_writes(files, settled.outcomes)]
        if await self.store.write("files", writes, session) != len(writes):
            raise Moved

    async def _write_stacks(self, session: Session, series: str, settled: Settled, bells: Bells) -> bool:
        """Stacks that differ from what is stored; keys that have no files any more are retired. Whether a version changed."""
        changed = False
        there = {stack["stack_key"]: stack async for stack in self.store["stacks"].find({"series": series}, session=session)}
        for key, stack in there.items():
            if key not in settled.stacks and not stack["retired"]:
                changed = True
                bells.stacks.add(stack["_id"])
                change = [*_RETIRE, *debts.owe("preprocess")]  # which removes its outputs
                await self.store["stacks"].update_one({"_id": stack["_id"]}, change, session=session)
        for key, made in settled.stacks.items():
            changed |= await self._write_stack(session, series, made, there.get(key), settled, bells)
        return changed

    async def _write_stack(
        self, session: Session, series: str, made: Document, old: Document | None, settled: Settled, bells: Bells
    ) -> bool:
        wanted = {**made, "retired": False, "study": settled.series["study"], "subject": settled.series["subject"]}
        if old is not None and all(old.get(name) == value for name, value in wanted.items()):
            return False
        cohort, uid = series.split("/", 1)
        id_ = f"{series}/{digest(made['stack_key'], 8)}"
        wanted |= {"cohort": cohort, "series": series, "series_instance_uid": uid}
        renewed = old is None or old["version"] != made["version"]
        change: list[Document] = [{"$set": literal(wanted)}]
        if renewed:
            entry = {"version": made["version"], "at": "$$NOW"}
            change.append({"$set": {"history": {"$slice": [{"$concatArrays": [{"$ifNull": ["$history", []]}, [entry]]}, -HISTORY]}}})
        if old is not None and old.get("n_gone", 0) > made["n_gone"]:  # a file is back: what was refused for its absence is owed again
            change += debts.owe("preprocess")
            bells.stacks.add(id_)
        await self.store["stacks"].update_one({"_id": id_}, change, upsert=True, session=session)
        return renewed

    async def _forget(self, session: Session, series: str) -> None:
        """A series that has no file and never had a stack: owed by a reader whose files a deletion took before they were settled."""
        if not await self.store["stacks"].find_one({"series": series}, {"_id": 1}, session=session):
            await self.store["series"].delete_one({"_id": series}, session=session)

    async def _write_study(self, session: Session, study: str, changed: bool) -> set[str]:
        """The study from its series, always with a change, so that siblings conflict; its present and former subject."""
        series = await self.store["series"].find({"$or": [{"study": study}, {"studies": study}]}, session=session).to_list(None)
        if not series and await self.store["studies"].find_one_and_delete({"_id": study, "owed": {"$exists": False}}, session=session):
            return set()  # nothing was ever shown in it; files that named it do so no more
        made = study_of([one for one in series if one["study"] == study], self._names)
        cohort, uid = study.split("/", 1)
        made |= {"cohort": cohort, "study_instance_uid": uid, "conflicts": study_conflicts(study, series)}
        change: list[Document] = [{"$set": literal(made) | _TOUCH}]
        if changed:
            change += debts.owe("classify")
        if made["subject"] is None:
            change.append({"$unset": "visit"})
        before = await self.store["studies"].find_one_and_update({"_id": study}, change, upsert=True, session=session) or {}
        return {subject for subject in (made["subject"], before.get("subject")) if subject}

    async def _write_subject(self, session: Session, subject: str) -> None:
        """The subject from its studies, and which visit each of them is; one that has none left is no subject any more."""
        studies = await self.store["studies"].find({"subject": subject}, session=session).to_list(None)
        if not studies:
            await self.store["subjects"].delete_one({"_id": subject}, session=session)
            return
        cohort, code = subject.split("/", 1)
        made = {**subject_of(studies, self._names), "cohort": cohort, "code": code}
        change = [{"$set": literal(made) | _TOUCH}]
        await self.store["subjects"].update_one({"_id": subject}, change, upsert=True, session=session)
        visits = visits_of(studies)
        moved = [UpdateOne({"_id": s["_id"]}, {"$set": {"visit": visits[s["_id"]]}}) for s in studies if s.get("visit") != visits[s["_id"]]]
        await self.store.write("studies", moved, session)

    async def _ring(self, bells: Bells) -> None:
        for stage, ids in ((STAGES["classify"], bells.studies), (STAGES["preprocess"], bells.stacks)):
            if not ids:
                continue
            fields = {"cohort": 1, f"owed.{stage.name}": 1}
            async for document in self.store[stage.collection].find({"_id": {"$in": sorted(ids)}}, fields):
                await self.bus.ring(*bell(stage, document))

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


_RETIRE: list[Document] = [{"$set": {"retired": True, "version": None, "winners": None}}, {"$unset": "classification"}]
_TOUCH: Document = {"touched": {"$add": [{"$ifNull": ["$touched", 0]}, 1]}}
