"""What cannot be done is told once, kept, and may be tried again; the next good work is done."""

from typing import Any

import pytest

from flow import cohort
from flow.system import System, eventually
from gyrus.console.ingest import trouble_of
from gyrus.gateway import status
from gyrus.shared import topology
from gyrus.shared.policy import NOT_ASKED
from gyrus.shared.topology import STAGES

BELLS = [stage for stage in STAGES.values() if stage.event]


async def nothing_pending(system: System) -> bool:
    return await system.bus.pending(STAGES["preprocess"]) == 0


@pytest.mark.parametrize("body", [b"{not json", b'{"cohort": "c"}', b"\xff\xfe"], ids=["not JSON", "a field is missing", "not text"])
async def test_a_message_that_cannot_be_parsed_is_a_dead_letter_and_the_next_is_answered(system: System, body: bytes) -> None:
    cohort.first(system.inbox)
    for stage in BELLS:
        subject = topology.SUBJECTS[stage.event]
        await system.bus.js.publish(subject, body, stream=stage.stream)
    system.start_all()
    await system.ingest()
    await system.at_rest()

    async def letters() -> Any:
        found = await system.store["dead_letters"].find().to_list(None)
        return found if len(found) == len(BELLS) else None

    kept = await eventually(letters, "one dead letter for each subject")
    assert {letter["stage"] for letter in kept} == {stage.name for stage in BELLS}
    assert all(letter["body"] == body and letter["error"] for letter in kept)
    assert await system.store["stacks"].count_documents({"classification": {"$exists": True}, "retired": False}) == 4
    await eventually(lambda: nothing_pending(system), "no bell left to answer")


@pytest.mark.parametrize(
    ("room", "point", "collection"),
    [
        ("classifier", "classify.3", "studies"),
        ("preprocessor", "preprocess.3", "stacks"),
        ("extractor", "settle.3", "series"),
        ("extractor", "read.1", "batches"),
        ("watcher", "scan.2", "jobs"),
    ],
)
async def test_work_that_always_raises_is_a_failure_after_five_tries_until_somebody_retries(
    system: System, room: str, point: str, collection: str
) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_SWEEP_EVERY_S": "0.3", "GYRUS_SWEEP_AFTER_S": "1"}
    system.start_all(but=room)
    broken = system.start(room, crash={point: "raise"})
    await system.ingest()

    async def failed() -> Any:
        return not await system.owed() and await system.failures()

    failures = await eventually(failed, "the work fails")
    stage = point.partition(".")[0]
    assert {failure["stage"] for failure in failures} == {stage}
    assert all("is armed" in failure["error"] and "gyrus retry" in failure["advice"] for failure in failures)
    broke = await system.store[collection].find({"failure": {"$exists": True}}).to_list(None)
    assert [document["owed"][stage]["tries"] for document in broke] == [5] * len(failures)

    broken.stop()
    system.start(room)
    assert await system.steering.retry(stage, None) == len(failures)
    await system.at_rest()

    assert await system.failures() == []
    pictured = {"retired": False, "volume.refused": {"$in": [None, NOT_ASKED]}, "volume.outputs": {"$ne": []}}
    assert await system.store["stacks"].count_documents(pictured) == 4


async def test_work_that_hangs_is_ended_and_says_so(system: System) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_SWEEP_EVERY_S": "0.3", "GYRUS_SWEEP_AFTER_S": "1"}
    system.start_all(but="preprocessor")
    system.start("preprocessor", crash=system.stall("preprocess.file").crash, GYRUS_PREPROCESS_LIMIT_S="0.3")
    await system.ingest("b")

    async def failed() -> Any:
        return not await system.owed() and await system.failures()

    [failure] = await eventually(failed, "the work fails")
    assert failure["error"] == "WorkerStalled: it took longer than 0.3 s, and its worker process was killed"


async def test_a_job_whose_batches_failed_says_how_many_files_and_what_to_do(system: System) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_SWEEP_EVERY_S": "0.3", "GYRUS_SWEEP_AFTER_S": "1"}
    system.start_all(but="extractor")
    system.start("extractor", crash={"read.1": "raise"})
    await system.ingest("b")
    await system.at_rest()

    [job] = await status.jobs(system.store, await system.store["jobs"].find().to_list(None))
    assert job["state"] == "failed"
    said = trouble_of(job)
    assert f"failed: {cohort.SLICES} files have no outcome" in said
    assert "`gyrus failures`" in said and "`gyrus retry`" in said
