"""How fast files become settled stacks, labels and volumes. Printed, never asserted: speed is shown as medians, not promised by a test."""

import statistics
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from flow import cohort
from flow.conftest import mongo
from flow.system import System, eventually
from gyrus.console.servers import Mongo

__all__ = ["mongo"]
SERIES, SLICES, ROUNDS = 40, 50, 3
pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """2,000 classic MR files of 32 × 32 pixels in 40 series of 4 studies."""
    folder = tmp_path_factory.mktemp("files")
    for series in range(SERIES):
        for number in range(SLICES):
            image = cohort.image(f"series {series}", number, study=str(series % 4), patient=f"P{series % 4}", SeriesNumber=series)
            cohort.write(folder / f"{series:03}/{number:03}.dcm", image)
    yield folder


@pytest.fixture
async def system(tmp_path: Path, mongo: Mongo) -> AsyncIterator[System]:
    made = await System(tmp_path, mongo, GYRUS_QUIET_S="5", GYRUS_ACK_WAIT_S="30").open()
    yield made
    await made.close()


async def frozen(system: System, job: str) -> None:
    """The job has its totals: its files are read, its series settled."""

    async def has_totals() -> bool:
        return not await system.store["jobs"].find_one({"_id": job, "open": True})

    await eventually(has_totals, "the job is frozen", 600)


async def test_from_a_job_to_settled_labelled_and_preprocessed(system: System, files: Path) -> None:
    system.inbox.rmdir()
    system.inbox.symlink_to(files)
    system.start_all()
    await system.ingest(cohort="warm", path="000")
    await system.at_rest()
    rows: list[tuple[float, float, float]] = []
    for turn in range(ROUNDS):
        started = time.monotonic()
        job = await system.ingest(cohort=f"round-{turn}", batch_files=64)
        await frozen(system, job)
        settled_s = time.monotonic() - started
        await system.at_rest(patience_s=600)
        rest_s = time.monotonic() - started
        again = await system.ingest(cohort=f"round-{turn}")
        started = time.monotonic()
        await frozen(system, again)
        rows.append((settled_s, rest_s, time.monotonic() - started))
    count = SERIES * SLICES
    settled_s, rest_s, again_s = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"\n{count} files, medians of {ROUNDS}: settled in {settled_s:.1f} s ({count / settled_s:.0f} files/s)")
    print(f"volumes of {SERIES} stacks after {rest_s:.1f} s; the same folder again: {again_s:.1f} s")
