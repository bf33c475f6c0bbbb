"""Where the time of reading goes: each step of the extractor by itself, in one process, on the same files. Printed, never asserted."""

import io
import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import bson
import pytest

from bench import naive
from bench.harness import median, print_table
from gyrus.dicom import elements, parse
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.reader import Header, Rejected, read
from gyrus.extractor.files import Said, replaced, said
from gyrus.extractor.settle import settle
from gyrus.shared import intake

FILES, ROUNDS = 1000, 5
READING = "reading a file"
PYDICOM, NAIVE = "the same header by pydicom, for comparison", "the naive program reads the file, for comparison"
KEY = b"a secret for tests only"
pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
Document = dict[str, Any]


def read_anew(paths: Iterable[Path]) -> None:
    """Headers, by a process that has learned nothing yet."""
    parse.moulds_of.cache_clear()
    elements._converted.cache_clear()
    for path in paths:
        read(path)


def read_by_pydicom_alone(path: Path) -> None:
    """The same header, had there been no walk."""
    with path.open("rb", buffering=0) as file:
        assert isinstance(file, io.FileIO)
        read_by_pydicom(file, path.stat().st_size, STANDARD)


def read_naively(path: Path) -> None:
    """The naive program's reading; what it cannot read it refuses."""
    try:
        naive.read(path)
    except Exception:
        return


def there_and_back(answers: Sequence[Header | Rejected]) -> None:
    """How a worker's answers reach the service."""
    for answer in answers:
        pickle.loads(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))


def documents_of(answers: Iterable[Said], paths: Iterable[Path]) -> list[Document]:
    """Documents of new files."""
    documents = []
    for answer, path in zip(answers, paths, strict=True):
        id_ = intake.found("bench", "files", str(path), None, None)["id"]
        documents.append(replaced(None, answer, {"_id": id_, "cohort": "bench", "source": "files", "path": str(path)}, "job")[0])
    return documents


def settle_all(files: Iterable[Document], headers: dict[str, Document]) -> None:
    """Every series once, when all its files are there."""
    series = defaultdict(list)
    for file in files:
        if "series" in file:
            series[file["series"]].append(file)
    for group in series.values():
        settle(group, {file["header"]: headers[file["header"]] for file in group})


def steps_of(paths: Sequence[Path]) -> dict[str, Callable[[], object]]:
    """What the extractor does with new files, step by step; each can be timed again and again."""
    answers = [read(path) for path in paths]
    news = [said(answer, "bench", KEY) for answer in answers]
    documents = documents_of(news, paths)
    headers = {answer.header["_id"]: answer.header for answer in news if answer.header}
    fields = {id_: header["fields"] for id_, header in headers.items()}
    return {
        READING: lambda: read_anew(paths),
        "answers from worker to service (pickle)": lambda: there_and_back(answers),
        "documents and their digests": lambda: documents_of([said(answer, "bench", KEY) for answer in answers], paths),
        "BSON of the documents": lambda: [bson.encode(document) for document in (*documents, *headers.values())],
        "settling, without the database": lambda: settle_all(documents, fields),
        PYDICOM: lambda: [read_by_pydicom_alone(path) for path in paths],
        NAIVE: lambda: [read_naively(path) for path in paths],
    }


def test_where_the_time_of_reading_goes(files: Path) -> None:
    paths = [path for path in sorted(files.rglob("*")) if path.is_file()][:FILES]
    steps = steps_of(paths)
    took_ms: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.process_time()
            step()
            took_ms[name].append(1000 * (time.process_time() - started) / len(paths))
    medians = {name: median(values) for name, values in took_ms.items()}
    others = {name: medians.pop(name) for name in (PYDICOM, NAIVE)}
    total = sum(medians.values())
    rows = [[name, f"{value:.2f}", f"{100 * value / total:.0f} %"] for name, value in medians.items()]
    rows += [[name, f"{value:.2f}", f"{value / medians[READING]:.1f} × reading"] for name, value in others.items()]
    title = f"Reading {len(paths):,} files step by step, one process, medians of {ROUNDS}"
    print_table(title, ["step", "CPU, ms/file", "of all"], rows)
