"""People steer scans: a job is paused, resumed, cancelled, counted dry; patterns say which files it takes."""

from pathlib import Path
from typing import Any

from flow import cohort
from flow.system import System, eventually

SLOW = {"GYRUS_BATCHES_AHEAD": "2", "GYRUS_SETTLE_EVERY_S": "0.1"}
FILES = 60


def many(folder: Path, files: int = FILES) -> None:
    """Small images of one series."""
    for number in range(files):
        cohort.write(folder / f"{number // 20}/{number:03}.dcm", cohort.image("t1_mprage", number))


async def job_of(system: System, job: str) -> dict[str, Any]:
    return await system.store["jobs"].find_one({"_id": job}) or {}


async def stopped(system: System, job: str) -> dict[str, Any]:
    async def has_stopped() -> Any:
        found = await job_of(system, job)
        return found.get("stopped") and not await system.owed() and found

    return dict(await eventually(has_stopped, "the scan has stopped, and what it announced is read"))


async def stopped_in_the_middle(system: System, wanted: str) -> dict[str, Any]:
    """A job that is stopped when some of its batches are announced, and one is being read."""
    many(system.inbox)
    system.environment |= SLOW
    stall = system.stall("read.1")
    system.start("watcher")
    for room in ("extractor", "classifier", "preprocessor"):
        system.start(room, crash=stall.crash, GYRUS_READ_BATCHES="1")
    job = await system.ingest(batch_files=4)
    await stall.reached()
    await system.steering.stop(await job_of(system, job), wanted)
    stall.go()
    return await stopped(system, job)


async def test_a_job_that_is_paused_reads_no_more_and_goes_on_when_it_is_resumed(system: System) -> None:
    paused = await stopped_in_the_middle(system, "pause")
    read = await system.store["files"].count_documents({})
    await system.steering.resume(paused)
    await system.at_rest()

    totals = (await job_of(system, paused["_id"]))["totals"]
    assert "totals" not in paused
    assert 0 < read < FILES
    assert (totals["seen"], totals["extracted"], totals["unchanged"], totals["unaccounted"]) == (FILES, FILES, 0, 0)


async def test_a_job_that_is_cancelled_ends_with_what_it_announced_and_the_next_one_reads_the_rest(system: System) -> None:
    job = await stopped_in_the_middle(system, "cancel")
    await system.at_rest()
    cancelled = (await job_of(system, job["_id"]))["totals"]
    rest = await system.ingest()
    await system.at_rest()

    totals = (await job_of(system, rest))["totals"]
    assert 0 < cancelled["extracted"] < FILES
    assert (cancelled["seen"], cancelled["unaccounted"]) == (cancelled["extracted"], 0)
    assert (totals["extracted"], totals["unchanged"]) == (FILES - cancelled["extracted"], cancelled["extracted"])


async def test_a_scanner_killed_while_a_pause_is_asked_for_is_followed_by_one_that_pauses(system: System) -> None:
    many(system.inbox)
    system.environment |= SLOW
    watcher = system.start("watcher", crash={"scan.5": "kill 2"})
    job = await system.ingest(batch_files=4)
    await watcher.dies()

    await system.steering.stop(await job_of(system, job), "pause")
    system.start("watcher")

    async def has_stopped() -> Any:
        return (await job_of(system, job)).get("stopped")

    assert await eventually(has_stopped, "the scan has stopped") == "pause"
    assert await system.store["batches"].count_documents({}) == 2


async def test_a_dry_run_counts_by_subject_folder_and_reads_nothing(system: System) -> None:
    many(system.inbox / "trial")
    cohort.write(system.inbox / "trial/loose.dcm", cohort.image("other", 0))
    system.start_all()

    job = await system.ingest("trial", dry_run=True)
    await system.at_rest()

    found = await job_of(system, job)
    assert [(one["folder"], one["files"], one["subject"]) for one in found["folders"]] == [
        ("", 1, None), ("0", 20, None), ("1", 20, None), ("2", 20, None),
    ]  # fmt: skip
    assert found["totals"] == {"seen": FILES + 1, "unchanged": 0, "folders": 4, "uncoded": FILES + 1}
    assert [await system.store[name].count_documents({}) for name in ("files", "batches", "cohorts")] == [0, 0, 0]


async def test_a_dry_run_tells_the_codes_that_a_map_would_give_and_keeps_nothing_of_it(system: System) -> None:
    many(system.inbox / "trial")
    system.start_all()

    job = await system.ingest("trial", dry_run=True, subject_map={"0": "P001", "2": "P003"})
    await system.at_rest()

    found = await job_of(system, job)
    assert [(one["folder"], one["subject"]) for one in found["folders"]] == [("0", "P001"), ("1", None), ("2", "P003")]
    assert found["totals"]["uncoded"] == 20
    assert ("rule" in found, await system.store["cohorts"].count_documents({})) == (False, 0)


async def test_patterns_say_which_files_a_job_takes_and_the_others_are_counted(system: System) -> None:
    many(system.inbox)
    system.start_all()

    job = await system.ingest(include=["*.dcm"], exclude=["0/*", "*7.dcm"])
    await system.at_rest()

    found = await job_of(system, job)
    assert (found["totals"]["extracted"], found["skipped"]) == (36, {"excluded": 24})


async def test_a_small_job_does_not_wait_for_a_large_one(system: System) -> None:
    many(system.inbox / "large")
    cohort.write(system.inbox / "small/1.dcm", cohort.image("other", 0))
    system.environment |= SLOW
    stall = system.stall("read.1")
    system.start("watcher")
    system.start("extractor", crash=stall.crash, GYRUS_READ_BATCHES="1")
    large = await system.ingest("large", batch_files=1)
    await stall.reached()

    small = await system.ingest("small")

    async def is_announced() -> Any:
        return await system.store["batches"].find_one({"job": small})

    await eventually(is_announced, "the small job is announced")
    assert await system.store["batches"].count_documents({"job": large}) == 2
