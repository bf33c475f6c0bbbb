"""The same cores without servers: a file or folder becomes stacks with labels, as the services would make them."""

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from gyrus.classifier.core import Ruleset, classify_study, explain
from gyrus.console.processes import LIMIT_S, in_processes
from gyrus.console.records import record_of
from gyrus.dicom.field import Field, Table
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.pixel_digest import pixel_digest, place_of
from gyrus.dicom.site_fields import table_with
from gyrus.extractor.files import Said, said
from gyrus.extractor.opening import blamed, read_file
from gyrus.extractor.settle import Names, Settled, copies, names_of, settle
from gyrus.shared.documents import stack_record
from gyrus.shared.errors import GyrusError
from gyrus.shared.ids import digest, file_id
from gyrus.shared.paths import from_text
from gyrus.shared.workers import WorkerLost
from gyrus.watcher.walk import Walk

Document = dict[str, Any]
Work = tuple[list[Document], Mapping[str, Mapping[str, Any]]]  # the files of a series, and the header blocks that they name

COHORT = "offline"
NO_KEY = b"no subject is named offline"
CHUNK = 64  # files that a process is given at once; of two such chunks the series are settled here
HOW_MANY = ("extracted", "duplicate", "conflicting", "rejected")


@dataclass(frozen=True)
class Stack:
    """A stack with the files that it is made of, and its label once it is classified."""

    id: str
    study: str
    number: int | None  #: of its series
    document: Document
    files: list[Document]
    label: Document | None = None
    explanation: Document | None = None  # of the label, axis by axis, where one was asked for

    @property
    def record(self) -> Document:
        """What people get, with exactly the shared keys."""
        return record_of(stack_record(self.document, self.label))

    @property
    def row(self) -> Document:
        """The record and what a table shows beside it."""
        description = self.document["fingerprint"].get("series_description")
        return {**self.record, "id": self.id, "study": self.study, "series_number": self.number, "series_description": description}


@dataclass(frozen=True)
class Series:
    """A settled series with its files and the header blocks that these name."""

    id: str
    document: Document
    stacks: list[Stack]
    files: list[Document]
    headers: Mapping[str, Mapping[str, Any]]


@dataclass
class Found:
    """What came of a file or folder. `rejected`: {path, outcome, reason, detail}; `skipped` counts what is no regular file.

    diagnostics: what was odd in the headers of images, with its count. table: the fields that were read.
    """

    series: list[Series] = field(default_factory=list)
    rejected: list[Document] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOW_MANY, 0))
    skipped: dict[str, int] = field(default_factory=dict)
    diagnostics: Counter[str] = field(default_factory=Counter)
    table: Table = STANDARD

    @property
    def stacks(self) -> list[Stack]:
        """All stacks, by study and series."""
        return sorted((s for one in self.series for s in one.stacks), key=lambda s: (s.study, s.number is None, s.number or 0, s.id))


def extract(path: Path, workers: int, site: tuple[Field, ...] = ()) -> Found:
    """Read everything at or below a path, and settle each series. site: fields that are read beside the standard ones."""
    found = Found(table=table_with(site))
    by_series: dict[str, list[Document]] = defaultdict(list)
    headers: dict[str, Mapping[str, Any]] = {}
    walk = _walk(path)
    seen = [one.path for one in walk]
    found.skipped = dict(walk.skipped)
    for text, now in zip(seen, _read_all(walk.root, seen, workers, site), strict=True):
        if now.header is None or now.series is None:
            found.rejected.append(_rejected(text, now))
            continue
        place = os.path.join(walk.root, from_text(text))  # noqa: PTH118 - any bytes
        by_series[now.series].append({"_id": file_id(COHORT, "", text), "path": place, "name": text, **now.content})
        headers[now.header["_id"]] = now.header["fields"]
    work = [(files, {file["header"]: headers[file["header"]] for file in files}) for files in by_series.values()]
    found.series = _settle_all(work, names_of(found.table), workers)
    for series in found.series:
        found.diagnostics.update(series.document["diagnostics"])
        for file in series.files:
            found.outcomes[file["outcome"]] += 1
    found.outcomes["rejected"] = len(found.rejected)
    return found


def _walk(path: Path) -> Walk:
    path = path.resolve()
    return Walk(str(path), "") if path.is_dir() else Walk(str(path.parent), path.name)


