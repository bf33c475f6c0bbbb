"""What is odd about the geometry of a stack is found, named and said in words."""

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.headers import a_series, a_stack_image
from gyrus.dicom import describe, order
from gyrus.dicom.columns import packed

KEY = "MR|TE=2.5|FA=9|ECHO=1|TYPE=M|ORIENT=AX"
Images = list[dict[str, Any]]


def at(heights: Sequence[float], **known: Any) -> Images:
    """One image at each height (mm)."""
    return [a_stack_image(number, (0.0, 0.0, float(height)), **known) for number, height in enumerate(heights, 1)]


def said(images: Images) -> tuple[str, list[str], list[str]]:
    found = describe(KEY, images)["completeness"]
    return found["verdict"], found["reasons"], found["words"]


def geometry(images: Images) -> dict[str, Any]:
    found: dict[str, Any] = describe(KEY, images)["geometry"]
    return found


# ── slices ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_missing_slice_is_named_by_its_place_and_its_neighbours() -> None:
    images = at([0, 4, 8, 12, 20, 24])

    assert said(images) == (
        "incomplete",
        ["missing_slices"],
        ["Slice 5 of 7 is missing: nothing lies at 16.0 mm, between 1.0004 and 1.0005."],
    )
    assert geometry(images)["missing"] == [{"slice": 5, "n": 1, "at_mm": [16.0], "between": ["1.0004", "1.0005"]}]


def test_several_missing_slices_in_a_row_are_one_sentence_and_later_ones_count_on() -> None:
    images = at([0, 2, 4, 12, 14, 16, 20, 22])

    assert said(images)[2] == [
        "Slices 4 to 6 of 12 are missing: nothing lies from 6.0 to 10.0 mm, between 1.0003 and 1.0004.",
        "Slice 10 of 12 is missing: nothing lies at 18.0 mm, between 1.0006 and 1.0007.",
    ]


def test_what_is_named_is_bounded_and_what_is_not_named_is_counted() -> None:
    heights = [step for number in range(60) for step in (number * 10, number * 10 + 2, number * 10 + 4, number * 10 + 8)]

    found = describe(KEY, at(heights))

    assert found["geometry"]["n_missing"] == 60
    assert len(found["geometry"]["missing"]) == 20
    assert len(found["completeness"]["words"]) == 6
    assert found["completeness"]["words"][-1] == "The same holds for 15 more holes."


def test_a_slice_a_kilometre_away_does_not_fill_the_document() -> None:
    found = geometry(at([0, 0.02, 0.04, 0.06, 900_000]))

    assert found["n_missing"] > 40_000_000
    assert len(found["missing"][0]["at_mm"]) == 20


@given(st.sets(st.integers(1, 28), max_size=9), st.randoms(use_true_random=False))
def test_whatever_slices_are_taken_out_exactly_those_are_named(lost: set[int], chance: random.Random) -> None:
    images = [image for number, image in enumerate(a_series(slices=30)) if number not in lost]

    found = geometry(chance.sample(images, len(images)))

    assert [height for hole in found.get("missing", ()) for height in hole["at_mm"]] == [2.0 * number for number in sorted(lost)]
    assert found["n_missing"] == len(lost)


def test_steps_that_differ_are_named_with_their_counts() -> None:
    images = at([0, 4, 8, 12, 19, 26, 27.08])

    assert said(images) == (
        "uncertain",
        ["variable_spacing"],
        ["The steps between slices differ: 4 mm 3 times, 7 mm 2 times, 1.08 mm once, between 1.0006 and 1.0007."],
    )
    assert geometry(images)["steps"][2] == {"mm": 1.08, "n": 1, "between": ["1.0006", "1.0007"]}


def test_fewer_slices_than_the_scanner_announced_are_told() -> None:
    images = at([0, 2, 4], philips_slices=5)

    assert said(images) == ("incomplete", ["fewer_slices_than_announced"], ["The scanner announced 5 slices; there are 3."])


def test_slices_that_were_announced_for_several_orientations_are_not_missed_in_one_of_them() -> None:
    images = at([0, 2, 4], philips_slices=9)

    assert describe(KEY, images, n_orientations=3)["completeness"]["verdict"] == "complete"


# ── planes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_planes_that_are_not_parallel_make_no_volume_and_are_named() -> None:
    tilted = [1.0, 0.0, 0.0, 0.0, math.cos(0.1), math.sin(0.1)]
    images = [*at([0, 5]), a_stack_image(3, (0.0, 0.0, 5.0), image_orientation_patient=tilted)]

    assert order(images) == []
    assert geometry(images)["planes"] == [{"orientation": "AX", "n": 2}, {"orientation": "AX>COR5.7", "n": 1}]
    assert said(images) == ("uncertain", ["mixed_orientation"], ["The planes are not parallel: AX (2 images), AX>COR5.7 (1 image)."])


