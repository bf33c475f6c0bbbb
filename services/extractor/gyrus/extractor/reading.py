"""Paying `read`: the files of a batch become documents (design §3, the four numbered steps)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gyrus.extractor.files import AGAIN_AFTER_S, Said, by_rule, replaced, touched
from gyrus.extractor.opening import Opening
from gyrus.extractor.settings import ExtractorSettings
from gyrus.shared import crash, debts, intake, metrics
from gyrus.shared.scope import DELETED, is_left_alone
from gyrus.shared.service import Service
from gyrus.shared.store import ReplaceOne, UpdateOne
from gyrus.shared.subject_rules import SubjectRules
from gyrus.shared.subjects import Rule, code_of, rule_of
from gyrus.shared.workers import Workers

Document = dict[str, Any]
TURN = "owed.settle.turn"


class Reading:
    """Reads batches."""

    def __init__(self, service: Service, settings: ExtractorSettings, workers: Workers) -> None:
        self.service, self.store = service, service.store
        self._rules = SubjectRules(service.store, service.sources)
        self._opening = Opening(service.sources, settings, workers)

    async def read(self, batch_id: str) -> None:
        """Read headers, write `headers` and `files`, owe `settle` on every series that they had or have, clear the batch.

        What this batch has stored already, before its reader was killed, is not opened again.
        """
        batch = await self.store["batches"].find_one({"_id": batch_id, **debts.is_owed("read")})
        if batch is None:
            return
        ids = [file["id"] for file in batch["files"]]
        known = {document["_id"]: document async for document in self.store["files"].find({"_id": {"$in": ids}})}
        rules = await self._rules.of(batch["cohort"])
        done = {file: document for file, document in known.items() if _stands(document, batch, rules)}
        batch["files"] = [file for file in batch["files"] if file["id"] not in done]
        await crash.point("read.1")
        answers = await self._read_files(batch, batch["files"])
        series = await self._write(batch, known, answers)
        series |= set().union(*(touched(document, None) for document in done.values()))
        studies = {answer.series: answer.content["study"] for answer in answers.values() if answer.series}
        await crash.point("read.3")
        await self._owe(batch, {one: studies.get(one) for one in sorted(series)})
        if await self._rules.of(batch["cohort"]) != rules:  # a job that came with other rules left alone what this batch holds
            await self.read(batch_id)
            return
        await crash.point("read.4")
        await self.store["batches"].delete_one({"_id": batch_id})
        if await intake.hurry(self.store, batch["job"]):
            self.service.soon("settle")

    async def _read_files(self, batch: Document, files: Sequence[Mapping[str, Any]]) -> dict[str, Said]:
        if not files:
            return {}
        answers = await self._opening.read(batch, files)
        rules = await self._rules.of(batch["cohort"])  # now: a file that is read again may be so because its rule changed
        return {
            file["id"]: by_rule(answer, batch["cohort"], *_subject(file["path"], batch, rules))
            for file, answer in zip(files, answers, strict=True)
        }

    # ── step 2 ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write(self, batch: Document, known: Mapping[str, Document], answers: Mapping[str, Said]) -> set[str]:
        """Insert what is new, and replace what exists where its `rev` is what it was before the file was opened: a round trip each."""
        headers = {answer.header["_id"]: answer.header for answer in answers.values() if answer.header}
        await self.store.insert_new("headers", list(headers.values()))
        new = [file for file in batch["files"] if file["id"] not in known]
        fresh = [replaced(None, answers[file["id"]], _identity(batch, file), batch["job"])[0] for file in new]
        await self._date(fresh)
        await crash.point("read.2")
        beaten = await self.store.insert_new("files", fresh)
        series: set[str] = set()
        for file in new:
            answer = answers[file["id"]]
            if file["id"] in beaten:
                series |= await self._replace(batch, file, None, answer)
            else:
                series |= touched(None, answer)
                _count(answer)
        return series | await self._write_known(batch, known, answers)

    async def _write_known(self, batch: Document, known: Mapping[str, Document], answers: Mapping[str, Said]) -> set[str]:
        """Write the documents that there are, all at once; where one has moved meanwhile, one after the other."""
        files = [file for file in batch["files"] if file["id"] in known]
        writes = [_written(batch, file, known[file["id"]], answers[file["id"]]) for file in files]
        await self._date([write.document for write in writes if write.moved])
        await crash.point("read.2")
        if await self.store.write("files", [write.operation for write in writes]) == len(writes):
            for write in writes:
                write.count()
            return {series for write in writes for series in write.touched}
        series: set[str] = set()
        for file in files:
            series |= await self._replace(batch, file, known[file["id"]], answers[file["id"]])
        return series

    async def _replace(self, batch: Document, file: Mapping[str, Any], before: Document | None, answer: Said) -> set[str]:
        """Write one file's document; as long as it has moved meanwhile, the file is read again. Tombstones stay, but for `again`."""
        while True:
            if before is not None:
                write = _written(batch, file, before, answer)
                if write.moved:
                    await self._date([write.document])
                await crash.point("read.2")
                if await self.store.write("files", [write.operation]):
                    write.count()
                    return write.touched
            before = await self.store["files"].find_one({"_id": file["id"]})
            assert before is not None, "documents of files are never deleted: a tombstone remains"
            if _stands(before, batch, await self._rules.of(batch["cohort"])):
                return touched(before, None)
            answer = (await self._read_files(batch, [file]))[file["id"]]

    async def _date(self, documents: Sequence[Document]) -> None:
        """Say when to read those again that could not be read for a passing reason."""
        passing = [document for document in documents if document.get("again")]
        if not passing:
            return
        now = await self.store.now()
        for document in passing:
            document["again_at"] = now + timedelta(seconds=AGAIN_AFTER_S[document["again"] - 1])

    # ── step 3 ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _owe(self, batch: Document, series: Mapping[str, str | None]) -> None:
        """series: with the study that a file of it names, if one was read: siblings are not settled at the same time."""
        change = debts.owe("settle", quiet_s=batch["quiet_s"], cap_s=batch["cap_s"], job=batch["job"])
        named = {one: {"cohort": batch["cohort"]} | ({TURN: {"$literal": study}} if study else {}) for one, study in series.items()}
        await self.store.write("series", [UpdateOne({"_id": one}, [{"$set": said}, *change], upsert=True) for one, said in named.items()])


