"""A worker killed with `kill -9` at each named crash point of design §3: the end is exactly that of an undisturbed run.

Sweeps are off wherever they would heal what a test wants to see: there, redelivery and leases alone must do.
"""

from typing import Any

import pytest

from flow import cohort
from flow.dump import differences
from flow.system import NO_SWEEPS, SWEEPS, System

# Else the kill may hit another series or study between its payment and its bell, which is for the sweep to heal.
ONE_AT_A_TIME = {"GYRUS_SETTLE_AT_ONCE": "1", "GYRUS_CLASSIFY_WORKERS": "1"}
BY_REDELIVERY = [
    ("watcher", "scan.1"), ("watcher", "scan.2"), ("watcher", "scan.3"), ("watcher", "scan.4"), ("watcher", "scan.4 3"),
    ("watcher", "scan.6"),
    ("extractor", "read.1"), ("extractor", "read.2"), ("extractor", "read.3"), ("extractor", "read.4"), ("extractor", "read.4 4"),
    ("extractor", "settle.1"), ("extractor", "settle.2"), ("extractor", "settle.3"), ("extractor", "settle.4"),
    ("extractor", "settle.5"), ("extractor", "settle.6"), ("extractor", "settle.7"), ("extractor", "settle.8"),
    ("extractor", "settle.9"),
    ("classifier", "classify.1"), ("classifier", "classify.2"), ("classifier", "classify.3"), ("classifier", "classify.4"),
    ("classifier", "classify.4 2"), ("classifier", "classify.5"),
    ("preprocessor", "preprocess.1"), ("preprocessor", "preprocess.2"), ("preprocessor", "preprocess.3"),
    ("preprocessor", "preprocess.4 3"), ("preprocessor", "preprocess.5"),
]  # fmt: skip
BY_SWEEP = [
    ("watcher", "scan.5"),  # the batch is inserted, nobody was told
    ("extractor", "settle.10"),  # the transaction is committed, nobody was told
    ("classifier", "classify.6"),  # the study is paid, nobody was told
    ("preprocessor", "preprocess.6"),  # the volume is set, what it replaced is still there
]


async def killed_once(system: System, room: str, at: str, second_job: bool) -> dict[str, Any]:
    """Both jobs; the room dies at the point during the first or the second, and is started again."""
    point, _, count = at.partition(" ")
    crash = {point: f"kill {count}".strip()}
    cohort.first(system.inbox)
    rooms = system.start_all(but=room)
    victim = system.start(room, crash=None if second_job else crash)
    await system.ingest()
    if not second_job:
        await victim.dies()
        system.start(room)
    await system.at_rest()
    if second_job:
        victim.stop()
        victim = system.start(room, crash=crash)
    cohort.second(system.inbox)
    await system.ingest()
    if second_job:
        await victim.dies()
        system.start(room)
    await system.at_rest()
    assert set(rooms) | {room} == {"watcher", "extractor", "classifier", "preprocessor"}
    return await system.dump()


@pytest.mark.parametrize(("room", "at"), BY_REDELIVERY)
async def test_a_worker_killed_before_a_step_leaves_no_trace(system: System, undisturbed: dict[str, Any], room: str, at: str) -> None:
    system.environment |= NO_SWEEPS | ONE_AT_A_TIME
    if room == "preprocessor":  # what a killed worker had written already is an orphan, which the slow sweep removes
        system.environment |= {"GYRUS_OUTPUTS_SWEEP_S": "0.5"}

    result = await killed_once(system, room, at, second_job=False)

    if room == "preprocessor":
        await system.no_orphans()
        result = await system.dump()
    assert differences(result, undisturbed) == []


@pytest.mark.parametrize(("room", "at"), BY_SWEEP)
async def test_a_bell_that_was_never_rung_is_rung_by_the_sweep(system: System, undisturbed: dict[str, Any], room: str, at: str) -> None:
    system.environment |= SWEEPS

    await killed_once(system, room, at, second_job=True)
    await system.no_orphans()

    assert differences(await system.dump(), undisturbed) == []


@pytest.mark.parametrize(
    ("room", "at"),
    [("extractor", "read.2"), ("extractor", "read.3"), ("extractor", "settle.6"), ("extractor", "settle.7"), ("classifier", "classify.4")],
)
async def test_a_worker_killed_while_known_files_change_leaves_no_trace(
    system: System, undisturbed: dict[str, Any], room: str, at: str
) -> None:
    system.environment |= ONE_AT_A_TIME

    assert differences(await killed_once(system, room, at, second_job=True), undisturbed) == []