def _read_all(root: str, texts: Sequence[str], workers: int, site: tuple[Field, ...]) -> Iterator[Said]:
    paths = [os.path.join(root, from_text(text)) for text in texts]  # noqa: PTH118
    for answer in in_processes(partial(read_file, cohort=COHORT, subject_key=NO_KEY, site=site), paths, CHUNK, workers):
        yield said(blamed(answer, LIMIT_S, (0, 0)), COHORT, NO_KEY) if isinstance(answer, WorkerLost) else answer


def _rejected(text: str, now: Said) -> Document:
    vanished = {"reason": "vanished", "detail": ""}
    return {"path": text, "outcome": "rejected", **{name: now.content.get(name, word) for name, word in vanished.items()}}


def _settle_all(work: Sequence[Work], names: Names, workers: int) -> list[Series]:
    """Series by series, in processes where there are many files."""
    if sum(len(files) for files, _ in work) <= 2 * CHUNK:
        settled: list[Settled | WorkerLost] = [_settle(one, names) for one in work]
    else:
        settled = in_processes(partial(_settle, names=names), work, 1, workers)
    made = []
    for (files, blocks), answer in zip(work, settled, strict=True):
        name = files[0]["series"]
        if isinstance(answer, WorkerLost):
            raise GyrusError(f"Series {name.split('/', 1)[1]} could not be settled: {answer}. Try its files alone.")
        for file in files:
            file.update(answer.outcomes[file["_id"]])
        winners = [file for file in files if file["outcome"] == "extracted"]
        stacks = [_stack(key, document, answer.series, winners) for key, document in answer.stacks.items()]
        made.append(Series(name, answer.series, stacks, files, blocks))
    return made


def _settle(work: Work, names: Names) -> Settled:
    """Outcomes, stacks and fields of one series; the pixels of copies are compared."""
    files, headers = work
    _compare_pixels(files, copies(files))
    settled = settle(files, headers, names)
    if settled.compare:
        _compare_pixels(files, settled.compare)
        settled = settle(files, headers, names)
    return settled


def _compare_pixels(files: Iterable[Document], ids: Collection[str]) -> None:
    wanted = set(ids)
    for file in files:
        if file["_id"] in wanted:
            file["compared"] = pixel_digest(file["path"], (file["size"], file["mtime_ns"]), place_of(file["image"]))[1]


def _stack(key: str, made: Document, series: Mapping[str, Any], winners: Sequence[Document]) -> Stack:
    files = sorted((f for f in winners if any(share["key"] == key for share in f["stacks"])), key=lambda f: f["_id"])
    name = files[0]["series"]
    return Stack(
        id=f"{name}/{digest(key, 8)}",
        study=series["study"],
        number=series["series_fields"].get("series_number"),
        document={**made, "series_instance_uid": name.split("/", 1)[1]},
        files=files,
    )


def classify(stacks: Iterable[Stack], ruleset: Ruleset) -> list[Stack]:
    """The same stacks with their labels, each study classified together."""
    studies: dict[str, list[Stack]] = defaultdict(list)
    for stack in stacks:
        studies[stack.study].append(stack)
    labelled: list[Stack] = []
    for together in studies.values():
        verdicts = classify_study({stack.id: stack.document["fingerprint"] for stack in together}, ruleset)
        labelled += [replace(stack, label=verdicts[stack.id].document()) for stack in together]
    return labelled


def explained(stacks: Iterable[Stack], ruleset: Ruleset) -> list[Stack]:
    """The same stacks, each with the reasons for its label."""
    studies: dict[str, dict[str, Stack]] = defaultdict(dict)
    for stack in stacks:
        studies[stack.study][stack.id] = stack
    told: list[Stack] = []
    for together in studies.values():
        reasons = explain({id_: stack.document["fingerprint"] for id_, stack in together.items()}, ruleset)
        told += [replace(stack, explanation=reasons[id_]) for id_, stack in together.items()]
    return told


def explain_fingerprint(fingerprint: Mapping[str, Any], ruleset: Ruleset) -> Document:
    """The reasons for the label of a fingerprint that has no siblings, axis by axis."""
    return explain({"": fingerprint}, ruleset)[""]


def classify_fingerprint(fingerprint: Mapping[str, Any], ruleset: Ruleset) -> Document:
    """The label of a fingerprint that has no siblings: the shared keys of a label."""
    label = classify_study({"": fingerprint}, ruleset)[""].document()
    record = record_of(stack_record(label, label))
    return {key: record[key] for key in record if key in label}