def test_images_without_a_place_leave_the_verdict_open() -> None:
    images = [a_stack_image(1, image_position_patient=None), a_stack_image(2)]

    verdict, reasons, words = said(images)

    assert (verdict, reasons) == ("uncertain", ["no_geometry"])
    assert words == ["Position or orientation is missing or unusable, so nobody can tell whether slices are missing."]


def tilted(degrees: float, step_mm: float = 2.5, **known: Any) -> Images:
    """Slices of a gantry that is tilted: the table moves along z, the planes lean."""
    lean = math.radians(degrees)
    return [a_stack_image(n, (0.0, n * step_mm * math.sin(lean), n * step_mm * math.cos(lean)), **known) for n in range(1, 5)]


def test_a_tilted_gantry_is_measured_from_the_positions() -> None:
    found = geometry(tilted(18.5))

    assert found["is_sheared"]
    assert found["shear_deg"] == pytest.approx(18.5, abs=1e-3)
    assert found["slice_spacing_mm"] == pytest.approx(2.5 * math.cos(math.radians(18.5)), abs=1e-4)


@pytest.mark.parametrize("told", [18.5, -18.5])
def test_the_tilt_that_the_scanner_tells_is_compared_without_its_sign(told: float) -> None:
    images = tilted(18.5, gantry_detector_tilt=told)

    assert geometry(images)["is_gantry_tilt"]
    assert said(images) == (
        "complete",
        [],
        ["The slices are shifted against each other by 18.5°, as by a tilted gantry; the scanner says 18.5°."],
    )


def test_a_tilt_that_the_positions_do_not_show_is_told() -> None:
    images = tilted(0.0, gantry_detector_tilt=-12.0)

    assert geometry(images)["is_gantry_tilt"] is False
    assert said(images)[2] == ["The scanner says that its gantry was tilted by 12°; the positions say it was not."]


# ── volumes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cut_time_series_keeps_its_whole_volumes_and_names_what_the_last_one_lacks() -> None:
    images = a_series(slices=3, volumes=3)[:-1]

    found = describe(KEY, images)

    assert (found["n_volumes"], found["geometry"]["n_extra"]) == (2, 2)
    assert found["geometry"]["partial"] == [{"volume": 3, "n_lacks": 1, "lacks_mm": [4.0]}]
    assert said(images) == ("incomplete", ["incomplete_volumes"], ["Volume 3 lacks 1 of 3 slices: nothing lies at 4.0 mm."])


def by_volume(images: Images) -> Images:
    """Numbered through each volume, as they are made."""
    return images


def by_slice(images: Images) -> Images:
    """Numbered through each slice, as Philips does."""
    for image in images:
        number = image["image"]["instance_number"] - 1
        image["image"]["instance_number"] = number % 4 * 3 + number // 4 + 1
    return images


def unnumbered(images: Images) -> Images:
    """Without holes in the numbers, but with temporal positions."""
    for image in images:
        image["image"]["temporal_position_identifier"] = (image["image"]["instance_number"] - 1) // 4
        image["image"]["instance_number"] = 1
    return images


