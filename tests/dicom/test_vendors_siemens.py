from pathlib import Path
from typing import Any

import pytest

from dicom.makers import CSA, SDI, SDS, SIEMENS, Element, an_xa_object, csa, fields_of, older_csa, protocol, read_with
from gyrus.dicom.vendors.siemens_csa import csa_texts
from gyrus.dicom.vendors.slice_times import without_midnight

WANTED = frozenset({"B_value", "DiffusionGradientDirection"})
MOSAIC = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]


def with_csa(tmp_path: Path, entries: dict[str, list[str]], **standard: Any) -> dict[str, Any]:
    return read_with(tmp_path, "SIEMENS", [(0x0029, CSA, 0x10, "OB", csa(entries))], **standard)


def with_protocol(tmp_path: Path, *more: Element, **lines: str) -> dict[str, Any]:
    return read_with(tmp_path, "SIEMENS", [(0x0029, CSA, 0x20, "OB", protocol(**lines)), *more])


def test_the_older_csa_header_says_the_same_as_the_newer() -> None:
    entries = {"EchoLinePosition": ["32", "", "7"], "B_value": ["1000"], "DiffusionGradientDirection": ["0.5", "0.5", "0.7071"]}

    assert csa_texts(older_csa(entries), WANTED) == csa_texts(csa(entries), WANTED) == {name: entries[name] for name in WANTED}


def test_diffusion_of_an_image_without_private_header_is_in_its_csa_header(tmp_path: Path) -> None:
    matrix = ["250", "250", "353", "250", "353", "500"]
    entries = {"B_value": ["1000"], "DiffusionGradientDirection": ["0.5", "0.5", "0.7071"], "B_matrix": matrix}

    found = with_csa(tmp_path, entries | {"DiffusionDirectionality": ["DIRECTIONAL"]})

    assert (found["diffusion_b_value"], found["diffusion_b_value_source"]) == (1000, "siemens_csa")
    assert (found["diffusion_gradient_orientation"], found["diffusion_frame"]) == ([0.5, 0.5, 0.7071], "patient")
    assert found["diffusion_b_matrix"] == [250, 250, 353, 250, 353, 500]
    assert found["diffusion_directionality"] == "DIRECTIONAL"


def test_the_private_header_stands_before_the_csa_header(tmp_path: Path) -> None:
    elements: list[Element] = [
        (0x0019, SIEMENS, 0x0C, "IS", "995"),
        (0x0019, SIEMENS, 0x0D, "CS", "DIRECTIONAL"),
        (0x0019, SIEMENS, 0x0E, "FD", [0.0, 0.6, 0.8]),
        (0x0019, SIEMENS, 0x27, "FD", [0.0, 0.0, 0.0, 358.0, 478.0, 637.0]),
        (0x0029, CSA, 0x10, "OB", csa({"B_value": ["1000"]})),
    ]

    found = read_with(tmp_path, "SIEMENS", elements)

    assert (found["diffusion_b_value"], found["diffusion_b_value_source"]) == (995, "siemens_private")
    assert found["diffusion_gradient_orientation"] == [0.0, 0.6, 0.8]
    assert found["diffusion_b_matrix"] == [0.0, 0.0, 0.0, 358.0, 478.0, 637.0]


@pytest.mark.parametrize("positive", [0, 1])
def test_the_polarity_of_phase_encoding_is_in_the_csa_header(tmp_path: Path, positive: int) -> None:
    found = with_csa(tmp_path, {"PhaseEncodingDirectionPositive": [str(positive)], "BandwidthPerPixelPhaseEncode": ["18.832"]})

    assert found["phase_encoding_direction_positive"] == positive
    assert (found["bandwidth_per_pixel_phase_encode"], found["bandwidth_per_pixel_phase_encode_source"]) == (18.832, "siemens_csa")


def test_a_polarity_that_is_no_polarity_is_not_stored(tmp_path: Path) -> None:
    assert "phase_encoding_direction_positive" not in with_csa(tmp_path, {"PhaseEncodingDirectionPositive": ["2"]})


def test_slice_times_over_midnight_are_counted_from_the_first_slice() -> None:
    assert without_midnight([0.0, 86_397_492.5, 280.0]) == [2507.5, 0.0, 2787.5]
    assert without_midnight([0.0, 1550.0, 120.0]) == [0.0, 1550.0, 120.0]


