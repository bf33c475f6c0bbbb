"""One try at settling a series, in a worker process: from the lease to the paid debt (design §3), with nothing else to wait for.

A worker talks to MongoDB itself, without an event loop: settling is twenty short questions to the database, and each would cost the service
several times what it costs here (docs/decisions/0020-workers-settle.md). What only the service can do – ring, announce a file again, digest
pixels that may hang or kill their reader – is its answer.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gyrus.dicom.pixel_digest import Stamp
from gyrus.extractor.oddities import study_conflicts
from gyrus.extractor.outcomes import Write, changed_writes, first_writes
from gyrus.extractor.settle import Names, Settled, copies, settle, study_of, subject_of, visits_of
from gyrus.shared import crash, debts
from gyrus.shared.errors import GyrusError
from gyrus.shared.ids import digest
from gyrus.shared.scope import DELETED
from gyrus.shared.store import AFTER, BlockingStore, DatabaseAt, UpdateMany, UpdateOne, WorkerSession, blocking_store, literal
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
HISTORY = 20  # versions that a stack remembers


class Moved(GyrusError):
    """Something was owed anew, or a file's document moved, while the series was computed: the result does not count."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a worker is asked. pixels: by file, its stamp when its pixels were digested and the digest, None where they cannot be read."""

    series: str
    lease_s: float
    names: Names
    pixels: Mapping[str, tuple[Stamp, str | None]] | None = None


@dataclass
class Answer:
    """What is left to the service: documents to ring for by stage, files to compare the pixels of, files whose header block is lost."""

    ring: list[tuple[str, Document]] = field(default_factory=list)
    compare: list[Document] = field(default_factory=list)
    lost: list[Document] = field(default_factory=list)


def settle_series(at: DatabaseAt, asked: Asked) -> Answer:
    """Lease; read `n`, then the files; compute; first outcomes; one transaction."""
    return _Settlement(blocking_store(at), asked).run()


@dataclass
class Bells:
    """What is rung once the transaction is committed."""

    studies: set[str] = field(default_factory=set)
    stacks: set[str] = field(default_factory=set)


