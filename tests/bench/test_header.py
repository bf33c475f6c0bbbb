"""From header to documents, against pydicom that reads and converts the same values. Printed, never asserted.

Which files: classic MR and CT images in explicit little endian that are not left to pydicom, each once, in the order of their paths and in
runs of up to 64 files of a series, as batches are. Every round begins with everything forgotten that gyrus learned from files; the page
cache is warm. The two sides take turns run by run, in one process; CPU counts.
"""

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bench import plain
from bench.harness import median, print_table
from gyrus.dicom import elements, parse
from gyrus.dicom.reader import Header, read
from gyrus.dicom.silence import silence
from gyrus.extractor.files import said

ROUNDS, BATCH = 5, 64
KEY = b"a secret for tests only"
EXPLICIT, MR, CT = "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"
CACHES = (parse.moulds_of, elements._converted)
pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

Headers = list[tuple[Path, Header]]
Runs = list[tuple[str, list[Path]]]  # maker, files of one series


@pytest.fixture(scope="module")
def headers(files: Path) -> Headers:
    """What the files in explicit little endian say."""
    found = []
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        header = read(path)
        if isinstance(header, Header) and header.shared.get("transfer_syntax_uid") == EXPLICIT:
            found.append((path, header))
    return found


def maker_of(header: Header) -> str:
    return str(header.shared.get("manufacturer") or "?").upper().split()[0]


def runs_in(headers: Headers) -> Runs:
    """The first files of each series, without those that come twice."""
    series: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for path, header in headers:
        if header.shared.get("sop_class_uid") in (MR, CT) and not header.unusual:
            series[maker_of(header), header.series_instance_uid].setdefault(header.sop_instance_uid, path)
    return [(maker, list(paths.values())[:BATCH]) for (maker, _), paths in series.items()]


def to_documents(paths: Iterable[Path]) -> None:
    """What the extractor does with a file before it is written."""
    for path in paths:
        said(read(path), "bench", KEY)


def by_pydicom(paths: Iterable[Path]) -> None:
    """The same values, until one cannot be converted. Its warnings are switched off: writing them down would take time."""
    with silence():
        for path in paths:
            with contextlib.suppress(ValueError, TypeError, OverflowError):
                plain.read(path)


def cpu_s(step: Callable[[Any], None], paths: list[Path]) -> float:
    started = time.process_time()
    step(paths)
    return time.process_time() - started


def took(runs: Runs) -> dict[str, tuple[float, float]]:
    """Of one round: CPU in s of both sides, by maker and of all."""
    for cache in CACHES:
        cache.cache_clear()
    sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for number, (maker, paths) in enumerate(runs):
        steps = [to_documents, by_pydicom]
        order = steps if number % 2 else steps[::-1]
        by_step = {step: cpu_s(step, paths) for step in order}
        for name in (maker, "all"):
            ours, theirs = sums[name]
            sums[name] = ours + by_step[to_documents], theirs + by_step[by_pydicom]
    return sums


def test_from_header_to_documents_against_pydicom(headers: Headers) -> None:
    runs = runs_in(headers)
    counts: Counter[str] = Counter()
    for maker, paths in runs:
        counts.update({maker: len(paths), "all": len(paths)})
    rounds = [took(runs) for _ in range(ROUNDS)]
    rows = []
    for name, count in counts.most_common():
        ours, theirs = (median(1e6 * one[name][side] / count for one in rounds) for side in (0, 1))
        series = sum(name in (maker, "all") for maker, _ in runs)
        rows.append([name, count, series, f"{ours:.0f}", f"{theirs:.0f}", f"{median(one[name][1] / one[name][0] for one in rounds):.1f}"])
    head = ["maker", "files", "series", "gyrus, µs/file", "pydicom, µs/file", "ratio"]
    print_table(f"Header to documents, classic MR and CT, medians of {ROUNDS} rounds", head, rows)


def test_how_many_classic_mr_files_are_left_to_pydicom(headers: Headers) -> None:
    causes = Counter(header.unusual for _, header in headers if header.shared.get("sop_class_uid") == MR)

    total = causes.total()
    rows = [[cause or "walked", count, f"{100 * count / total:.2f} %"] for cause, count in causes.most_common()]
    print_table(f"{total:,} classic MR files in explicit little endian", ["cause", "files", "of all"], rows)
