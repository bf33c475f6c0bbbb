"""A watched folder: however files arrive, each is labelled, none is lost, none is read twice."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.system import System, eventually
from gyrus.console.servers import Mongo

JOB = "watch:inbox:c"
QUICK = {"GYRUS_WATCH_EVERY_S": "0.1", "GYRUS_STABLE_S": "0.5", "GYRUS_TEMPORARY_S": "3", "GYRUS_WATCH_WHOLE_S": "1"}


def sources(system: System, **more: Any) -> dict[str, str]:
    """The inbox is watched; `more` are further sources."""
    return {"GYRUS_SOURCES": json.dumps({"inbox": {"path": str(system.inbox), "cohort": "c"}, **more})}


@pytest.fixture
async def watched(tmp_path: Path, mongo: Mongo) -> AsyncIterator[System]:
    """A system without services whose inbox is watched."""
    system = System(tmp_path, mongo, **QUICK)
    system.environment |= sources(system)
    await system.open()
    yield system
    await system.close()


async def labelled(system: System, images: int, stacks: int) -> list[dict[str, Any]]:
    """Wait until so many images are extracted, the stacks labelled and made, and nothing is owed; the files' documents."""
    await eventually(lambda: _are_labelled(system, images, stacks), f"{images} images in {stacks} labelled stacks")
    return [file async for file in system.store["files"].find()]


async def _are_labelled(system: System, images: int, stacks: int) -> bool:
    current = {"retired": False, "classification": {"$type": "object"}, "volume": {"$type": "object"}}
    extracted = await system.store["files"].count_documents({"outcome": "extracted", "gone": False})
    return (extracted, await system.store["stacks"].count_documents(current), await system.owed()) == (images, stacks, {})


async def looked_again(system: System) -> None:
    """Wait until two whole looks have begun and ended."""
    for _ in range(2):
        before = await system.store["jobs"].find_one({"_id": JOB})
        at = (before or {}).get("watch", {}).get("looked_at")
        later = {"_id": JOB, "watch.looked_at": {"$gt": at}} if at else {"_id": JOB, "watch.looked_at": {"$exists": True}}

        async def later_than() -> Any:
            return await system.store["jobs"].find_one(later)  # noqa: B023 - awaited before the next turn

        await eventually(later_than, "the inbox is looked at once more")


def a_series(folder: Path, name: str = "t1_mprage", slices: int = cohort.SLICES) -> list[Path]:
    return [cohort.write(folder / f"{number:02}.dcm", cohort.image(name, number)) for number in range(slices)]


def by_plain_copy(made: Path, inbox: Path) -> None:
    shutil.copytree(made, inbox / "new")


def by_slow_copy(made: Path, inbox: Path) -> None:
    """Each file in pieces, the folder made just before."""
    (inbox / "slow" / "er").mkdir(parents=True)
    for file in sorted(made.iterdir()):
        content = file.read_bytes()
        with (inbox / "slow" / "er" / file.name).open("wb", buffering=0) as copy:
            for start in range(0, len(content), 400):
                copy.write(content[start : start + 400])
                os.fsync(copy.fileno())


