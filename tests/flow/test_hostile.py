"""Files and places that mean harm, or just went away."""

import asyncio
import json
import os
import shutil
import signal
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dicom.conftest import RealDicom, real_dicom
from flow import cohort, harm
from flow.system import System, eventually
from gyrus.console.servers import Mongo
from gyrus.gateway.models import JobRequest
from gyrus.shared import debts
from gyrus.shared.paths import from_text

__all__ = ["real_dicom"]


@pytest.fixture
async def two(tmp_path: Path, mongo: Mongo) -> AsyncIterator[System]:
    """A system with a second source, `lost`."""
    (tmp_path / "lost").mkdir()
    sources = {"inbox": str(tmp_path / "inbox"), "lost": str(tmp_path / "lost")}
    made = await System(tmp_path, mongo, GYRUS_SOURCES=json.dumps(sources), GYRUS_AWAY_S="0.5").open()
    yield made
    await made.close()


@pytest.mark.parametrize("uid", ["../../../../escaped", "/escaped", "..", "1.2/../../../x"])
async def test_a_header_does_not_choose_where_files_are_written(system: System, uid: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom tells that this is no UID; that is the point
        for number in range(cohort.SLICES):
            image = cohort.image("t1_mprage", number)
            image.StudyInstanceUID = uid
            cohort.write(system.inbox / f"{number}.dcm", image)
    before = {path for path in system.folder.rglob("*.pt") if not path.is_relative_to(system.processed)}
    system.start_all()
    await system.ingest()
    await system.at_rest()

    [stack] = await system.store["stacks"].find().to_list(None)
    outputs = [(system.processed / name).resolve() for name in stack["volume"]["outputs"]]
    assert outputs
    assert all(path.is_relative_to(system.processed / "c") and path.exists() for path in outputs)
    assert {path for path in system.folder.rglob("*.pt") if not path.is_relative_to(system.processed)} == before


async def test_a_lost_source_says_so_waits_and_keeps_nobody_from_their_turn(two: System) -> None:
    for number in range(cohort.SLICES):
        cohort.write(two.folder / f"lost/{number}.dcm", cohort.image("lost_t1", number))
        cohort.write(two.inbox / f"{number}.dcm", cohort.image("t1_mprage", number))
    watcher = two.start("watcher")
    await two.steering.start_jobs(JobRequest(cohort="lost", source="lost", batch_files=1))

    async def announced() -> bool:
        return await two.store["batches"].count_documents({}) == cohort.SLICES

    await eventually(announced, "the files of the lost source are announced")
    (two.folder / "lost").rename(two.folder / "elsewhere")
    for name in ("extractor", "classifier", "preprocessor"):
        two.start(name)
    await two.ingest()

    async def there() -> Any:
        return await two.store["stacks"].find_one({"cohort": "c", "volume": {"$exists": True}})

    await eventually(there, "the other source is not kept waiting")
    waiting = await two.store["batches"].find(debts.is_owed("read")).to_list(None)
    assert len(waiting) == cohort.SLICES
    assert all(batch["owed"]["read"]["tries"] == 0 for batch in waiting)
    assert any("source 'lost' is not mounted" in batch["owed"]["read"].get("waiting", "") for batch in waiting)

    (two.folder / "elsewhere").rename(two.folder / "lost")
    await two.at_rest()

    assert await two.store["stacks"].count_documents({"volume.refused": None}) == 2
    assert await two.failures() == []
    assert watcher.process.poll() is None


async def test_a_pipe_in_the_place_of_a_file_does_not_hold_up_settling(system: System) -> None:
    cohort.write(system.inbox / "one/a.dcm", cohort.image("t1_mprage", 0))
    cohort.write(system.inbox / "two/b.dcm", cohort.image("t1_mprage", 0), 5)
    cohort.write(system.inbox / "three/c.dcm", cohort.image("other", 0))
    system.start("watcher")
    system.start("extractor")
    await system.ingest("one")

    async def settled(path: str) -> bool:
        file = await system.store["files"].find_one({"path": path}) or {}
        return file.get("outcome") is not None and "unsettled" not in file

    await eventually(lambda: settled("one/a.dcm"), "the first file is settled")
    (system.inbox / "one/a.dcm").unlink()
    os.mkfifo(system.inbox / "one/a.dcm")
    await system.ingest("two")
    await system.ingest("three")

    await eventually(lambda: settled("three/c.dcm"), "another series is settled")


# ── one batch of everything ──────────────────────────────────────────────────────────────────────────────────────────

MEMORY_MB = 192
OBEYS = {"read.file": "obey"}
HOSTILE = {
    "killer.dies": ("internal_error", "The reader died of this file."),
    "stuck.hangs": ("internal_error", "Reading took longer than 5 s."),
    "slow.dcm": ("internal_error", "Reading took longer than 5 s."),
    "large.dcm": ("too_large", "Reading it takes more memory than a reader may have."),
    "zeros.dcm": ("not_dicom", ""),
    "nested.dcm": ("corrupt_header", "RecursionError"),
}
ODD_NAMES = (b"two\nlines.dcm", b"caf\xe9.dcm", b"100%41.dcm", b"$where.dcm", b"-rf", b" ")


def write_hostile(folder: Path) -> None:
    for name in ("killer.dies", "stuck.hangs"):
        cohort.write(folder / name, cohort.image(name, 0))
    harm.slow_to_read(folder / "slow.dcm")
    harm.large_in_memory(folder / "large.dcm")
    harm.nothing_but_zeros(folder / "zeros.dcm")
    harm.deeply_nested(folder / "nested.dcm")


def write_healthy(folder: Path) -> set[bytes]:
    for number, name in enumerate(ODD_NAMES):
        cohort.write(Path(os.fsdecode(os.fsencode(folder) + b"/" + name)), cohort.image("odd names", number))
    for number in range(cohort.SLICES):
        cohort.write(folder / f"t1/{number}.dcm", cohort.image("t1_mprage", number))
    return {*ODD_NAMES, *(f"t1/{number}.dcm".encode() for number in range(cohort.SLICES))}


@pytest.mark.timeout(300)
async def test_hostile_files_are_rejected_with_their_reason_and_the_rest_of_their_batch_goes_on(
    system: System, real_dicom: RealDicom
) -> None:
    shutil.copytree(real_dicom("synthetic_broken"), system.inbox / "broken")
    write_hostile(system.inbox)
    healthy = write_healthy(system.inbox)
    system.environment |= {"GYRUS_READ_LIMIT_S": "5", "GYRUS_READ_MEMORY_MB": str(MEMORY_MB)}
    system.start_all(but="extractor")
    extractor = system.start("extractor", crash=OBEYS)
    peaks = harm.Peaks(extractor)
    watch = asyncio.create_task(peaks.watch())
    await system.ingest(batch_files=1000)
    await system.at_rest(patience_s=240)
    watch.cancel()

    files = {os.fsencode(from_text(file["path"])): file async for file in system.store["files"].find()}
    rejected = {name: (files[name.encode()].get("reason"), files[name.encode()].get("detail")) for name in HOSTILE}
    assert rejected == HOSTILE
    assert {name for name in healthy if files[name]["outcome"] != "extracted"} == set()
    [job] = await system.store["jobs"].find().to_list(None)
    totals = job["totals"]
    assert (totals["unaccounted"], totals["unsettled"]) == (0, 0)
    assert totals["seen"] == len(files) == sum(totals[name] for name in ("extracted", "duplicate", "conflicting", "rejected"))
    assert await system.failures() == []
    assert extractor.process.poll() is None
    assert len(peaks.mb) > 4  # the service, its fork server, and more workers than there are at once
    assert max(peaks.mb.values()) < 128 + MEMORY_MB, peaks.mb


async def test_a_healthy_file_is_not_rejected_because_its_reader_was_killed_from_outside(system: System) -> None:
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"{number}.dcm", cohort.image("t1_mprage", number))
    system.start_all(but="extractor")
    stall = system.stall("read.file")
    extractor = system.start("extractor", crash=stall.crash, GYRUS_READ_WORKERS="1")
    await system.ingest(batch_files=10)
    for _ in range(2):
        await stall.reached()
        stall.flag.with_suffix(".reached").unlink()
        [worker] = harm.workers_of(extractor)
        os.kill(worker, signal.SIGKILL)
    await stall.reached()
    stall.go()
    await system.at_rest()

    assert [file["outcome"] async for file in system.store["files"].find()] == ["extracted"] * cohort.SLICES
    assert await system.failures() == []
