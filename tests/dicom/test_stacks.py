import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.headers import AXIAL, a_series, a_stack_image
from gyrus.dicom import describe, disagreements, members_of, merged, most_frequent, order, stack_key
from gyrus.dicom.columns import frame_numbers, frame_ranges, packed, unpacked
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.geometry import GEOMETRY_FIELDS
from gyrus.dicom.keys import KEY_FIELDS, parsed_key
from gyrus.dicom.stacks import shell

KEY = "MR|TE=2.5|FA=9|ECHO=1|TYPE=M|ORIENT=AX"


def places(images: list[dict[str, Any]]) -> list[list[float]]:
    """The heights (mm) of volumes × slices."""
    members = members_of(images, ["image_position_patient"])
    return [[members[place].known["image_position_patient"][2] for place in volume] for volume in order(images)]


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 3))
def test_the_order_of_arrival_does_not_change_a_description(chance: random.Random, slices: int, volumes: int) -> None:
    images = a_series(slices, volumes)
    for image in images:
        image["image"]["diffusion_b_value"] = chance.choice([0.0, 1000.0])
        image["shared"] = image["shared"] | {"series_description": chance.choice(["a", "b"]), "image_type": ["O", "P", chance.choice("MP")]}
    shuffled = chance.sample(images, len(images))

    assert describe(KEY, shuffled) == describe(KEY, images)
    assert places(shuffled) == places(images)


def test_repeated_positions_are_volumes_in_the_order_of_instance_numbers() -> None:
    images = a_series(slices=3, volumes=2)

    described = describe(KEY, images)

    assert order(images) == [[0, 1, 2], [3, 4, 5]]
    assert (described["n_volumes"], described["geometry"]["n_slices"], described["n_images"]) == (2, 3, 6)
    assert described["completeness"] == {"verdict": "complete", "reasons": [], "words": []}


def test_b_zero_alone_is_no_diffusion() -> None:
    images = [a_stack_image(1, diffusion_b_value=0.0)]

    described = describe(KEY, images)

    assert described["b_values"] == []
    assert "diffusion_b_value" not in described["fingerprint"]


def test_a_b_value_that_is_left_out_where_others_of_the_stack_have_one_is_zero() -> None:
    images = a_series(slices=2, volumes=2)
    for image in images[2:]:
        image["image"]["diffusion_b_value"] = 1500.0

    assert describe(KEY, images)["b_values"] == [0.0, 1500.0]


@pytest.mark.parametrize(("written", "meant"), [(0.003, 0), (5, 0), (48, 50), (929.75, 900), (1005, 1000), (2500, 2500)])
def test_a_b_value_belongs_to_a_shell(written: float, meant: float) -> None:
    assert shell(written) == meant


def test_each_mosaic_is_a_volume_whose_first_tile_lies_inside_it() -> None:
    shared = {"modality": "MR", "rows": 4, "columns": 4, "pixel_spacing": [2.0, 2.0], "spacing_between_slices": 3.0}
    shared |= {"tile_count": 3, "tile_normal": [0.0, 0.0, -1.0]}
    images = [a_stack_image(number) | {"shared": shared} for number in (2, 1)]

    described = describe(KEY, images)

    assert order(images) == [[1], [0]]
    assert (described["n_volumes"], described["geometry"]["n_slices"], described["geometry"]["rows"]) == (2, 3, 2)
    assert described["geometry"]["affine_lps"] == [[2.0, 0.0, 0.0, 2.0], [0.0, 2.0, 0.0, 2.0], [0.0, 0.0, -3.0, 0.0]]
    assert described["geometry"]["normal"] == [0.0, 0.0, -1.0]


def test_frames_of_an_enhanced_object_are_images_of_their_stack() -> None:
    positions = [[0.0, 0.0, float(z)] for z in (0, 2, 4, 0, 2, 4)]
    columns = {"image_position_patient": packed(positions), "echo_time": packed([1.0, 1.0, 1.0, 7.0, 7.0, 7.0])}
    image = a_stack_image(1) | {"frames": "4-6", "n": 3}
    image["image"]["frames"] = {"n": 6, "columns": columns}

    described = describe(KEY, [image])

    assert (described["n_files"], described["n_images"], described["n_volumes"]) == (1, 3, 1)
    assert described["fingerprint"]["echo_time"] == 7.0
    assert described["geometry"]["slice_spacing_mm"] == 2.0


def test_what_must_not_split_a_stack_is_kept_as_its_range() -> None:
    images = [a_stack_image(n, (0.0, 0.0, float(n)), x_ray_tube_current=current) for n, current in enumerate([200.0, 95.5, 240.0])]
    images.append(a_stack_image(3, (0.0, 0.0, 3.0)))

    assert describe(KEY, images)["ranges"] == {"x_ray_tube_current": [95.5, 240.0]}