def test_slice_times_are_in_the_private_header_or_else_in_the_csa_header(tmp_path: Path) -> None:
    times = [0.0, 1450.0, 482.5]
    private = read_with(tmp_path, "SIEMENS", [(0x0019, SIEMENS, 0x29, "FD", times)], ImageType=MOSAIC)
    blocked = with_csa(tmp_path, {"MosaicRefAcqTimes": ["0.0", "1450.0", "482.5"]}, ImageType=MOSAIC)

    assert (private["slice_times"], private["slice_times_source"]) == (times, "siemens_private")
    assert (blocked["slice_times"], blocked["slice_times_source"]) == (times, "siemens_csa")


def test_the_protocol_names_the_file_of_the_sequence(tmp_path: Path) -> None:
    assert with_protocol(tmp_path, tSequenceFileName=r'""%SiemensSeq%\tfl""')["siemens_sequence_file"] == r"%SiemensSeq%\tfl"


@pytest.mark.parametrize(("inversion", "time"), [("0x1", 900), ("2", 900), ("4", None), ("0x4", None)])
def test_the_inversion_time_of_a_protocol_counts_only_where_it_inverts(tmp_path: Path, inversion: str, time: float | None) -> None:
    found = with_protocol(tmp_path, alTI_at_0="900000", sPrepPulses__ucInversion=inversion)

    assert found.get("inversion_time") == time


def test_the_standards_inversion_time_stands_before_the_protocols(tmp_path: Path) -> None:
    block = protocol(alTI_at_0="900000", sPrepPulses__ucInversion="2")

    found = read_with(tmp_path, "SIEMENS", [(0x0029, CSA, 0x20, "OB", block)], InversionTime="880")

    assert found["inversion_time"] == 880
    assert "inversion_time_source" not in found


@pytest.mark.parametrize(("mode", "in_plane", "through"), [("2", 2, 3), ("1", 1, 1), ("0x2", 2, 3)])
def test_the_protocol_has_the_factors_of_parallel_imaging(tmp_path: Path, mode: str, in_plane: float, through: float) -> None:
    found = with_protocol(tmp_path, sPat__ucPATMode=mode, sPat__lAccelFactPE="2", sPat__lAccelFact3D="3")

    assert (found["parallel_reduction_factor_in_plane"], found["parallel_reduction_factor_out_of_plane"]) == (in_plane, through)


def test_the_protocols_factor_stands_before_the_word_that_multiplies_both(tmp_path: Path) -> None:
    word: Element = (0x0051, SIEMENS, 0x11, "LO", "p4")

    found = with_protocol(tmp_path, word, sPat__ucPATMode="2", sPat__lAccelFactPE="2", sPat__lAccelFact3D="2")

    assert (found["parallel_reduction_factor_in_plane"], found["parallel_reduction_factor_in_plane_source"]) == (2, "siemens_phoenix")


@pytest.mark.parametrize("words", ["p2s4", "p2 s4"])
def test_words_on_parallel_imaging_count_the_slices_too(tmp_path: Path, words: str) -> None:
    found = read_with(tmp_path, "SIEMENS", [(0x0051, SIEMENS, 0x11, "LO", words)])

    assert (found["parallel_reduction_factor_in_plane"], found["multiband_factor"]) == (2, 4)
    assert found["multiband_factor_source"] == "siemens_private"


def test_the_protocol_counts_simultaneous_slices(tmp_path: Path) -> None:
    found = with_protocol(tmp_path, sPat__ucPATMode="32", sSliceAcceleration__lMultiBandFactor="2")

    assert (found["multiband_factor"], found["multiband_factor_source"]) == (2, "siemens_phoenix")


@pytest.mark.parametrize(("file", "bands"), [(r'""%CustomerSeq%\cmrr_mbep2d_diff""', 3), (r'""%CustomerSeq%\tgse_pcasl""', None)])
def test_a_free_key_counts_slices_only_for_the_sequence_that_puts_them_there(tmp_path: Path, file: str, bands: float | None) -> None:
    lines = {"sPat__ucPATMode": "1", "sSliceAcceleration__lMultiBandFactor": "1", "sWipMemBlock__alFree_at_13": "3"}

    assert with_protocol(tmp_path, tSequenceFileName=file, **lines).get("multiband_factor") == bands


