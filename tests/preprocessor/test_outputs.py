"""What one stack leaves on disk: whole files, the same bytes every time, the metadata first."""

import json
import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gyrus.data.tokens import tokens_of, volume_of
from gyrus.preprocessor.core.make import Made, NotMade, Request, make
from gyrus.preprocessor.core.outputs import POINTS
from gyrus.preprocessor.core.prepare import prepare
from preprocessor.synthetic import write_stack

ABOUT = {"stack": "default/1.2.3/0a1b", "version": "v1", "plan": "mri@1", "n": 3}


def a_request(folder: Path, mode: str = "mri", **told: Any) -> Request:
    if mode == "ct":
        told = {"modality": "CT", "intercept": -1024} | told
    return Request(slices=write_stack(folder / "raw", **told), mode=mode, folder=str(folder / "out"), name="t1", about=ABOUT)


def written(folder: Path | str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*")}


def made(request: Request) -> Made:
    outcome = make(request)
    assert isinstance(outcome, Made)
    return outcome


def test_an_mri_leaves_an_image_a_mask_a_picture_and_its_metadata(tmp_path: Path) -> None:
    outcome = made(a_request(tmp_path))

    assert outcome == Made(
        outputs=["t1.png", "t1.pt", "t1_mask.pt", "t1_metadata.json", "t1_montage.png"],
        mode="mri",
        view=0,
        shape=(36, 112, 96),
        spacing_mm=(1, 1, 4),
        volumes=[{"image": "t1", "index": 0}],
    )
    assert sorted(written(tmp_path / "out")) == outcome.outputs


def test_a_ct_leaves_three_windows_and_one_mask(tmp_path: Path) -> None:
    outputs = made(a_request(tmp_path, "ct")).outputs

    assert outputs == ["t1.png", "t1_blood.pt", "t1_bone.pt", "t1_brain.pt", "t1_mask.pt", "t1_metadata.json", "t1_montage.png"]
    assert sorted(written(tmp_path / "out")) == outputs


@pytest.mark.parametrize("mode", ["mri", "ct"])
def test_the_same_stack_leaves_the_same_bytes_whatever_the_order_of_its_files(tmp_path: Path, mode: str) -> None:
    request = a_request(tmp_path, mode)
    again = replace(request, slices=request.slices[::-1], folder=str(tmp_path / "again"))
    made(request), made(again)

    assert written(request.folder) == written(again.folder)


@pytest.mark.parametrize(("mode", "window"), [("mri", None), ("ct", "brain"), ("ct", "blood"), ("ct", "bone")])
def test_the_tensors_open_without_running_code_from_the_file(tmp_path: Path, mode: str, window: str | None) -> None:
    request = a_request(tmp_path, mode)
    made(request)
    expected = prepare(request.slices, mode).prepared
    ending = f"_{window}" if window else ""

    image = torch.load(tmp_path / "out" / f"t1{ending}.pt", weights_only=True)
    mask = torch.load(tmp_path / "out" / "t1_mask.pt", weights_only=True, mmap=True)

    data, filtered = image.pop("data"), image.pop("filtered")
    shape = {"shape": (36, 112, 96), "size": (9, 7, 6), "spacing": (1.0, 1.0, 4.0)}
    assert image == {"view": 0, "mode": mode, "window": window, **shape}
    assert data.dtype == filtered.dtype == mask.dtype == torch.uint8
    assert np.array_equal(volume_of(data.numpy(), image["size"]), expected.images[window or ""])
    assert np.array_equal(filtered.numpy(), tokens_of(expected.background).any(axis=1))
    assert np.array_equal(mask.numpy(), expected.background)


def test_the_metadata_says_what_the_volume_was_made_from(tmp_path: Path) -> None:
    made(a_request(tmp_path, "ct"))
    metadata = json.loads((tmp_path / "out" / "t1_metadata.json").read_bytes())

    assert metadata["about"] == ABOUT
    assert metadata["files"] == sorted(written(tmp_path / "out"))
    assert metadata["windows"]["brain"] == {"level": 40.0, "width": 80.0}
    assert metadata["source"] == {"size": [48, 56, 24], "spacing_mm": [2.0, 2.0, 6.0], "type": "int16"}
    assert metadata.keys() >= {"source_file", "mode", "shape", "spacing", "view", "processed_date", "version", "windows"}


def test_the_metadata_is_there_before_anything_that_it_explains(tmp_path: Path) -> None:
    seen: list[tuple[str, list[str]]] = []
    make(a_request(tmp_path), lambda point: seen.append((point, sorted(written(tmp_path / "out")))))

    assert seen[:2] == [("outputs.begin", []), ("outputs.metadata", ["t1_metadata.json"])]
    assert {point for point, _ in seen} == set(POINTS)


@pytest.mark.parametrize("fatal", POINTS)
def test_a_writer_that_is_stopped_leaves_only_whole_files_and_the_next_one_the_same_volume(tmp_path: Path, fatal: str) -> None:
    def stop(point: str) -> None:
        if point == fatal:
            raise KeyboardInterrupt

    request = a_request(tmp_path)
    made(replace(request, folder=str(tmp_path / "whole")))
    whole = written(tmp_path / "whole")

    with pytest.raises(KeyboardInterrupt):
        make(request, stop)

    assert written(request.folder).items() <= whole.items()
    made(request)
    assert written(request.folder) == whole


def test_a_disk_that_fails_is_raised_and_leaves_no_half_files(tmp_path: Path) -> None:
    request = a_request(tmp_path)
    (tmp_path / "out" / "t1.pt").mkdir(parents=True)

    with pytest.raises(OSError, match="t1"):
        make(request)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["t1.pt", "t1_metadata.json"]


@pytest.mark.parametrize("name", ["../t1", "a/b", ".hidden", ""])
def test_a_name_that_leaves_the_folder_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no plain file name"):
        make(replace(a_request(tmp_path), name=name))


def test_a_refusal_is_a_result_that_leaves_pictures_and_no_tensor(tmp_path: Path) -> None:
    outcome = make(a_request(tmp_path, left_out=[9]))

    assert isinstance(outcome, NotMade)
    assert outcome.reason == "missing_slices"
    assert outcome.outputs == sorted(written(tmp_path / "out")) == ["t1.png", "t1_metadata.json", "t1_montage.png"]
    metadata = json.loads((tmp_path / "out" / "t1_metadata.json").read_bytes())
    assert (metadata["refused"], metadata["about"], metadata["files"]) == ("missing_slices", ABOUT, outcome.outputs)


def test_a_stack_that_the_policy_does_not_ask_for_leaves_pictures_only(tmp_path: Path) -> None:
    outcome = make(replace(a_request(tmp_path), why_not=("not_asked_for", "no wish fits")))

    assert outcome == NotMade(reason="not_asked_for", detail="no wish fits", outputs=["t1.png", "t1_metadata.json", "t1_montage.png"])


def test_requests_and_results_travel_between_processes(tmp_path: Path) -> None:
    good, bad = a_request(tmp_path / "good"), a_request(tmp_path / "bad", left_out=[9])

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as workers:
        outcome, refused = workers.map(make, [good, bad])

    assert outcome == make(good)
    assert refused == make(bad)


def test_a_process_that_only_hands_out_work_loads_no_heavy_library() -> None:
    run = "import sys, gyrus.preprocessor.core.make; print({'torch', 'SimpleITK'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True).stdout == "set()\n"