@pytest.mark.parametrize("numbered", [by_volume, by_slice, unnumbered])
@pytest.mark.parametrize("lost", range(12))
def test_the_volume_that_lacks_a_slice_is_known_wherever_it_lies(numbered: Any, lost: int) -> None:
    images = numbered(a_series(slices=4, volumes=3))
    whole = {image["sop"]: (number // 4, number % 4) for number, image in enumerate(images)}
    volume, slice_ = whole[images.pop(lost)["sop"]]

    found = describe(KEY, images)

    assert found["geometry"]["partial"] == [{"volume": volume + 1, "n_lacks": 1, "lacks_mm": [2.0 * slice_]}]
    assert found["completeness"]["reasons"] == ["incomplete_volumes"]
    assert [{whole[images[place]["sop"]][0] for place in one} for one in order(images)] == [{one} for one in range(3) if one != volume]


def test_where_nothing_tells_which_volume_lacks_a_slice_that_is_said() -> None:
    images = a_series(slices=3, volumes=3)
    for number, image in enumerate(images):
        image["image"]["instance_number"] = 17 * number % 10_007
    del images[4]

    verdict, reasons, _ = said(images)

    assert (verdict, reasons) == ("incomplete", ["incomplete_volumes", "volumes_uncertain"])


def test_an_interrupted_object_is_the_volume_that_lacks_slices() -> None:
    images = [a_stack_image(number) | {"frames": f"1-{frames}", "n": frames} for number, frames in ((1, 3), (2, 2))]
    for image in images:
        positions = [[0.0, 0.0, 2.0 * frame] for frame in range(image["n"])]
        image["image"]["frames"] = {"n": image["n"], "columns": {"image_position_patient": packed(positions)}}

    assert said(images)[2] == ["Volume 2 lacks 1 of 3 slices: nothing lies at 4.0 mm."]
    assert describe(KEY, images)["n_volumes"] == 1


# ── what lies twice ──────────────────────────────────────────────────────────────────────────────────────────────────


def with_a_copy(slices: int = 4, **known: Any) -> Images:
    """A stack whose second slice came twice, under two identifiers."""
    images = a_series(slices)
    return [*images, images[1] | {"sop": "9.9", "image": images[1]["image"] | known}]


@pytest.mark.parametrize("number", [2, 77])
def test_a_slice_that_came_twice_is_a_repeated_position_and_not_a_cut_volume(number: int) -> None:
    images = with_a_copy(instance_number=number)

    assert said(images) == (
        "uncertain",
        ["repeated_position"],
        ["2 images lie at 2.0 mm, and nothing tells them apart: 1.0002, 9.9."],
    )
    found = geometry(images)
    assert (found["n_volumes"], found["n_slices"], found["n_extra"], found["n_repeated"]) == (1, 4, 0, 1)


@pytest.mark.parametrize(
    ("pixels", "verdict", "words"),
    [
        (("aa", "aa"), "complete", "2 images lie at 2.0 mm, with equal pixels: 1.0002, 9.9."),
        (("aa", "bb"), "uncertain", "2 images lie at 2.0 mm, with different pixels: 1.0002, 9.9."),
    ],
)
def test_where_pixels_were_compared_a_copy_is_told_from_another_image(pixels: tuple[str, str], verdict: str, words: str) -> None:
    images = with_a_copy()
    images[1]["pixels"], images[-1]["pixels"] = pixels

    assert said(images)[::2] == (verdict, [words])


@pytest.mark.parametrize("known", [{"acquisition_number": 2}, {"temporal_position_identifier": 2}, {"diffusion_b_value": 1000.0}])
def test_an_image_of_another_acquisition_at_the_same_place_belongs_to_another_volume(known: dict[str, Any]) -> None:
    assert said(with_a_copy(**known))[1] == ["incomplete_volumes"]


def test_a_copy_within_a_time_series_costs_no_volume() -> None:
    images = a_series(slices=3, volumes=4)
    images.append(images[4] | {"sop": "9.9"})

    found = describe(KEY, images)

    assert (found["n_volumes"], found["geometry"]["n_repeated"], found["completeness"]["reasons"]) == (4, 1, ["repeated_position"])


# ── what runs along the volumes ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "values", "axis"),
    [
        ("diffusion_b_value", [0.0, 1000.0], "diffusion"),
        ("diffusion_gradient_orientation", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], "diffusion"),
        ("asl_context", ["CONTROL", "LABEL"], "asl_label"),
        ("philips_cardiac_phase", [1, 2], "cardiac_phase"),
        ("trigger_time", [20.0, 60.0], "cardiac_phase"),
        ("trigger_time", [0.0, 2000.0], "time"),
        ("temporal_position_identifier", [1, 2], "time"),
        ("acquisition_number", [1, 2], "time"),
        ("content_time", ["10:15:30", "10:15:32"], "time"),
        ("acquisition_date_time", ["2020-01-31T10:15:30", "2020-01-31T10:15:32"], "time"),
        ("window_width", [100.0, 200.0], "repetition"),
    ],
)
def test_the_axis_of_the_volumes_is_named_by_what_changes(field: str, values: list[Any], axis: str) -> None:
    images = a_series(slices=2, volumes=2)
    for number, image in enumerate(images):
        image["image"] |= {"diffusion_b_value": 1000.0, field: values[number // 2]}

    assert geometry(images)["volumes_axis"] == axis


def test_one_volume_has_no_axis() -> None:
    assert geometry(a_series(slices=3))["volumes_axis"] is None


@pytest.mark.parametrize(
    "labels",
    [
        {"temporal_position_identifier": [1, 2, 2, 1]},
        {"diffusion_b_value": [0.0, 1000.0, 1000.0, 0.0]},
        {"philips_gradient_number": [1, 2, 2, 1], "asl_context": ["CONTROL", "LABEL", "LABEL", "CONTROL"]},
        {"acquisition_number": [1, 2, 2, 1]},
    ],
)
def test_volumes_that_the_numbers_mix_are_sorted_by_what_labels_them(labels: dict[str, list[Any]]) -> None:
    images = a_series(slices=2, volumes=2)
    for number, image in enumerate(images):
        image["image"] |= {name: values[number] for name, values in labels.items()}

    assert order(images) == [[0, 3], [2, 1]]
    assert describe(KEY, images)["completeness"]["verdict"] == "complete"


def test_volumes_that_nothing_sorts_are_uncertain() -> None:
    images = a_series(slices=2, volumes=2)
    for image, b_value in zip(images, [0.0, 1000.0, 700.0, 0.0], strict=True):
        image["image"]["diffusion_b_value"] = b_value

    assert said(images)[:2] == ("uncertain", ["volumes_uncertain"])


def test_an_acquisition_number_of_each_slice_says_nothing_about_volumes() -> None:
    images = a_series(slices=3, volumes=2)
    for number, image in enumerate(images):
        image["image"]["acquisition_number"] = number % 3

    assert said(images) == ("complete", [], [])
