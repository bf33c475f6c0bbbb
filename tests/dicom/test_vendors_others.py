from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.makers import ACQU, PARM, PHILIPS, PHILIPS_ITEMS, PHILIPS_MR, UIH, Element, read_with

GE_NAME, PHILIPS_NAME = "GE MEDICAL SYSTEMS", "Philips Medical Systems"
NOT_SET = 1.7e38


def a_ge(tmp_path: Path, *elements: tuple[int, str, Any], **standard: Any) -> dict[str, Any]:
    """An image with elements (low byte, VR, value) of GEMS_PARM_01."""
    return read_with(tmp_path, GE_NAME, [(0x0043, PARM, *element) for element in elements], **standard)


def ge_direction(*parts: str) -> list[Element]:
    return [(0x0019, ACQU, 0xBB + place, "DS", part) for place, part in enumerate(parts)]


@pytest.mark.parametrize(("written", "b_value"), [("1000", 1000), ("1000000800", 800), ("0", 0)])
def test_a_b_value_of_ge_is_what_a_billion_leaves_over(tmp_path: Path, written: str, b_value: float) -> None:
    assert a_ge(tmp_path, (0x39, "IS", [written, "1073741832", "0", "0"]))["diffusion_b_value"] == b_value


def test_a_direction_of_ge_is_in_axes_of_the_image(tmp_path: Path) -> None:
    b_value: Element = (0x0043, PARM, 0x39, "IS", ["1000", "8", "0", "0"])

    found = read_with(tmp_path, GE_NAME, [b_value, *ge_direction("0.6", "0", "-0.8")])

    assert (found["diffusion_gradient_orientation"], found["diffusion_frame"]) == ([0.6, 0, -0.8], "image")


def test_a_shorter_direction_of_ge_tells_an_inner_shell(tmp_path: Path) -> None:
    b_value: Element = (0x0043, PARM, 0x39, "IS", ["2000", "8", "0", "0"])

    found = read_with(tmp_path, GE_NAME, [b_value, *ge_direction("0", "0.7071", "0")])

    assert (found["diffusion_b_value"], found["diffusion_gradient_orientation"]) == (1000, [0, 1, 0])


@pytest.mark.parametrize(("kind", "directionality"), [(14, "NONE"), (16, "DIRECTIONAL"), (2, None)])
def test_a_flag_of_ge_tells_images_with_a_direction_from_those_without(tmp_path: Path, kind: int, directionality: str | None) -> None:
    found = a_ge(tmp_path, (0x39, "IS", ["0", "8", "0", "0"]), (0x30, "SS", kind), DiffusionBValue=0.0)

    assert found.get("diffusion_directionality") == directionality


def test_ge_writes_inverse_factors(tmp_path: Path) -> None:
    found = a_ge(tmp_path, (0x83, "DS", ["0.333333", "0.5"]))

    assert (found["parallel_reduction_factor_in_plane"], found["parallel_reduction_factor_out_of_plane"]) == (3, 2)


@pytest.mark.parametrize(("values", "bands"), [(["8", "4", "19", ""], 8), (["0", "0", "0", ""], None)])
def test_hyperband_counts_the_slices_that_are_excited_at_once(tmp_path: Path, values: list[str], bands: float | None) -> None:
    assert a_ge(tmp_path, (0xB6, "LO", values)).get("multiband_factor") == bands


@pytest.mark.parametrize(("values", "factor"), [(["1.24", "1", "10", "0"], 1.24), (["1", "0", "3", "0"], None)])
def test_compressed_sensing_of_ge_has_a_factor_where_it_is_on(tmp_path: Path, values: list[str], factor: float | None) -> None:
    assert a_ge(tmp_path, (0xB7, "LO", values)).get("compressed_sensing_factor") == factor


def test_ge_says_what_its_network_did_and_how_its_echoes_are_spaced(tmp_path: Path) -> None:
    found = a_ge(tmp_path, (0xCA, "LO", ["0.75", "High"]), (0x2C, "SS", 544))

    assert (found["ge_deep_learning"], found["ge_effective_echo_spacing"]) == (["0.75", "High"], 544)


def test_an_echo_spacing_of_zero_is_none(tmp_path: Path) -> None:
    assert "ge_effective_echo_spacing" not in a_ge(tmp_path, (0x2C, "SS", 0))


