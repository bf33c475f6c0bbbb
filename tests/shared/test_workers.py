"""Worker processes that die, hang or want too much: each costs the piece that it had in hand, and nothing else."""

import asyncio
import os
import pickle
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gyrus.shared.workers import WorkerDied, WorkerFull, WorkerLost, Workers, WorkerStalled

PATIENT_S = 60.0
DIE = "__import__('os').kill(__import__('os').getpid(), 9)"


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(2, [], memory_mb=256)
    yield made
    made.close()


def dies_as_long_as(count: int, flag: Path) -> str:
    """Work, as text for `eval`, that is killed so many times, and counts them in a file."""
    times = f"open({str(flag)!r}, 'a+').tell()"
    return f"'alive' if {times} >= {count} else (open({str(flag)!r}, 'a').write('x'), __import__('os').kill(__import__('os').getpid(), 9))"


async def test_pieces_are_answered_in_order(workers: Workers) -> None:
    assert await workers.each(PATIENT_S, abs, [3, -1, 2]) == [3, 1, 2]
    assert await workers.each(PATIENT_S, abs, []) == []
    assert await workers.run(PATIENT_S, divmod, 7, 2) == (3, 1)


async def test_work_that_raises_raises_here_and_its_worker_lives_on(workers: Workers) -> None:
    before = await workers.run(PATIENT_S, os.getpid)

    with pytest.raises(ZeroDivisionError) as raised:
        await workers.run(PATIENT_S, divmod, 1, 0)

    assert "Traceback" in raised.value.__notes__[0]
    assert await workers.run(PATIENT_S, os.getpid) == before != os.getpid()


@pytest.mark.parametrize("error", [EOFError, BrokenPipeError, MemoryError, LookupError])
async def test_work_may_raise_what_a_broken_pipe_raises(workers: Workers, error: type[Exception]) -> None:
    with pytest.raises(WorkerFull if error is MemoryError else error):
        await workers.run(PATIENT_S, exec, f"raise {error.__name__}")

    assert await workers.each(PATIENT_S, eval, ["4", "5"]) == [4, 5]


async def test_what_cannot_be_sent_is_an_error_and_the_next_answers_are_not_mixed_up(workers: Workers) -> None:
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        await workers.each(PATIENT_S, eval, ["1", "lambda: 0", "2"])
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        await workers.run(PATIENT_S, lambda: 0)

    assert await workers.each(PATIENT_S, eval, ["4", "5"]) == [4, 5]


async def test_a_worker_that_dies_hurts_only_what_it_had_in_hand(workers: Workers) -> None:
    others = asyncio.create_task(workers.each(PATIENT_S, time.sleep, [0.1] * 10))

    with pytest.raises(WorkerDied, match="SIGABRT"):
        await workers.run(PATIENT_S, os.abort)

    assert await others == [None] * 10
    assert await workers.run(PATIENT_S, abs, -1) == 1


async def test_of_many_pieces_only_the_one_that_kills_is_lost(workers: Workers) -> None:
    first, killer, last = await workers.each(PATIENT_S, eval, ["1", DIE, "3"])

    assert (first, last) == (1, 3)
    assert isinstance(killer, WorkerDied)


@pytest.mark.parametrize("kills", [1, 2])
async def test_a_piece_whose_worker_was_killed_from_outside_is_done_by_another(workers: Workers, tmp_path: Path, kills: int) -> None:
    assert await workers.each(PATIENT_S, eval, ["1", dies_as_long_as(kills, tmp_path / "kills"), "3"]) == [1, "alive", 3]


async def test_a_worker_that_was_killed_while_it_waited_costs_nothing(workers: Workers) -> None:
    os.kill(await workers.run(PATIENT_S, os.getpid), signal.SIGKILL)

    assert await workers.run(PATIENT_S, abs, -1) == 1


async def test_a_piece_that_takes_too_long_is_lost_and_the_others_are_done(workers: Workers) -> None:
    answers = await workers.each(1, time.sleep, [0, 3600, 0])

    assert answers[::2] == [None, None]
    assert isinstance(answers[1], WorkerStalled)
    assert "longer than 1 s" in str(answers[1])


async def test_a_worker_takes_no_more_memory_than_it_may(workers: Workers) -> None:
    answers = await workers.each(PATIENT_S, bytearray, [10, 1 << 30, 20])

    assert (answers[0], answers[2]) == (bytearray(10), bytearray(20))
    assert isinstance(answers[1], WorkerFull)
    assert "256 MB" in str(answers[1])


@pytest.mark.parametrize("after_s", [0, 0.05, 1])
async def test_work_that_is_given_up_frees_its_worker(after_s: float) -> None:
    workers = Workers(1, [])
    given_up = asyncio.create_task(workers.run(PATIENT_S, time.sleep, 3600))
    await asyncio.sleep(after_s)  # its worker does not exist yet, starts, works
    given_up.cancel()

    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await asyncio.wait_for(workers.run(PATIENT_S, abs, -1), PATIENT_S) == 1
    workers.close()


@pytest.mark.parametrize("after_s", [0, 0.05, 1])
async def test_closing_ends_what_is_under_way_and_what_waits(after_s: float) -> None:
    workers = Workers(1, [])
    tasks = [asyncio.create_task(workers.each(PATIENT_S, time.sleep, [3600, 3600])) for _ in range(2)]
    await asyncio.sleep(after_s)  # its worker does not exist yet, starts, works
    workers.close()

    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENT_S)

    assert all(isinstance(error, WorkerLost) for error in ended)
