"""Stacks of several volumes: each becomes an image of its own, named by its place in the run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from gyrus.data.spread import chosen_volumes, spread
from gyrus.data.tokens import volume_of
from gyrus.preprocessor.core.make import Made, NotMade, Request, make
from gyrus.preprocessor.core.outputs import POINTS
from gyrus.preprocessor.core.prepare import prepare
from preprocessor.synthetic import write_run

B_VALUES = (0, 1000, 1000, 500, 0, 1000)


def a_run(folder: Path, b_values: tuple[float, ...] = B_VALUES, most: int = 0, **told: Any) -> Request:
    slices = write_run(folder / "raw", b_values, size=(32, 32, 8), **told)
    return Request(slices=slices, mode="mri", most_volumes=most, folder=str(folder / "out"), name="dwi", about={"stack": "s", "n": 1})


def made(request: Request) -> Made:
    outcome = make(request)
    assert isinstance(outcome, Made), outcome
    return outcome


def there(folder: Path | str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*")}


def test_each_volume_of_a_run_is_an_image_of_its_own_with_its_b_value(tmp_path: Path) -> None:
    request = a_run(tmp_path)

    outcome = made(request)

    assert outcome.volumes == [{"image": f"dwi_v{k:03}", "index": k, "b_value": float(b)} for k, b in enumerate(B_VALUES)]
    assert sorted(there(request.folder)) == outcome.outputs
    for one in outcome.volumes:
        saved = torch.load(tmp_path / "out" / f"{one['image']}.pt", weights_only=True)
        expected = prepare(request.slices, "mri", one["index"]).prepared
        assert np.array_equal(volume_of(saved["data"].numpy(), saved["size"]), expected.images[""])
        said = json.loads(there(request.folder)[f"{one['image']}_metadata.json"])
        assert said["source"].items() >= {"volume": one["index"], "volumes": 6, "b_value": one["b_value"]}.items()


def test_the_pictures_and_the_list_of_a_run_are_of_the_stack(tmp_path: Path) -> None:
    request = a_run(tmp_path, most=2)
    outcome = made(request)

    said = json.loads(there(request.folder)["dwi_metadata.json"])
    assert said["volumes"] == outcome.volumes
    assert said["files"] == ["dwi.png", "dwi_metadata.json", "dwi_montage.png"]


def test_no_more_volumes_are_made_than_the_policy_says_and_each_b_value_has_one(tmp_path: Path) -> None:
    assert [one["index"] for one in made(a_run(tmp_path, most=3)).volumes] == [0, 1, 3]


def test_a_volume_that_is_refused_takes_the_stack_with_it_and_leaves_no_tensor(tmp_path: Path) -> None:
    request = a_run(tmp_path, (0, 1000, 10**6))

    outcome = make(request)

    assert isinstance(outcome, NotMade)
    assert (outcome.reason, outcome.detail.partition(":")[0]) == ("constant_image", "volume 2 of 3")
    assert sorted(there(request.folder)) == outcome.outputs == ["dwi.png", "dwi_metadata.json", "dwi_montage.png"]


@pytest.mark.parametrize("fatal", POINTS)
@pytest.mark.parametrize("after", [1, 4])
def test_a_writer_that_is_stopped_in_a_run_leaves_whole_files_all_named_by_metadata_that_came_first(
    tmp_path: Path, fatal: str, after: int
) -> None:
    request, seen = a_run(tmp_path, (0, 1000, 500)), [0]

    def stop(point: str) -> None:
        seen[0] += point == fatal
        if seen[0] == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(request, stop)

    left = there(request.folder)
    named = {name for file, content in left.items() if file.endswith("_metadata.json") for name in json.loads(content)["files"]}
    assert left.keys() <= named
    made(request)
    assert left.items() <= there(request.folder).items()


@example([None, None, 0.0], 1)
@given(st.lists(st.sampled_from([None, 0.0, 500.0, 1000.0, 2000.0]), min_size=1, max_size=300), st.integers(0, 40))
def test_a_choice_is_of_the_run_in_order_no_larger_than_asked_and_holds_each_b_value_if_it_can(
    b_values: list[float | None], most: int
) -> None:
    chosen = chosen_volumes(b_values, most)

    assert chosen == sorted(set(chosen))
    assert len(chosen) == (min(most, len(b_values)) if most else len(b_values))
    assert set(chosen) <= set(range(len(b_values)))
    told = {b for b in b_values if b is not None}
    if len(chosen) >= len(told):
        assert told <= {b_values[place] for place in chosen}


def test_of_five_hundred_volumes_ten_are_chosen_and_the_first_is_not_among_them() -> None:
    assert chosen_volumes([None] * 500, 10) == [25, 75, 125, 175, 225, 275, 325, 375, 425, 475]
    assert spread(3, 20) == [0, 1, 2]
