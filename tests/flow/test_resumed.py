"""A small job over many files whose services and servers are killed at random points. The large one is in tests/soak."""

import random
from pathlib import Path

import pytest

from flow import resumed

PLAN = resumed.Plan(files=3000, gap_files=50, chance=random.Random(14))


@pytest.mark.timeout(300)
async def test_a_job_whose_services_are_killed_gives_every_file_its_outcome_and_reads_none_again_that_has_a_receipt(tmp_path: Path) -> None:
    run = await resumed.run(tmp_path / "run", PLAN)

    print(run.told())
    run.check()
    assert run.killed.total() >= 2
    assert max(run.memory.peaks().values()) < resumed.MOST_MB