def test_partial_fourier_of_ge_is_among_the_scan_options(tmp_path: Path) -> None:
    found = a_ge(tmp_path, ScanOptions=["EPI_GEMS", "PFF"])

    assert (found["partial_fourier"], found["partial_fourier_direction"]) == ("YES", "FREQUENCY")


def test_ge_names_the_program_and_its_family(tmp_path: Path) -> None:
    found = read_with(tmp_path, GE_NAME, [(0x0019, ACQU, 0x9C, "LO", "research/ABCD/epi_pepolar"), (0x0019, ACQU, 0x9E, "LO", "EPI")])

    assert (found["ge_pulse_sequence"], found["ge_sequence_family"]) == ("research/ABCD/epi_pepolar", "EPI")


def philips_direction(*parts: float) -> list[Element]:
    return [(0x2005, PHILIPS_MR, 0xB0 + place, "FL", part) for place, part in enumerate(parts)]


@pytest.mark.parametrize(("letter", "directionality"), [("I", "ISOTROPIC"), ("O", "DIRECTIONAL"), ("M", "DIRECTIONAL")])
def test_a_letter_of_philips_tells_the_kind_of_direction(tmp_path: Path, letter: str, directionality: str) -> None:
    elements: list[Element] = [(0x2001, PHILIPS, 0x03, "FL", 800.0), (0x2001, PHILIPS, 0x04, "CS", letter)]

    found = read_with(tmp_path, PHILIPS_NAME, [*elements, *philips_direction(0.0, 1.0, 0.0)])

    assert (found["diffusion_directionality"], found["diffusion_gradient_orientation"]) == (directionality, [0, 1, 0])


def test_the_mark_of_philips_for_no_value_is_no_b_value(tmp_path: Path) -> None:
    found = read_with(tmp_path, PHILIPS_NAME, [(0x2001, PHILIPS, 0x03, "FL", NOT_SET)])

    assert not {name for name in found if name.startswith("diffusion")}


def test_a_direction_of_zeros_is_no_direction(tmp_path: Path) -> None:
    found = read_with(tmp_path, PHILIPS_NAME, [], DiffusionBValue=0.0, DiffusionGradientOrientation=[0.0, 0.0, 0.0])

    assert "diffusion_gradient_orientation" not in found


def test_an_old_philips_creator_in_capitals_is_the_same_creator(tmp_path: Path) -> None:
    assert read_with(tmp_path, PHILIPS_NAME, [(0x2001, PHILIPS.upper(), 0x03, "FL", 800.0)])["diffusion_b_value"] == 800


@pytest.mark.parametrize(("pulse", "time"), [("INV", 900), ("NO", None), ("SAT", None)])
def test_the_delay_of_a_philips_prepulse_is_an_inversion_time_if_it_inverts(tmp_path: Path, pulse: str, time: float | None) -> None:
    found = read_with(tmp_path, PHILIPS_NAME, [(0x2001, PHILIPS, 0x1B, "FL", 900.0), (0x2001, PHILIPS, 0x1C, "CS", pulse)])

    assert found.get("inversion_time") == time


def a_philips_item(**elements: Any) -> Element:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return (0x2005, PHILIPS_ITEMS, 0x0F, "SQ", Sequence([item]))


def test_a_classic_philips_image_has_its_acceleration_in_an_item(tmp_path: Path) -> None:
    item = a_philips_item(
        ParallelReductionFactorInPlane=1.0,
        ParallelReductionFactorOutOfPlane=2.0,
        ParallelAcquisitionTechnique="MBSENSE",
        PartialFourier="YES",
        ComplexImageComponent="PHASE",
    )

    found = read_with(tmp_path, PHILIPS_NAME, [item])

    assert (found["parallel_acquisition_technique"], found["parallel_acquisition_technique_source"]) == ("MBSENSE", "philips_item")
    assert (found["parallel_reduction_factor_out_of_plane"], found["multiband_factor"]) == (2, 2)
    assert (found["partial_fourier"], found["complex_image_component"]) == ("YES", "PHASE")


def test_the_factor_of_compressed_sense_is_one_of_compressed_sensing(tmp_path: Path) -> None:
    item = a_philips_item(ParallelReductionFactorInPlane=4.0, ParallelAcquisitionTechnique="CSENSE")

    assert read_with(tmp_path, PHILIPS_NAME, [item])["compressed_sensing_factor"] == 4


def test_the_top_level_of_a_philips_image_stands_before_its_item(tmp_path: Path) -> None:
    item = a_philips_item(PartialFourier="YES")

    found = read_with(tmp_path, PHILIPS_NAME, [item], PartialFourier="NO")

    assert found["partial_fourier"] == "NO"
    assert "partial_fourier_source" not in found