def _identity(batch: Document, file: Mapping[str, Any]) -> Document:
    return {"_id": file["id"], "cohort": batch["cohort"], "source": batch["source"], "path": file["path"], "batch": batch["_id"]}


@dataclass(frozen=True)
class _Write:
    """One write of a document that there is: it holds only while the document is `before`."""

    before: Document
    document: Document
    moved: bool
    answer: Said | None  # None: the document is a tombstone that is left alone
    batch: Document

    @property
    def operation(self) -> ReplaceOne[Document] | UpdateOne:
        """For a bulk write."""
        where = {"_id": self.before["_id"], "rev": self.before["rev"]}
        if self.moved:
            return ReplaceOne(where, self.document)
        mine = {"$set": {"batch": self.batch["_id"]}} if self.answer else {}
        return UpdateOne(where, {"$addToSet": {"jobs": self.batch["job"]}, **mine})

    @property
    def touched(self) -> set[str]:
        """The series that must settle after it."""
        return touched(self.before, self.answer) if self.answer else set()

    def count(self) -> None:
        """Count the file as read."""
        if self.answer:
            _count(self.answer)


def _written(batch: Document, file: Mapping[str, Any], before: Document, answer: Said) -> _Write:
    if _left_alone(batch, before, answer):
        return _Write(before, before, False, None, batch)
    return _Write(before, *replaced(before, answer, _identity(batch, file), batch["job"]), answer, batch)


def _subject(path: str, batch: Document, rules: Sequence[Rule]) -> tuple[str | None, bool]:
    """The subject code that rules give to a file, and whether one holds for it that gives none."""
    code = code_of(path, rules, batch["source"])
    return code, code is None and rule_of(path, rules, batch["source"]) is not None


def _stands(document: Document, batch: Document, rules: Sequence[Rule]) -> bool:
    """Whether a document is what this batch made of its file, by the rules that hold now."""
    if document.get("batch") != batch["_id"]:
        return False
    code, unmapped = _subject(document["path"], batch, rules)
    named = document.get("subject") if document.get("subject_from") == "rule" else None
    by_rules = (f"{batch['cohort']}/{code}" if code else None, unmapped)
    return "image" not in document or (named, document.get("unmapped", False)) == by_rules


def _left_alone(batch: Document, before: Document, answer: Said) -> bool:
    """Whether the document is a tombstone that stays one: this batch was not asked to read it anew, or there is nothing to read."""
    return is_left_alone(before, batch["job"], batch.get("again", False)) or (DELETED in before and answer.gone)


def _count(answer: Said) -> None:
    outcome = "gone" if answer.gone else answer.content.get("outcome", "pending")
    metrics.FILES.labels(outcome, answer.content.get("reason", "")).inc()
