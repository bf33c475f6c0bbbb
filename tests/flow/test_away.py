"""Places that are full, read-only, gone or broken for a while: they are named, they are waited for, and no healthy file is refused."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from flow import cohort, harm
from flow.conftest import mongod
from flow.system import SWEEPS, Room, System, eventually
from gyrus.gateway import status
from gyrus.shared.topology import STAGES

QUICK = {"GYRUS_AWAY_S": "0.5"}
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")  # then root's own files may be closed to root


def write_series(folder: Path) -> None:
    for number in range(cohort.SLICES):
        cohort.write(folder / f"{number}.dcm", cohort.image("t1_mprage", number))


async def waits(system: System, words: str) -> None:
    """Status says what is waited for."""

    async def told() -> bool:
        return any(words in text for text in (await status.owing(system.store, None))[1])

    await eventually(told, f"status says that it waits: {words}")


async def all_is_well(system: System, files: int = cohort.SLICES) -> None:
    """At rest: every file extracted, a volume of each stack, nothing failed or counted, nothing waited for."""
    await system.at_rest()
    assert [file["outcome"] async for file in system.store["files"].find()] == ["extracted"] * files
    assert await system.store["files"].count_documents({"$or": [{"gone": True}, {"trouble": {"$exists": True}}]}) == 0
    assert [stack["volume"]["refused"] async for stack in system.store["stacks"].find()] == [None]
    assert await system.failures() == []
    assert (await status.owing(system.store, None))[1] == []
    for stage in STAGES.values():
        assert await system.store[stage.collection].count_documents({f"owed.{stage.name}.tries": {"$gt": 0}}) == 0


async def test_a_full_folder_of_volumes_is_waited_for(system: System) -> None:
    system.environment |= QUICK
    write_series(system.inbox)
    with harm.small_disk(system.processed, kb=128) as disk:
        (disk / "other").write_bytes(b"x" * (124 << 10))
        system.start_all()
        await system.ingest()
        await waits(system, "takes no more: No space left on device")
        (disk / "other").unlink()
        harm.writable(disk, may=False)
        await waits(system, "takes no more: Read-only file system")
        harm.writable(disk, may=True)
        await all_is_well(system)


async def test_a_folder_of_volumes_that_may_not_be_written_is_waited_for(system: System) -> None:
    system.environment |= QUICK
    write_series(system.inbox)
    system.start_all(but="preprocessor")
    system.processed.chmod(0o555)
    system.start("preprocessor", under=NO_OVERRIDE)
    await system.ingest()
    await waits(system, "takes no more: Permission denied")
    system.processed.chmod(0o755)
    await all_is_well(system)


@pytest.mark.parametrize("room", ["watcher", "extractor", "preprocessor"])
async def test_a_source_that_vanishes_and_returns_while_it_is_read_loses_no_file(system: System, room: str) -> None:
    point = {"watcher": "scan.2", "extractor": "read.file", "preprocessor": "preprocess.file"}[room]
    system.environment |= QUICK
    write_series(system.inbox)
    system.start_all(but=room)
    stall = system.stall(point)
    system.start(room, crash=stall.crash)
    await system.ingest()
    await stall.reached()
    system.inbox.rename(system.folder / "elsewhere")
    stall.go()
    await waits(system, "source 'inbox' is not mounted")
    (system.folder / "elsewhere").rename(system.inbox)

    await all_is_well(system)


async def preprocessor_without_its_source(system: System) -> Room:
    """A preprocessor that waits, with a stack in hand whose source is elsewhere."""
    write_series(system.inbox)
    system.start_all(but="preprocessor")
    stall = system.stall("preprocess.3")
    room = system.start("preprocessor", crash=stall.crash)
    await system.ingest()
    await stall.reached()
    system.inbox.rename(system.folder / "elsewhere")
    stall.go()
    await waits(system, "source 'inbox' is not mounted")
    return room


async def test_what_waits_is_rung_for_no_oftener_the_longer_it_waits(system: System) -> None:
    system.environment |= {"GYRUS_AWAY_S": "0.2", "GYRUS_SWEEP_EVERY_S": "0.2", "GYRUS_SWEEP_AFTER_S": "0"}
    await preprocessor_without_its_source(system)

    async def heard() -> int:
        return (await system.bus.js.consumer_info("FACTS", "preprocess")).delivered.consumer_seq

    await asyncio.sleep(3)
    before = await heard()
    await asyncio.sleep(2)
    assert 2 <= await heard() - before <= 30  # ten bells of those that wait, ten of the sweep, and some for a slow machine

    (system.folder / "elsewhere").rename(system.inbox)
    await all_is_well(system)


@pytest.mark.parametrize("end", [Room.stop, Room.kill])
async def test_what_waits_when_its_room_ends_is_done_by_the_next_once_a_sweep_rings(system: System, end: Callable[[Room], Any]) -> None:
    room = await preprocessor_without_its_source(system)
    end(room)
    (system.folder / "elsewhere").rename(system.inbox)
    system.environment |= SWEEPS
    system.start("preprocessor")

    await all_is_well(system)


async def test_a_broken_mount_below_a_source_is_waited_for(system: System) -> None:
    system.environment |= QUICK
    write_series(system.inbox / "mounted")
    system.start_all(but="extractor")
    stall = system.stall("read.file")
    system.start("extractor", crash=stall.crash, GYRUS_READ_WORKERS="1")
    await system.ingest(batch_files=10)
    await stall.reached()
    with harm.broken_mount(system.inbox / "mounted"):
        stall.go()
        await waits(system, "cannot be listed: Transport endpoint is not connected")
        await system.ingest()
        await waits(system, "broke off while it was read: Transport endpoint is not connected")

    await all_is_well(system)


async def test_a_source_whose_mount_broke_is_waited_for(system: System) -> None:
    system.environment |= QUICK
    write_series(system.inbox)
    system.start_all()
    with harm.broken_mount(system.inbox):
        await system.ingest()
        await waits(system, "source 'inbox' does not answer: Transport endpoint is not connected")

    await all_is_well(system)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv, which takes the right to read everything, is not on PATH")
async def test_what_may_not_be_read_is_counted_or_rejected_and_read_once_it_may(system: System) -> None:
    closed, listed, file = system.inbox / "closed", system.inbox / "listed", system.inbox / "0.dcm"
    write_series(system.inbox)
    for folder in (closed, listed):
        cohort.write(folder / "x.dcm", cohort.image(folder.name, 0))
    for place, mode in ((closed, 0o000), (listed, 0o600), (file, 0o000)):
        place.chmod(mode)
    system.environment["GYRUS_SWEEP_EVERY_S"] = "0.3"
    for room in ("watcher", "extractor"):
        system.start(room, under=NO_OVERRIDE)
    for room in ("classifier", "preprocessor"):
        system.start(room)
    await system.ingest()
    await system.at_rest()

    [job] = await system.store["jobs"].find().to_list(None)
    assert job["skipped"] == {"unreadable folder": 1, "unreadable file": 1}
    [rejected] = await system.store["files"].find({"outcome": "rejected"}).to_list(None)
    assert (rejected["path"], rejected["reason"], rejected["detail"]) == ("0.dcm", "unreadable", "Permission denied")
    assert rejected["again_at"]

    for place in (closed, listed, file):
        place.chmod(0o755)
    await system.store["files"].update_one({"_id": rejected["_id"]}, [{"$set": {"again_at": "$$NOW"}}])  # its first minute is over

    async def read() -> Any:
        return await system.store["files"].find_one({"path": "0.dcm", "outcome": "extracted"})

    await eventually(read, "the file is read by itself")
    await system.ingest()
    await system.at_rest()
    assert await system.store["files"].count_documents({"outcome": "extracted"}) == cohort.SLICES + 2
    assert await system.failures() == []


@pytest.mark.timeout(400)
async def test_a_database_whose_disk_is_full_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with harm.small_disk(tmp_path / "own", kb=400 << 10) as disk, mongod(disk) as server:
        system = await System(tmp_path, server, **QUICK).open()
        write_series(system.inbox)
        rooms = system.start_all()
        harm.fill(disk)
        accepted = False
        with contextlib.suppress(Exception):  # the job itself may find no room
            accepted = bool(await system.ingest())

        async def ended() -> bool:
            return server.process is not None and server.process.poll() is not None

        with contextlib.suppress(PyMongoError), MongoClient(server.url, serverSelectionTimeoutMS=1000) as client:
            await asyncio.to_thread(client.admin.command, "fsync")  # what it does every minute
        await eventually(ended, "mongod ends, since it cannot write", 120)
        (disk / "other").unlink()
        server.start()
        if not accepted:
            await system.ingest()
        await all_is_well(system)
        assert all(room.process.poll() is None for room in rooms.values())
        await system.close()