def test_a_value_that_philips_did_not_set_in_its_item_is_none(tmp_path: Path) -> None:
    found = read_with(tmp_path, PHILIPS_NAME, [a_philips_item(ParallelReductionFactorInPlane=7.23e75)])

    assert "parallel_reduction_factor_in_plane" not in found


@pytest.mark.parametrize(("written", "slope"), [(0.003298, 0.003298), (0.0, None)])
def test_a_scale_slope_of_zero_is_none(tmp_path: Path, written: float, slope: float | None) -> None:
    elements: list[Element] = [(0x2005, PHILIPS_MR, 0x0E, "FL", written), (0x2005, PHILIPS_MR, 0x0D, "FL", 0.0)]

    found = read_with(tmp_path, PHILIPS_NAME, elements)

    assert found.get("philips_scale_slope") == (pytest.approx(slope) if slope else None)
    assert found["philips_scale_intercept"] == 0


def test_philips_numbers_the_places_of_an_image(tmp_path: Path) -> None:
    elements: list[Element] = [
        (0x2001, PHILIPS, 0x08, "IS", "3"),
        (0x2001, PHILIPS, 0x0A, "IS", "21"),
        (0x2001, PHILIPS, 0x81, "IS", "30"),
        (0x2005, PHILIPS_ITEMS, 0x12, "IS", "2"),
        (0x2005, PHILIPS_ITEMS, 0x13, "IS", "16"),
        (0x2005, PHILIPS_ITEMS, 0x29, "CS", "LABEL"),
    ]

    found = read_with(tmp_path, PHILIPS_NAME, elements)

    assert (found["philips_cardiac_phase"], found["philips_slice_number"], found["philips_dynamics"]) == (3, 21, 30)
    assert (found["philips_b_value_number"], found["philips_gradient_number"], found["asl_context"]) == (2, 16, "LABEL")


def test_philips_has_the_water_fat_shift_and_the_echoes_of_an_epi(tmp_path: Path) -> None:
    elements: list[Element] = [
        (0x2001, PHILIPS, 0x22, "FL", 8.5),
        (0x2001, PHILIPS, 0x13, "SL", 39),
        (0x2001, PHILIPS, 0x20, "LO", "FEEPI"),
        (0x2001, PHILIPS, 0x23, "DS", "80"),
    ]

    found = read_with(tmp_path, PHILIPS_NAME, elements)

    assert (found["water_fat_shift"], found["epi_factor"]) == (8.5, 39)
    assert (found["philips_scan_technique"], found["flip_angle"]) == ("FEEPI", 80)


@pytest.mark.parametrize(("word", "kept"), [("CS_SENSE_AI", "CS_SENSE_AI"), ("NONE", None)])
def test_philips_says_where_a_network_reconstructed(tmp_path: Path, word: str, kept: str | None) -> None:
    found = read_with(tmp_path, PHILIPS_NAME, [(0x2005, "Philips MR Imaging DD 008", 0x10, "CS", word)])

    assert found.get("philips_deep_learning") == kept


def test_united_imaging_has_a_nominal_and_an_actual_b_value(tmp_path: Path) -> None:
    found = read_with(tmp_path, "UIH", [(0x0065, UIH, 0x09, "FD", 929.75), (0x0065, UIH, 0x0A, "FD", 1000.0)])

    assert (found["diffusion_b_value"], found["diffusion_b_value_actual"]) == (1000, 929.75)


def test_the_shown_phase_encoding_of_united_imaging_is_no_polarity(tmp_path: Path) -> None:
    found = read_with(tmp_path, "UIH", [(0x0065, UIH, 0x05, "SH", "A->P")], InPlanePhaseEncodingDirection="COL")

    assert found["uih_phase_encoding_shown"] == "A->P"
    assert "phase_encoding_direction_positive" not in found


def test_the_tiles_of_united_imaging_have_times_even_over_midnight(tmp_path: Path) -> None:
    items = []
    for time in ("235959.500000", "000000.250000"):
        item = Dataset()
        item.AcquisitionTime = time
        items.append(item)
    elements: list[Element] = [(0x0065, UIH, 0x50, "DS", "2"), (0x0065, UIH, 0x51, "SQ", Sequence(items))]

    found = read_with(tmp_path, "UIH", elements, ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])

    assert found["slice_times"] == [0, 750]
