"""A small kill matrix: who is killed when does not show in the end. The large one is in tests/soak."""

import random
from pathlib import Path

import pytest

from flow import cohort, matrix
from flow.dump import differences

SERIES = 20


def a_cohort(folder: Path) -> list[tuple[Path, str]]:
    """Series of a few people, with copies, contradictions and litter."""
    files = []
    for number in range(SERIES):
        for slice_ in range(cohort.SLICES):
            about = {"study": str(number // 4), "patient": f"P{number // 8}", "SeriesNumber": number}
            ds = cohort.image(f"series {number}", slice_, **about)
            files.append(cohort.write(folder / f"{number // 4}/{number}/{slice_}.dcm", ds, tick=slice_))
            if slice_ == number % 7:
                files.append(cohort.write(folder / f"copies/{number}.dcm", ds, tick=100))
            if slice_ == number % 11:
                ds.FlipAngle = 77
                files.append(cohort.write(folder / f"others/{number}.dcm", ds, tick=200))
        files.append(folder / f"{number // 4}/notes {number}.txt")
        files[-1].write_text(f"note {number}")
    random.Random(5).shuffle(files)
    return [(file, str(file.relative_to(folder))) for file in files]


@pytest.mark.timeout(900)
async def test_whoever_is_killed_while_files_arrive_the_end_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    files = a_cohort(tmp_path / "made")

    undisturbed = await matrix.run(tmp_path / "undisturbed", files, waves=4, kills=None, gap_s=0)
    disturbed = await matrix.run(tmp_path / "disturbed", files, waves=10, kills=random.Random(12), gap_s=1.5)

    assert differences(disturbed, undisturbed) == []