@pytest.mark.parametrize(
    ("written", "answer", "fraction"), [("0x10", "NO", 1.0), ("8", "YES", 0.875), ("4", "YES", 0.75), ("2", "YES", 0.625)]
)
def test_the_protocol_has_the_part_of_k_space_that_was_measured(tmp_path: Path, written: str, answer: str, fraction: float) -> None:
    found = with_protocol(tmp_path, sKSpace__ucPhasePartialFourier=written)

    assert (found["partial_fourier"], found["partial_fourier_fraction"]) == (answer, fraction)


def test_partial_fourier_is_among_the_scan_options(tmp_path: Path) -> None:
    found = read_with(tmp_path, "SIEMENS", [], ScanOptions=["PFP", "FS"])

    assert (found["partial_fourier"], found["partial_fourier_source"]) == ("YES", "scan_options")


def test_a_key_that_begins_like_another_is_not_taken_for_it(tmp_path: Path) -> None:
    found = with_protocol(tmp_path, sPat__ucPATModeOld="1", sPat__ucPATMode="2", sPat__lAccelFactPE="3")

    assert found["parallel_reduction_factor_in_plane"] == 3


def test_the_image_header_holds_no_protocol_even_if_it_looks_so(tmp_path: Path) -> None:
    left_over = csa({"B_value": ["0"]}) + protocol(tSequenceFileName="""left over""")

    assert "siemens_sequence_file" not in read_with(tmp_path, "SIEMENS", [(0x0029, CSA, 0x10, "OB", left_over)])


def test_an_xa_object_has_its_words_from_its_items(tmp_path: Path) -> None:
    shared: list[Element] = [
        (0x0021, SDS, 0x09, "LO", "p2 s3"),
        (0x0021, SDS, 0x49, "CS", "DIFFUSION"),
        (0x0021, SDS, 0x55, "CS", "PSEUDOCONTINUOUS"),
        (0x0021, SDS, 0x5A, "CS", ["GR", "IR"]),
        (0x0021, SDS, 0x19, "OB", protocol(tSequenceFileName='""tfl""')),
    ]
    frames: list[list[Element]] = [
        [
            (0x0021, SDI, 0x04, "DS", time),
            (0x0021, SDI, 0x1C, "IS", "0"),
            (0x0021, SDI, 0x4F, "LO", "HC1-6"),
            (0x0021, SDI, 0x53, "FD", 20.73),
            (0x0021, SDI, 0x58, "SH", "72p*72"),
            (0x0021, SDI, 0x76, "LO", ["CC:SENSE1"]),
            (0x0021, SDI, 0x89, "FD", 900.0),
        ]
        for time in ("0.1", "0.2")
    ]

    found = fields_of(tmp_path, an_xa_object(shared, frames))

    assert (found["parallel_reduction_factor_in_plane"], found["parallel_reduction_factor_in_plane_source"]) == (2, "siemens_xa")
    assert (found["multiband_factor"], found["acquisition_contrast"]) == (3, "DIFFUSION")
    assert found["arterial_spin_labeling_contrast"] == "PSEUDOCONTINUOUS"
    assert (found["scanning_sequence"], found["siemens_sequence_file"]) == (["GR", "IR"], "tfl")
    assert (found["phase_encoding_direction_positive"], found["bandwidth_per_pixel_phase_encode"]) == (0, 20.73)
    assert (found["coil_elements"], found["acquisition_matrix_text"]) == ("HC1-6", "72p*72")
    assert (found["siemens_image_comments"], found["inversion_time"]) == (["CC:SENSE1"], 900)
    assert found["slice_times"] == [[100.0], [200.0]]


def test_a_factor_is_known_even_where_the_standard_says_no(tmp_path: Path) -> None:
    block = protocol(sPat__ucPATMode="1", sSliceAcceleration__lMultiBandFactor="2")
    dataset = an_xa_object([(0x0021, SDS, 0x19, "OB", block)], [[(0x0021, SDI, 0x04, "DS", "0")]], ParallelAcquisition="NO")

    found = fields_of(tmp_path, dataset)

    assert (found["parallel_acquisition"], found["multiband_factor"], found["multiband_factor_source"]) == ("NO", 2, "siemens_phoenix")
