"""A cache that was being built when everything was killed is finished by building again, and no more; failures are failures."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datasets.small import write_data_set
from gyrus.data import CacheManager
from gyrus.datasets import ImageDataset

IMAGES = 10
BUILD = "import sys; from gyrus.data import CacheManager; print(CacheManager(sys.argv[1]).build_cache(num_workers=2).made)"


def made(folder: Path) -> dict[str, int]:
    """When each image was finished, in ns."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "processed").glob("*/*_metadata.json")}


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return write_data_set(tmp_path, {"p": {f"T{number:02}": (60, 256, 256) for number in range(IMAGES)}}, {"p": "mri"})


def test_a_killed_parallel_build_is_finished_by_the_next_one_which_does_only_what_is_missing(large: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(large)], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(made(large)) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = made(large)
    assert 2 <= len(before) < IMAGES

    built = CacheManager(large).build_cache(num_workers=2)

    assert (built.kept, built.made, built.failed) == (len(before), IMAGES - len(before), [])
    assert before.items() <= made(large).items()
    dataset = ImageDataset(large, fallback_to_raw=False)
    assert [tuple(dataset[index]["size"].tolist()) for index in range(IMAGES)] == [(15, 16, 16)] * IMAGES


@pytest.mark.parametrize("workers", [1, 2])
def test_images_that_fail_are_failures_every_time_and_the_others_are_made_once(tmp_path: Path, workers: int) -> None:
    write_data_set(tmp_path, {"p": dict.fromkeys(("T1", "T2", "FLAIR"), (8, 32, 32))}, {"p": "mri"})
    (tmp_path / "raw/p/T2.nii").write_bytes(b"no image")

    built = [CacheManager(tmp_path).build_cache(num_workers=workers) for _ in range(2)]

    assert [(one.made, one.kept, [(study, image) for study, image, _ in one.failed]) for one in built] == [
        (2, 0, [("p", "T2")]),
        (0, 2, [("p", "T2")]),
    ]
    assert all("T2.nii" in why for one in built for _, _, why in one.failed)
    assert CacheManager(tmp_path).get_cache_stats()["cached_images"] == 2
