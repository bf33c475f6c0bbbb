"""Servers that go away and come back, with and without their data: the end is that of an undisturbed run."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.conftest import mongod
from flow.dump import differences
from flow.system import SWEEPS, System, eventually
from gyrus.console.servers import Mongo
from gyrus.gateway import status
from gyrus.shared.topology import STAGES


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[Mongo]:
    """A mongod that this test may stop."""
    with mongod(tmp_path / "own") as server:
        yield server


@pytest.fixture
async def own(tmp_path: Path, own_mongo: Mongo) -> AsyncIterator[System]:
    made = await System(tmp_path, own_mongo).open()
    yield made
    await made.close()


async def tries(system: System) -> list[Any]:
    """Documents on which a raised error was counted."""
    found = []
    for stage in STAGES.values():
        query = {f"owed.{stage.name}.tries": {"$gt": 0}}
        found += [document async for document in system.store[stage.collection].find(query)]
    return found


async def some_are_read(system: System) -> None:
    async def some() -> Any:
        return await system.store["files"].find_one({})

    await eventually(some, "the first file is read")


async def first_half(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await some_are_read(system)


async def second_half(system: System) -> None:
    await system.at_rest(patience_s=120)
    cohort.second(system.inbox)
    await system.ingest()
    await system.at_rest()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("away_s", [20, pytest.param(120, marks=pytest.mark.soak)])
async def test_mongod_and_then_nats_may_be_away_during_an_ingest(own: System, undisturbed: dict[str, Any], away_s: int) -> None:
    await first_half(own)
    own.mongo.stop()
    await asyncio.sleep(away_s)
    own.mongo.start()
    own.nats.stop()
    await asyncio.sleep(away_s)
    own.nats.start()
    await second_half(own)

    assert differences(await own.dump(), undisturbed) == []
    assert await own.failures() == []
    assert await tries(own) == []


@pytest.mark.timeout(300)
async def test_a_full_stream_killed_with_its_store_loses_nothing(system: System, undisturbed: dict[str, Any]) -> None:
    system.environment |= {"GYRUS_FILES_MAX_MESSAGES": "20", **SWEEPS}
    cohort.first(system.inbox)
    rooms = [system.start("watcher")]
    jobs = [await system.ingest(batch_files=1) for _ in range(6)]

    async def full() -> bool:
        pending = await system.bus.pending(STAGES["read"])
        return pending >= 20 and await system.store["batches"].count_documents({}) >= pending + 5

    await eventually(full, "20 messages wait in FILES and 5 batches beyond them")

    async def told() -> bool:
        return any("room in the stream FILES" in text for text in (await status.owing(system.store, None))[1])

    await eventually(told, "status says what the scans wait for")
    system.lose_nats()
    system.nats.start()
    rooms += [system.start(name) for name in ("extractor", "classifier", "preprocessor")]
    await system.at_rest(patience_s=120)
    cohort.second(system.inbox)
    await system.ingest()
    await system.at_rest()

    result = await system.dump()
    seen = [job["totals"]["seen"] for job in result["jobs"][: len(jobs)]]
    assert set(seen) == {undisturbed["jobs"][0]["totals"]["seen"]}
    for whole in (result, undisturbed := dict(undisturbed)):
        whole["jobs"] = []  # six jobs here, one there
        whole["files"] = [{key: value for key, value in file.items() if key != "jobs"} for file in whole["files"]]
    assert differences(result, undisturbed) == []
    assert (await status.owing(system.store, None))[1] == []


@pytest.mark.timeout(300)
async def test_a_restored_backup_is_made_whole_by_reconcile(own: System, undisturbed: dict[str, Any]) -> None:
    own.environment |= SWEEPS  # `n` went back with the backup: a bell may bear the id of one that NATS still remembers
    cohort.first(own.inbox)
    own.start_all()
    await own.ingest()
    await own.at_rest()
    backup = own.folder / "backup"
    own.mongo.stop()
    shutil.copytree(own.mongo.data, backup)
    own.mongo.start()
    cohort.second(own.inbox)
    await own.ingest()
    await own.at_rest()
    own.mongo.stop()
    shutil.rmtree(own.mongo.data)
    shutil.move(backup, own.mongo.data)
    own.mongo.start()

    await own.steering.reconcile()
    await own.at_rest()
    await own.no_orphans()

    result = await own.dump()
    result["jobs"][1]["options"] = undisturbed["jobs"][1]["options"]  # the second job is the one of reconcile
    assert differences(result, undisturbed) == []