def test_the_axes_of_a_stack_are_counted() -> None:
    images = [
        a_stack_image(n, diffusion_b_value=b_value, temporal_position_identifier=n) for n, b_value in enumerate([0.0, 1000.0, 1000.0])
    ]
    images[0]["shared"]["echo_time"] = 2.5

    assert describe(KEY, images)["n_distinct"] == {"echo_time": 1, "diffusion_b_value": 2, "temporal_position_identifier": 3}


def test_ranges_reach_over_the_frames_of_a_stack_and_no_others() -> None:
    image = a_stack_image(1) | {"frames": "2-3", "n": 2}
    image["image"]["frames"] = {"n": 3, "columns": {"repetition_time": packed([15.0, 75.0, 80.0])}}

    assert describe(KEY, [image])["ranges"] == {"repetition_time": [75.0, 80.0]}


def test_several_values_of_a_fingerprint_are_joined_by_a_backslash() -> None:
    image = a_stack_image(1)
    image["shared"]["image_type"] = ["ORIGINAL", "PRIMARY", "M", "ND"]

    assert describe(KEY, [image])["fingerprint"]["image_type"] == "ORIGINAL\\PRIMARY\\M\\ND"


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), st.sampled_from(["x", "y", None])), max_size=8), st.randoms())
def test_the_most_frequent_value_does_not_depend_on_order(pairs: list[tuple[str, Any]], chance: random.Random) -> None:
    assert most_frequent(chance.sample(pairs, len(pairs))) == most_frequent(pairs)


def test_equally_frequent_values_are_decided_by_the_smallest_id() -> None:
    assert most_frequent([("2", "b"), ("1", "a"), ("3", None), ("4", None), ("5", None)]) == "a"


def test_members_that_disagree_are_counted_by_field() -> None:
    members = [("1", {"a": [1], "b": 1}), ("2", {"a": [1], "b": 2}), ("3", {"b": 2})]

    assert merged(members, ["a", "b", "c"]) == {"a": [1], "b": 2}
    assert disagreements(members, ["a", "b", "c"]) == {"b": 2}


@given(st.sets(st.integers(1, 400), min_size=1))
def test_frame_ranges_name_exactly_their_frames(frames: set[int]) -> None:
    assert frame_numbers(frame_ranges(frames)) == sorted(frames)


@given(
    st.lists(st.floats(allow_nan=False), min_size=1)
    | st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1)
    | st.lists(st.none() | st.text(), min_size=1)
    | st.lists(st.integers(-(2**70), 2**70), min_size=1)
)
def test_a_packed_column_gives_its_values_back(values: list[Any]) -> None:
    assert unpacked(packed(values)) == values


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
HOSTILE = {
    "number": NUMBERS,
    "numbers": st.lists(NUMBERS, min_size=1, max_size=7) | st.sampled_from([AXIAL, [0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]),
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9),
    "text": st.text(max_size=4),
    "time": st.sampled_from(["10:15:30", "10:15:31.5"]),
    "date_time": st.sampled_from(["2020-01-31T10:15:30", "2020-01-31T10:15:31.5"]),
    "texts": st.lists(st.text(max_size=4), min_size=1, max_size=4),
}


@given(st.data(), st.integers(1, 4))
def test_no_header_makes_a_description_fail(data: st.DataObject, count: int) -> None:
    names = sorted({*GEOMETRY_FIELDS, *KEY_FIELDS, "instance_number"} - {"enhanced"})
    images = []
    for number in range(count):
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True))
        known = {name: data.draw(HOSTILE[STANDARD.by_name[name].kind]) for name in chosen}
        images.append(a_stack_image(number, **{"image_position_patient": [0.0, 0.0, float(number)]} | known))

    key = stack_key(images[0]["shared"], images[0]["image"])

    assert parsed_key(key)["ORIENT"] in ("AX", "COR", "SAG", "UNK")
    assert describe(key, images)["n_images"] == count


def test_grouping_stored_headers_does_not_load_pydicom() -> None:
    program = "import sys, gyrus.dicom.stacks, gyrus.dicom.fields, gyrus.dicom.geometry; sys.exit('pydicom' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_image_that_has_only_corners_of_tiles_beside_one_that_has_a_position_has_no_place() -> None:
    plain, tiled = a_stack_image(1), a_stack_image(2, tile_positions=[0.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    del tiled["image"]["image_position_patient"]

    assert describe("MR|ORIENT=AX", [plain, tiled])["geometry"]["status"] == "no_geometry"


def test_a_slice_with_a_thickness_below_nothing_has_no_spacing() -> None:
    assert describe("MR|ORIENT=AX", [a_stack_image(1, slice_thickness=-5.0)])["geometry"]["slice_spacing_mm"] is None
