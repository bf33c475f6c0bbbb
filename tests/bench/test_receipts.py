"""Very many receipts: what a scan over them takes of the watcher, and what new files cost beside them. Printed, never asserted.

In the scan empty files stand for images that were read before: the watcher opens none, it compares size and mtime with the receipts.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bench.designs import OTHERS, begin, timed
from bench.files import write_visits
from bench.harness import cpu_s, is_scanned, median, opened, peak_mb, print_table, print_versions, spread, start_job, time_to_settle, until
from bench.stored import a_visit, store_copies
from bench.test_ingest import ROUNDS
from flow.system import System
from gyrus.console.servers import Mongo
from gyrus.dicom.reader import Header, read
from gyrus.extractor.files import replaced, said
from gyrus.shared import intake

RECEIPTS = int(os.environ.get("GYRUS_BENCH_RECEIPTS", "100000"))
STORED = [*(count for count in (10_000, 100_000) if count < RECEIPTS), RECEIPTS]
NEW = int(os.environ.get("GYRUS_BENCH_NEW", "1000"))
FOLDER_FILES, CHUNK = 500, 2000
Cost = tuple[float, dict[str, float]]  # wall time in s, CPU in s by process
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


# ── new files beside many ────────────────────────────────────────────────────────────────────────────────────────────


def write_news(root: Path) -> Path:
    """For each round new files, and a few others before them; visits of their own."""
    for turn in range(ROUNDS):
        write_visits(root / f"new-{turn}", NEW, 1 + 100 * turn)
        write_visits(root / f"few-{turn}", 100, 9001 + 100 * turn)
    return root


async def cost_of_new(system: System, turn: int) -> Cost:
    """What the new files of a round take; services start before and end afterwards."""
    leaders = begin(system)
    await time_to_settle(system, "news", OTHERS, f"few-{turn}")
    await system.store["files"].database.client.admin.command("fsync")  # what storing the others left to be written is none of theirs
    took = await timed(system, leaders, "news", f"new-{turn}")
    assert await system.store["files"].count_documents({"source": "news", "cohort": "bench", "outcome": "extracted"}) == (turn + 1) * NEW
    for room in system.rooms[-2:]:
        room.stop()
    return took


def print_costs(costs: dict[int, list[Cost]]) -> None:
    least = next(iter(costs.values()))
    processes = [name for name in least[0][1] if all(name in cpu for took in costs.values() for _, cpu in took)]
    rows = []
    for stored, took in costs.items():
        times = [seconds / base for (seconds, _), (base, _) in zip(took, least, strict=True)]
        cpus = [sum(cpu.values()) / sum(base.values()) for (_, cpu), (_, base) in zip(took, least, strict=True)]
        own = [f"{median(1000 * cpu.get(name, 0) / NEW for _, cpu in took):.2f}" for name in processes]
        rows.append([f"{stored:,}", spread([NEW / seconds for seconds, _ in took], 0), spread(times, 2), *own, spread(cpus, 2)])
    head = ["receipts before", "files/s", "time, least = 1", *(f"{name}, ms/file" for name in processes), "CPU of all, least = 1"]
    print_table(f"{NEW:,} new files beside receipts that are stored, medians of {ROUNDS} rounds", head, rows)


async def test_what_new_files_cost_beside_many_receipts(tmp_path: Path, mongo: Mongo) -> None:
    visit = await a_visit(tmp_path / "visit", mongo)
    sources = {"news": write_news(tmp_path / "news"), "stored": tmp_path / "visit"}
    systems = {stored: await opened(tmp_path / str(stored), mongo, sources) for stored in STORED}
    costs: dict[int, list[Cost]] = {stored: [] for stored in STORED}
    try:
        for stored, system in systems.items():
            await store_copies(system.store, visit, stored)
        for turn in range(ROUNDS):
            for stored, system in list(systems.items())[:: -1 if turn % 2 else 1]:
                costs[stored].append(await cost_of_new(system, turn))
    finally:
        for system in systems.values():
            await system.close()
    print_versions(mongo)
    print_costs(costs)
