"""The same cores without servers: a file or folder becomes stacks with labels, as the services would make them."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from gyrus.classifier.core import Ruleset, classify_study
from gyrus.console.records import record_of
from gyrus.dicom.pixel_digest import pixel_digest
from gyrus.dicom.reader import Header, Rejected, read
from gyrus.extractor.files import said
from gyrus.extractor.settle import settle
from gyrus.shared.documents import stack_record
from gyrus.shared.errors import GyrusError
from gyrus.shared.ids import digest, file_id
from gyrus.shared.paths import from_text
from gyrus.watcher.walk import Walk

Document = dict[str, Any]
Given = TypeVar("Given")
Made = TypeVar("Made")

COHORT = "offline"
NO_KEY = b"no subject is named offline"
CHUNK = 64  # files that a process reads at once; fewer than two such chunks are read here
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

    @property
    def record(self) -> Document:
        """What people get, with exactly the shared keys."""
        return record_of(stack_record(self.document, self.label))

    @property
    def row(self) -> Document:
        """The record and what a table shows beside it."""
        description = self.document["fingerprint"].get("series_description")
        return {**self.record, "id": self.id, "study": self.study, "series_number": self.number, "series_description": description}


@dataclass
class Found:
    """What came of a file or folder. `rejected`: {path, outcome, reason, detail}; `skipped` counts what is no regular file."""

    stacks: list[Stack] = field(default_factory=list)
    rejected: list[Document] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOW_MANY, 0))
    skipped: dict[str, int] = field(default_factory=dict)


def extract(path: Path, workers: int) -> Found:
    """Read everything at or below a path, and settle each series."""
    found = Found()
    by_series: dict[str, list[Document]] = defaultdict(list)
    headers: dict[str, Mapping[str, Any]] = {}
    walk = _walk(path)
    seen = [one.path for one in walk]
    found.skipped = dict(walk.skipped)
    for text, answer in zip(seen, _read_all(walk.root, seen, workers), strict=True):
        now = said(answer, COHORT, NO_KEY)
        if now.header is None or now.series is None:
            found.rejected.append(_rejected(text, answer))
            continue
        place = os.path.join(walk.root, from_text(text))  # noqa: PTH118 - any bytes
        by_series[now.series].append({"_id": file_id(COHORT, "", text), "path": place, **now.content})
        headers[now.header["_id"]] = now.header["fields"]
    work = [(files, {file["header"]: headers[file["header"]] for file in files}) for files in by_series.values()]
    for stacks, outcomes in in_processes(_settle, work, workers if len(seen) > 2 * CHUNK else 1):
        found.stacks += stacks
        for outcome in outcomes:
            found.outcomes[outcome] += 1
    found.outcomes["rejected"] = len(found.rejected)
    found.stacks.sort(key=lambda s: (s.study, s.number is None, s.number or 0, s.id))
    return found


def _walk(path: Path) -> Walk:
    path = path.resolve()
    return Walk(str(path), "") if path.is_dir() else Walk(str(path.parent), path.name)


def _read_all(root: str, texts: Sequence[str], workers: int) -> Iterator[Header | Rejected]:
    paths = [os.path.join(root, from_text(text)) for text in texts]  # noqa: PTH118
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    for answers in in_processes(_read_chunk, chunks, workers if len(chunks) > 1 else 1):
        yield from answers


def _read_chunk(paths: Sequence[str]) -> list[Header | Rejected]:
    return [read(path) for path in paths]


def _rejected(text: str, answer: Header | Rejected) -> Document:
    assert isinstance(answer, Rejected)
    return {"path": text, "outcome": "rejected", "reason": answer.reason, "detail": answer.detail}


def _settle(work: tuple[list[Document], Mapping[str, Mapping[str, Any]]]) -> tuple[list[Stack], list[str]]:
    """The stacks of one series, and the outcome of each of its files."""
    files, headers = work
    settled = settle(files, headers)
    if settled.compare:
        for file in files:
            if file["_id"] in settled.compare:
                file["compared"] = pixel_digest(file["path"], (file["size"], file["mtime_ns"]))[1]
        settled = settle(files, headers)
    winners = [file for file in files if settled.outcomes[file["_id"]]["outcome"] == "extracted"]
    stacks = [_stack(key, made, settled.series, winners) for key, made in settled.stacks.items()]
    return stacks, [outcome["outcome"] for outcome in settled.outcomes.values()]


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
        labelled += [Stack(**{**vars(stack), "label": verdicts[stack.id].document()}) for stack in together]
    return labelled


def classify_fingerprint(fingerprint: Mapping[str, Any], ruleset: Ruleset) -> Document:
    """The label of a fingerprint that has no siblings: the shared keys of a label."""
    label = classify_study({"": fingerprint}, ruleset)[""].document()
    record = record_of(stack_record({}, label))
    return {key: record[key] for key in record if key in label}


def in_processes(work: Callable[[Given], Made], given: Sequence[Given], workers: int) -> Iterator[Made]:
    """`work` on each, in order; in processes of their own where there are several. Raises GyrusError where one of them died."""
    if workers < 2 or len(given) < 2:
        yield from map(work, given)
        return
    with ProcessPoolExecutor(min(workers, len(given)), get_context("forkserver")) as pool:
        try:
            yield from pool.map(work, given)
        except BrokenProcessPool:
            raise GyrusError("A worker process died (killed, or out of memory). Try again with --workers 1.") from None
