"""Files and places that mean harm, or just went away."""

import json
import os
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.system import System, eventually
from gyrus.console.servers import Mongo
from gyrus.gateway.models import JobRequest
from gyrus.shared import debts


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
