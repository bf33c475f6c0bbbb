"""A scan over very many receipts: time and memory of the watcher. Printed, never asserted.

Empty files stand for images that were read before: the watcher opens none of them, it compares size and mtime with the receipts.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bench.files import write_visits
from bench.harness import cpu_s, is_scanned, opened, peak_mb, print_table, start_job, time_to_settle, until
from flow.system import System
from gyrus.console.servers import Mongo
from gyrus.dicom.reader import Header, read
from gyrus.extractor.files import replaced, said
from gyrus.shared import intake

RECEIPTS = int(os.environ.get("GYRUS_BENCH_RECEIPTS", "100000"))
FOLDER_FILES, CHUNK = 500, 2000
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def touch_all(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Empty files, 500 in a folder; path and state of each."""
    for number in range(RECEIPTS):
        path = f"{number // FOLDER_FILES // 100:03}/{number // FOLDER_FILES % 100:03}/{number % FOLDER_FILES:04}.dcm"
        if number % FOLDER_FILES == 0:
            (root / path).parent.mkdir(parents=True)
        (root / path).touch()
        yield path, (root / path).stat()


def receipts(root: Path, header: Header) -> Iterator[dict[str, Any]]:
    """The documents that the extractor would have written, had each file held this image under an instance and series of its own."""
    answer = said(header, "bench", b"a secret for tests only")
    for number, (path, stat) in enumerate(touch_all(root)):
        found = intake.found("bench", "many", path, 0, stat.st_mtime_ns)
        identity = {"_id": found["id"], "cohort": "bench", "source": "many", "path": path}
        document, _ = replaced(None, answer, identity, "an earlier job")
        del document["unsettled"]
        own = {"series": f"bench/{number // FOLDER_FILES}", "sop_instance_uid": f"{header.sop_instance_uid}.{number}"}
        yield document | own | {"size": 0, "mtime_ns": stat.st_mtime_ns, "outcome": "extracted"}


async def store_receipts(system: System, root: Path, few: Path) -> None:
    example = read(next(path for path in sorted(few.rglob("*")) if path.is_file()))
    assert isinstance(example, Header)
    documents = receipts(root, example)
    while chunk := await asyncio.to_thread(lambda: list(islice(documents, CHUNK))):
        await system.store.insert_new("files", chunk)


async def test_a_scan_over_many_receipts(tmp_path: Path, mongo: Mongo, few: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    system = await opened(tmp_path / "system", mongo, {"few": few, "many": root, "new": write_visits(tmp_path / "new", 1000)})
    try:
        await store_receipts(system, root, few)
        watcher = system.start("watcher").process.pid
        system.start("extractor")
        await time_to_settle(system, "few")
        before_mb, before_s, started = peak_mb(watcher), cpu_s([watcher]), time.monotonic()
        job = await start_job(system, "many")
        seconds = await until(lambda: is_scanned(system.store, job), "the folder is scanned") - started
        spent_s, after_mb = cpu_s([watcher]) - before_s, peak_mb(watcher)
        document = await system.store["jobs"].find_one({"_id": job})
        assert document and document["unchanged"] == RECEIPTS
        read_s = await time_to_settle(system, "new")
    finally:
        await system.close()
    first_us, again_us = 1e6 * read_s / 1000, 1e6 * seconds / RECEIPTS
    row = [f"{seconds:.1f}", f"{RECEIPTS / seconds:,.0f}", f"{1000 * spent_s / RECEIPTS:.3f}", f"{before_mb:.0f}", f"{after_mb:.0f}"]
    head = [
        "scan, s",
        "files/s",
        "CPU of the watcher, ms/file",
        "its peak memory before, MB",
        "after, MB",
        "reading a new file, of looking at a known one",
    ]
    print_table(f"A folder of {RECEIPTS:,} files, all with a receipt", head, [[*row, f"{first_us / again_us:.0f}"]])
