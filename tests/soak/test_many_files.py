"""One job over a hundred thousand files, killed and resumed at random points: the receipts add up, nothing is read twice, memory is flat.

GYRUS_SOAK_FILES (100,000) are made; somebody is killed after every GYRUS_SOAK_GAP_FILES (2,000) or so, who and when by GYRUS_SOAK_SEED.
"""

import os
import random
from pathlib import Path

import pytest

from flow import resumed

FILES = int(os.environ.get("GYRUS_SOAK_FILES", "100000"))
GAP_FILES = int(os.environ.get("GYRUS_SOAK_GAP_FILES", "2000"))
SEED = int(os.environ.get("GYRUS_SOAK_SEED", "14"))
GROWTH, NOISE_MB = 1.25, 16  # of the second half's peak over the first's: nothing may be kept for each file
pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]


async def test_a_long_job_that_is_killed_again_and_again_reads_each_file_once_and_takes_no_more_memory(tmp_path: Path) -> None:
    run = await resumed.run(tmp_path / "run", resumed.Plan(files=FILES, gap_files=GAP_FILES, chance=random.Random(SEED)))

    print(f"seed {SEED}\n{run.told()}")
    run.check()
    half = run.half_time_s()
    first, second = run.memory.peaks(until_s=half), run.memory.peaks(half)
    assert all(second[name] <= GROWTH * mb + NOISE_MB for name, mb in first.items())
    assert max(run.memory.peaks().values()) < resumed.MOST_MB