def by_temporary_names(made: Path, inbox: Path) -> None:
    """As rsync does: `.name.XXXXXX` beside its place, then renamed, with the time of the original."""
    for file in sorted(made.iterdir()):
        part = inbox / f".{file.name}.Xa3k9Q"
        shutil.copyfile(file, part)
        os.utime(part, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        part.rename(inbox / file.name)


def by_moving_a_deep_tree(made: Path, inbox: Path) -> None:
    deep = made.parent / "top/a/b/c"
    deep.mkdir(parents=True)
    made.rename(deep / "series")
    (made.parent / "top").rename(inbox / "top")


def by_odd_names(made: Path, inbox: Path) -> None:
    for number, file in enumerate(sorted(made.iterdir())):
        name = [b"no extension", b"two\nlines.txt", b"M\xfcller.pdf", b"100%41", b"-rf *"][number % 5]
        (inbox / os.fsdecode(name)).write_bytes(file.read_bytes())


@pytest.mark.parametrize("arrive", [by_plain_copy, by_slow_copy, by_temporary_names, by_moving_a_deep_tree, by_odd_names])
async def test_files_that_are_dropped_are_labelled_each_once(watched: System, tmp_path: Path, arrive: Callable[[Path, Path], None]) -> None:
    watched.start_all()
    await looked_again(watched)
    a_series(tmp_path / "made")

    arrive(tmp_path / "made", watched.inbox)
    files = await labelled(watched, cohort.SLICES, 1)
    await looked_again(watched)

    assert len(files) == cohort.SLICES
    job = await watched.store["jobs"].find_one({"_id": JOB}) or {}
    assert job["progress"]["announced"] == cohort.SLICES


async def test_what_is_no_image_is_rejected_and_what_is_no_file_is_counted(watched: System) -> None:
    watched.start_all()
    (watched.inbox / "notes").write_text("call back on Monday")
    (watched.inbox / "away").symlink_to("/etc")
    os.mkfifo(watched.inbox / "pipe")

    await looked_again(watched)
    [file] = await labelled(watched, 0, 0) or [{}]

    assert (file["outcome"], file["reason"]) == ("rejected", "not_dicom")
    assert (await watched.store["jobs"].find_one({"_id": JOB}) or {})["skipped"] == {"link": 1, "special file": 1}


async def test_a_file_that_is_still_written_waits_and_one_that_grew_later_is_read_again(watched: System, tmp_path: Path) -> None:
    watched.start_all()
    [made] = a_series(tmp_path / "made", slices=1)
    content = made.read_bytes()
    late = watched.inbox / "late.dcm"

    late.write_bytes(content[:300])  # the copy breaks off here, for longer than a file has to be still
    await eventually(lambda: watched.store["files"].find_one({"outcome": "rejected"}), "the beginning of the file is rejected")
    with late.open("ab") as rest:
        rest.write(content[300:])

    [file] = await labelled(watched, 1, 1)
    assert "reason" not in file


async def test_a_name_of_a_transfer_is_left_alone_until_it_is_old(watched: System, tmp_path: Path) -> None:
    watched.start_all(GYRUS_TEMPORARY_S="3600")
    [made] = a_series(tmp_path / "made", slices=1)
    part = watched.inbox / "scan.dcm.part"
    part.write_bytes(made.read_bytes())

    await eventually(lambda: watched.store["jobs"].find_one({"_id": JOB, "skipped": {"in transfer": 1}}), "a whole look counts it")
    await looked_again(watched)
    assert await watched.store["files"].count_documents({}) == 0

    cohort.dated(part, 0)
    await labelled(watched, 1, 1)


async def test_a_changed_a_renamed_and_a_deleted_file_are_noticed(watched: System) -> None:
    watched.start_all()
    files = a_series(watched.inbox / "s")
    await labelled(watched, cohort.SLICES, 1)

    cohort.write(files[0], cohort.image("t1_mprage", 0, pixels=7), 3)
    files[1].rename(watched.inbox / "renamed")
    files[2].unlink()

    async def is_noticed() -> bool:
        gone = await watched.store["files"].count_documents({"gone": True})
        changed = await watched.store["files"].count_documents({"mtime_ns": cohort.EPOCH_NS + 3_000_000_000})
        there = await watched.store["files"].count_documents({})
        return (gone, changed, there, await watched.owed()) == (2, 1, cohort.SLICES + 1, {})

    await eventually(is_noticed, "one changed, two are gone, one is new")
    [stack] = [stack async for stack in watched.store["stacks"].find()]
    assert stack["n_images"] == cohort.SLICES  # a file that was deleted keeps its documents


async def test_a_folder_in_which_nothing_stirs_is_listed_again_when_a_file_comes(watched: System) -> None:
    files = a_series(watched.inbox / "s")
    for folder in (watched.inbox / "s", watched.inbox):
        cohort.dated(folder, 0)
    watched.start_all(GYRUS_WATCH_WHOLE_S="3600")
    await labelled(watched, cohort.SLICES, 1)
    for folder in (watched.inbox / "s", watched.inbox):
        cohort.dated(folder, 0)
    await looked_again(watched)

    cohort.dated(files[0], 3)  # in place: the folder does not tell
    await looked_again(watched)
    unnoticed = await watched.store["files"].count_documents({"mtime_ns": cohort.EPOCH_NS + 3_000_000_000})
    cohort.write(watched.inbox / "s/more.dcm", cohort.image("t1_mprage", cohort.SLICES))
    await labelled(watched, cohort.SLICES + 1, 1)

    assert unnoticed == 0
    assert await watched.store["files"].count_documents({"mtime_ns": cohort.EPOCH_NS + 3_000_000_000}) == 1


async def test_a_restart_announces_nothing_twice_and_misses_nothing_that_came_meanwhile(watched: System) -> None:
    rooms = watched.start_all()
    a_series(watched.inbox / "before")
    await labelled(watched, cohort.SLICES, 1)

    assert rooms["watcher"].stop() == 0
    a_series(watched.inbox / "meanwhile", "other")
    watched.start("watcher")
    await labelled(watched, 2 * cohort.SLICES, 2)
    await looked_again(watched)

    assert (await watched.store["jobs"].find_one({"_id": JOB}) or {})["progress"]["announced"] == 2 * cohort.SLICES


async def test_of_two_watchers_one_looks_and_the_other_takes_over(watched: System) -> None:
    rooms = watched.start_all()
    await looked_again(watched)
    other = watched.start("watcher")
    a_series(watched.inbox / "one")
    await labelled(watched, cohort.SLICES, 1)
    await looked_again(watched)
    announced = (await watched.store["jobs"].find_one({"_id": JOB}) or {})["progress"]["announced"]

    rooms["watcher"].kill()
    a_series(watched.inbox / "two", "other")
    await labelled(watched, 2 * cohort.SLICES, 2)

    assert announced == cohort.SLICES
    assert other.process.poll() is None


@pytest.mark.parametrize("point", ["watch.1", "watch.2", "watch.3", "watch.4", "watch.4 2", "watch.5", "watch.6"])
async def test_a_watcher_killed_at_any_point_loses_and_doubles_nothing(watched: System, point: str) -> None:
    watched.environment |= {"GYRUS_SWEEP_EVERY_S": "0.3", "GYRUS_SWEEP_AFTER_S": "1", "GYRUS_BATCH_FILES": "2"}
    name, _, count = point.partition(" ")
    a_series(watched.inbox / "deep/er")
    watched.start_all(but="watcher")
    victim = watched.start("watcher", crash={name: f"kill {count}".strip()})

    await victim.dies()
    watched.start("watcher")
    files = await labelled(watched, cohort.SLICES, 1)

    assert [file["jobs"] for file in files] == [[JOB]] * cohort.SLICES


async def test_a_tree_that_moves_to_another_watched_source_keeps_stacks_versions_and_volumes(watched: System) -> None:
    archive = watched.folder / "archive"
    archive.mkdir()
    watched.environment |= sources(watched, archive={"path": str(archive), "cohort": "c"})
    watched.start_all()
    a_series(watched.inbox / "study/one")
    a_series(watched.inbox / "study/two", "other")
    await labelled(watched, 2 * cohort.SLICES, 2)
    before = await kept(watched)

    (watched.inbox / "study").rename(archive / "study")

    async def has_moved() -> bool:
        gone = await watched.store["files"].count_documents({"source": "inbox", "gone": True})
        there = await watched.store["files"].count_documents({"source": "archive", "outcome": "extracted"})
        return (gone, there, await watched.owed()) == (2 * cohort.SLICES, 2 * cohort.SLICES, {})

    await eventually(has_moved, "the files of the archive are the instances")
    assert await kept(watched) == before


async def kept(system: System) -> dict[str, Any]:
    """Version and outputs of each stack."""
    return {stack["_id"]: (stack["version"], stack["volume"]["outputs"]) async for stack in system.store["stacks"].find()}


async def test_a_source_whose_mount_is_gone_waits_and_says_so(watched: System) -> None:
    watched.start_all()
    a_series(watched.inbox / "s")
    await labelled(watched, cohort.SLICES, 1)

    watched.inbox.rename(watched.folder / "elsewhere")

    async def says_so() -> Any:
        return await watched.store["jobs"].find_one({"_id": JOB, "watch.waiting": "source 'inbox' is not mounted: its folder is missing"})

    await eventually(says_so, "the standing job says what it waits for")
    (watched.folder / "elsewhere").rename(watched.inbox)
    a_series(watched.inbox / "more", "other")
    await labelled(watched, 2 * cohort.SLICES, 2)

    assert await watched.store["files"].count_documents({"gone": True}) == 0
    assert "waiting" not in (await watched.store["jobs"].find_one({"_id": JOB}) or {})["watch"]


async def test_a_link_or_a_folder_in_the_place_of_a_file_means_that_it_is_gone(watched: System) -> None:
    watched.start_all()
    files = a_series(watched.inbox / "s")
    shutil.copy(files[1], watched.inbox / "copy.dcm")  # its pixels are compared
    await labelled(watched, cohort.SLICES, 1)

    (watched.inbox / "moved").mkdir()
    for number in (0, 1):
        moved = watched.inbox / f"moved/{number}.dcm"
        files[number].rename(moved)
    files[0].symlink_to(watched.inbox / "moved/0.dcm")
    files[1].mkdir()

    async def has_moved() -> bool:
        gone = await watched.store["files"].count_documents({"gone": True})
        there = await watched.store["files"].count_documents({"outcome": "extracted", "gone": False})
        return (gone, there, await watched.owed()) == (2, cohort.SLICES, {})

    await eventually(has_moved, "two are gone, and their instances are where they were moved to")
    assert await watched.failures() == []


async def test_patterns_and_marker_of_a_source_hold_for_its_jobs_too(tmp_path: Path, mongo: Mongo) -> None:
    about = {"path": str(tmp_path / "inbox"), "cohort": "c", "exclude": ["*.log"], "marker": ".mounted"}
    system = await System(tmp_path, mongo, **QUICK, GYRUS_SOURCES=json.dumps({"inbox": about})).open()
    try:
        (system.inbox / ".mounted").touch()
        cohort.write(system.inbox / "1.dcm", cohort.image("t1_mprage", 0))
        cohort.write(system.inbox / "2.log", cohort.image("t1_mprage", 1))
        system.start_all()
        await labelled(system, 1, 1)

        job = await system.ingest()
        await system.at_rest()

        found = await system.store["jobs"].find_one({"_id": job}) or {}
        assert (found["totals"]["seen"], found["skipped"]) == (1, {"excluded": 2})
    finally:
        await system.close()