class _Settlement:
    """One try at one series."""

    def __init__(self, store: BlockingStore, asked: Asked) -> None:
        self.store, self.asked, self.series = store, asked, asked.series

    def run(self) -> Answer:
        n = self._take()
        if n is None:
            return Answer()
        crash.point_in_worker("settle.3")
        try:
            return self._settle(n)
        except Moved:
            self._release()
            return Answer()

    def _take(self) -> int | None:
        """Take the lease, unless this is asked again with the pixels that lacked; the debt's `n`, None where somebody else has it."""
        crash.point_in_worker("settle.1")
        condition, change = debts.lease("settle", self.asked.lease_s)
        if self.asked.pixels is not None:
            condition = debts.is_owed("settle")
        found = self.store["series"].find_one_and_update({"_id": self.series, **condition}, change, return_document=AFTER)
        crash.point_in_worker("settle.2")
        return None if found is None else debts.n_of(found, "settle")

    def _release(self) -> None:
        """It is owed anew: nobody need wait for the lease to run out."""
        self.store["series"].update_one({"_id": self.series}, {"$unset": {"owed.settle.lease": ""}})

    def _settle(self, n: int) -> Answer:
        files = list(self.store["files"].find({"$or": [{"series": self.series}, {"unsettled": self.series}]}))
        mine = [file for file in files if file.get("series") == self.series]
        headers = {h["_id"]: h["fields"] for h in self.store["headers"].find({"_id": {"$in": sorted({f["header"] for f in mine})}})}
        if lost := [file for file in mine if file["header"] not in headers]:
            self._release()
            return Answer(lost=lost)
        self._take_pixels(mine)
        if wanted := copies(mine):
            return _compare(mine, wanted)
        settled = settle(mine, headers, self.asked.names)
        if settled.compare:
            return _compare(mine, settled.compare)
        fence = self._write_first(n, files, settled)
        bells = self.store.transaction(lambda session: self._write(session, fence, files, settled))
        return Answer(ring=list(self._owing(bells)))

    def _take_pixels(self, mine: Sequence[Document]) -> None:
        """Digests that were asked for, where the file is what it was then."""
        known = self.asked.pixels or {}
        for file in mine:
            if file["_id"] in known and known[file["_id"]][0] == (file["size"], file["mtime_ns"]):
                file["compared"] = known[file["_id"]][1]

    def _owing(self, bells: Bells) -> Iterator[tuple[str, Document]]:
        for stage, ids in ((STAGES["classify"], bells.studies), (STAGES["preprocess"], bells.stacks)):
            if ids:
                fields = {"cohort": 1, f"owed.{stage.name}": 1}
                for document in self.store[stage.collection].find({"_id": {"$in": sorted(ids)}}, fields):
                    yield stage.name, document

    # ── write ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write_first(self, n: int, files: Sequence[Document], settled: Settled) -> int:
        """First outcomes, and the series out of its files' `unsettled`; the `n` by which to pay.

        These are almost all writes of files, and a transaction makes each many times dearer. It is owed anew before: so whoever pays, now
        or later, has read the files after this. Raises Moved where a file did, or where another settler was quicker.
        """
        writes = first_writes(self.series, [file for file in files if DELETED not in file], settled.outcomes)
        if not writes:
            return n
        crash.point_in_worker("settle.4")
        fenced = self.store["series"].update_one({"_id": self.series, **debts.unmoved("settle", n)}, debts.owed_anew("settle"))
        if not fenced.matched_count:
            raise Moved
        crash.point_in_worker("settle.5")
        self._write_alike(writes)
        return n + 1

    def _write_alike(self, writes: Sequence[Write], session: WorkerSession | None = None) -> None:
        """What is said of many files at once; none of them may have moved."""
        operations = [UpdateMany(*write) for write in writes]
        if self.store.write("files", operations, session) != sum(len(where["_id"]["$in"]) for where, _ in writes):
            raise Moved

    def _write(self, session: WorkerSession, n: int, files: Sequence[Document], settled: Settled) -> Bells:
        crash.point_in_worker("settle.6")
        before = self._pay(session, n, settled)
        crash.point_in_worker("settle.7")
        self._write_changed(session, files, settled)
        bells = Bells()
        changed = self._write_stacks(session, settled, bells) or before.get("study") != settled.series["study"]
        crash.point_in_worker("settle.8")
        studies = {study for study in (settled.series["study"], before.get("study")) if study}
        named = {*settled.series["studies"], *before.get("studies", ())}  # by some of its files: they are told that it is in two studies
        subjects: set[str] = set()
        for study in sorted(studies | named):
            subjects |= self._write_study(session, study, changed and study in studies)
        for subject in sorted(subjects):
            self._write_subject(session, subject)
        if changed:
            bells.studies = studies
        elif not files and not before.get("study"):
            self._forget(session)
        crash.point_in_worker("settle.9")
        return bells

    def _pay(self, session: WorkerSession, n: int, settled: Settled) -> Document:
        """Clear the debt if `n` holds, and write the series; the series as it was."""
        change = debts.paid("settle")
        change["$set"] |= {"series_instance_uid": self.series.split("/", 1)[1], **settled.series}
        before: Document | None = self.store["series"].find_one_and_update(
            {"_id": self.series, **debts.unmoved("settle", n)}, change, session=session
        )
        if before is None:
            raise Moved
        return before

    def _write_changed(self, session: WorkerSession, files: Sequence[Document], settled: Settled) -> None:
        """Outcomes that are not what they were; no such file may have moved. Tombstones are settled here: a deletion waits for it."""
        writes = [UpdateOne(*write) for write in changed_writes(files, settled.outcomes)]
        if self.store.write("files", writes, session) != len(writes):
            raise Moved
        self._write_alike(first_writes(self.series, [file for file in files if DELETED in file], {}), session)

    def _write_stacks(self, session: WorkerSession, settled: Settled, bells: Bells) -> bool:
        """Stacks that differ from what is stored; keys that have no files any more are retired. Whether a version changed."""
        changed = False
        there = {stack["stack_key"]: stack for stack in self.store["stacks"].find({"series": self.series}, session=session)}
        for key, stack in there.items():
            if key not in settled.stacks and not stack["retired"]:
                changed = True
                bells.stacks.add(stack["_id"])
                change = [*_RETIRE, *debts.owe("preprocess")]  # which removes its outputs
                self.store["stacks"].update_one({"_id": stack["_id"]}, change, session=session)
        for key, made in settled.stacks.items():
            changed |= self._write_stack(session, made, there.get(key), settled, bells)
        return changed

    def _write_stack(self, session: WorkerSession, made: Document, old: Document | None, settled: Settled, bells: Bells) -> bool:
        wanted = {**made, "retired": False, "study": settled.series["study"], "subject": settled.series["subject"]}
        if old is not None and all(old.get(name) == value for name, value in wanted.items()):
            return False
        cohort, uid = self.series.split("/", 1)
        id_ = f"{self.series}/{digest(made['stack_key'], 8)}"
        wanted |= {"cohort": cohort, "series": self.series, "series_instance_uid": uid}
        renewed = old is None or old["version"] != made["version"]
        change: list[Document] = [{"$set": literal(wanted)}]
        if renewed:
            entry = {"version": made["version"], "at": "$$NOW"}
            change.append({"$set": {"history": {"$slice": [{"$concatArrays": [{"$ifNull": ["$history", []]}, [entry]]}, -HISTORY]}}})
        if old is not None and old.get("n_gone", 0) > made["n_gone"]:  # a file is back: what was refused for its absence is owed again
            change += debts.owe("preprocess")
            bells.stacks.add(id_)
        self.store["stacks"].update_one({"_id": id_}, change, upsert=True, session=session)
        return renewed

    def _forget(self, session: WorkerSession) -> None:
        """A series that has no file and never had a stack: owed by a reader whose files a deletion took before they were settled."""
        if not self.store["stacks"].find_one({"series": self.series}, {"_id": 1}, session=session):
            self.store["series"].delete_one({"_id": self.series}, session=session)

    def _write_study(self, session: WorkerSession, study: str, changed: bool) -> set[str]:
        """The study from its series, always with a change, so that siblings conflict; its present and former subject."""
        series = list(self.store["series"].find({"$or": [{"study": study}, {"studies": study}]}, session=session))
        if not series and self.store["studies"].find_one_and_delete({"_id": study, "owed": {"$exists": False}}, session=session):
            return set()  # nothing was ever shown in it; files that named it do so no more
        made = study_of([one for one in series if one["study"] == study], self.asked.names)
        cohort, uid = study.split("/", 1)
        made |= {"cohort": cohort, "study_instance_uid": uid, "conflicts": study_conflicts(study, series)}
        change: list[Document] = [{"$set": literal(made) | _TOUCH}]
        if changed:
            change += debts.owe("classify")
        if made["subject"] is None:
            change.append({"$unset": "visit"})
        before = self.store["studies"].find_one_and_update({"_id": study}, change, upsert=True, session=session) or {}
        return {subject for subject in (made["subject"], before.get("subject")) if subject}

    def _write_subject(self, session: WorkerSession, subject: str) -> None:
        """The subject from its studies, and which visit each of them is; one that has none left is no subject any more."""
        studies = list(self.store["studies"].find({"subject": subject}, session=session))
        if not studies:
            self.store["subjects"].delete_one({"_id": subject}, session=session)
            return
        cohort, code = subject.split("/", 1)
        made = {**subject_of(studies, self.asked.names), "cohort": cohort, "code": code}
        change = [{"$set": literal(made) | _TOUCH}]
        self.store["subjects"].update_one({"_id": subject}, change, upsert=True, session=session)
        visits = visits_of(studies)
        moved = [UpdateOne({"_id": s["_id"]}, {"$set": {"visit": visits[s["_id"]]}}) for s in studies if s.get("visit") != visits[s["_id"]]]
        self.store.write("studies", moved, session)


def _compare(files: Sequence[Document], ids: Collection[str]) -> Answer:
    wanted = set(ids)
    return Answer(compare=[file for file in files if file["_id"] in wanted])


_RETIRE: list[Document] = [{"$set": {"retired": True, "version": None, "winners": None}}, {"$unset": "classification"}]
_TOUCH: Document = {"touched": {"$add": [{"$ifNull": ["$touched", 0]}, 1]}}
