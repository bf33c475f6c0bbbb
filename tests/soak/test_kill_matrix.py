"""The kill matrix at size: thousands of cloned real files arrive, late ones last, while everybody is killed again and again.

GYRUS_SOAK_FILES (20,000) instances are cloned, or GYRUS_SOAK_COHORT names a folder in which make_cohort.py did so before.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flow import matrix
from flow.dump import differences

SHARED = Path(__file__).parents[3] / "shared"
GAP_S = float(os.environ.get("GYRUS_SOAK_GAP_S", "4"))
SEED = int(os.environ.get("GYRUS_SOAK_SEED", "12"))
pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]


@pytest.fixture(scope="session")
def clones(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "GYRUS_SOAK_COHORT" in os.environ:
        return Path(os.environ["GYRUS_SOAK_COHORT"])
    folder = tmp_path_factory.mktemp("clones")
    how = ["--subjects", "300", "--duplicates", "0.03", "--late", "0.05", "--broken", "0.02", "--max-series-files", "120"]
    tool = [sys.executable, str(SHARED / "tools" / "make_cohort.py"), "--source", str(real), "--dest", str(folder)]
    subprocess.run(
        [*tool, "--files", os.environ.get("GYRUS_SOAK_FILES", "20000"), "--seed", str(SEED), *how], check=True, stdout=subprocess.DEVNULL
    )
    return folder


def in_order_of_arrival(clones: Path) -> list[tuple[Path, str]]:
    """Everything that was cloned, mixed; what is late comes last."""
    files = sorted(path for path in clones.rglob("*") if path.is_file())
    random.Random(SEED).shuffle(files)
    files.sort(key=lambda path: path.relative_to(clones).parts[0] == "late")
    return [(file, str(file.relative_to(clones))) for file in files]


async def test_whoever_is_killed_while_thousands_of_files_arrive_the_end_is_that_of_an_undisturbed_run(
    clones: Path, tmp_path: Path
) -> None:
    files = in_order_of_arrival(clones)

    started = time.monotonic()
    undisturbed = await matrix.run(tmp_path / "undisturbed", files, waves=20, kills=None, gap_s=0)
    between = time.monotonic()
    disturbed = await matrix.run(tmp_path / "disturbed", files, waves=60, kills=random.Random(SEED), gap_s=GAP_S)

    print(f"{len(files)} files: undisturbed {between - started:.0f} s, disturbed {time.monotonic() - between:.0f} s")
    assert differences(disturbed, undisturbed) == []
