from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.headers import a_dataset, a_file
from dicom.makers import PARM, PHILIPS, SIEMENS, UIH, Element, csa, fields_of, read_with
from gyrus.dicom import Header, read
from gyrus.dicom.vendors.siemens_csa import csa_texts


@pytest.mark.parametrize(
    ("manufacturer", "elements", "b_value", "source"),
    [
        ("SIEMENS", [(0x0019, SIEMENS, 0x0C, "IS", "1000")], 1000, "siemens_private"),
        ("GE MEDICAL SYSTEMS", [(0x0043, PARM, 0x39, "IS", ["1000001000", "8", "0", "0"])], 1000, "ge_private"),
        ("Philips Medical Systems", [(0x2001, PHILIPS, 0x03, "FL", 800.0)], 800, "philips_private"),
        ("UIH", [(0x0065, UIH, 0x09, "FD", 929.75), (0x0065, UIH, 0x0A, "FD", 1000.0)], 1000, "uih_private"),
    ],
)
def test_each_makers_b_value_is_found_by_its_creator(
    tmp_path: Path, manufacturer: str, elements: list[Element], b_value: float, source: str
) -> None:
    found = read_with(tmp_path, manufacturer, elements)

    assert (found["diffusion_b_value"], found["diffusion_b_value_source"]) == (b_value, source)


def test_the_standards_b_value_stands_before_the_makers(tmp_path: Path) -> None:
    found = read_with(tmp_path, "UIH", [(0x0065, UIH, 0x0A, "FD", 1000.0)], DiffusionBValue=700.0)

    assert found["diffusion_b_value"] == 700
    assert "diffusion_b_value_source" not in found


def test_a_creator_in_another_block_is_found_there(tmp_path: Path) -> None:
    elements: list[Element] = [(0x0019, "SOMEBODY ELSE", 0x0C, "IS", "5"), (0x0019, SIEMENS, 0x0C, "IS", "1000")]

    assert read_with(tmp_path, "SIEMENS", elements)["diffusion_b_value"] == 1000


def test_canons_direction_is_in_the_comment_and_in_axes_of_the_image(tmp_path: Path) -> None:
    found = read_with(tmp_path, "CANON_MEC", [], ImageComments="b=1500(0.895,-0.445,0.000)", DiffusionBValue=1500.0)

    assert (found["diffusion_gradient_orientation"], found["diffusion_frame"]) == ([0.895, -0.445, 0.0], "image")


def test_a_b_value_may_stand_only_in_the_name_of_the_sequence(tmp_path: Path) -> None:
    assert read_with(tmp_path, "SIEMENS", [], SequenceName="*ep_b1000#3")["diffusion_b_value"] == 1000


def test_a_map_over_several_b_values_has_none(tmp_path: Path) -> None:
    assert "diffusion_b_value" not in read_with(tmp_path, "SIEMENS", [], SequenceName="*ep_b0_1000")


@pytest.mark.parametrize(
    ("manufacturer", "element", "factor"),
    [
        ("SIEMENS", (0x0051, SIEMENS, 0x11, "LO", "p2"), 2),
        ("GE MEDICAL SYSTEMS", (0x0043, PARM, 0x83, "DS", ["0.333333", "1"]), 3),
        ("UIH", (0x0065, UIH, 0x0D, "SH", "F:2S"), 2),
    ],
)
def test_the_makers_word_for_acceleration_is_a_factor(tmp_path: Path, manufacturer: str, element: Element, factor: float) -> None:
    assert read_with(tmp_path, manufacturer, [element])["parallel_reduction_factor_in_plane"] == factor


def test_simultaneous_slices_are_counted(tmp_path: Path) -> None:
    assert read_with(tmp_path, "SIEMENS", [(0x0051, SIEMENS, 0x11, "LO", "p2s4")])["multiband_factor"] == 4
    assert read_with(tmp_path, "SIEMENS", [], ImageComments="Unaliased MB3/PE3/LB SENSE1")["multiband_factor"] == 3


@pytest.mark.parametrize(("code", "letter"), [(0, "M"), (1, "P"), (2, "R"), (3, "I")])
def test_the_code_of_a_ge_image_tells_its_component(tmp_path: Path, code: int, letter: str) -> None:
    dataset = a_dataset(Manufacturer="GE MEDICAL SYSTEMS", ImageType=["ORIGINAL", "PRIMARY", "OTHER"])
    dataset.private_block(0x0043, PARM, create=True).add_new(0x2F, "SS", code)

    header = read(a_file(tmp_path, dataset))

    assert isinstance(header, Header)
    assert f"|TYPE={letter}|" in header.stacks[0]["key"]


def test_a_grid_of_slices_has_the_position_of_each_tile(tmp_path: Path) -> None:
    items = []
    for height in (0.0, 3.0, 6.0):
        item = Dataset()
        item.ImagePositionPatient = [1.0, 2.0, height]
        items.append(item)
    elements: list[Element] = [(0x0065, UIH, 0x50, "DS", "3"), (0x0065, UIH, 0x51, "SQ", Sequence(items))]

    found = read_with(tmp_path, "UIH", elements, ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])

    assert (found["tile_count"], found["tile_positions"]) == (3, [1.0, 2.0, 0.0, 1.0, 2.0, 3.0, 1.0, 2.0, 6.0])


def test_a_csa_header_gives_the_wanted_entries() -> None:
    block = csa({"EchoLinePosition": ["32"], "SliceNormalVector": ["0.0", "0.0", "-1.0"]})

    assert csa_texts(block, frozenset({"SliceNormalVector"})) == {"SliceNormalVector": ["0.0", "0.0", "-1.0"]}


@pytest.mark.parametrize("length", [0, 3, 12, 60, 100, 150])
def test_a_csa_header_that_breaks_off_gives_what_was_whole(length: int) -> None:
    assert csa_texts(csa({"B_value": ["1000"], "SliceNormalVector": ["1"]})[:length], frozenset({"SliceNormalVector"})) == {}


def test_a_mosaic_takes_its_normal_from_the_csa_header(tmp_path: Path) -> None:
    elements: list[Element] = [
        (0x0019, SIEMENS, 0x0A, "US", 35),
        (0x0029, "SIEMENS CSA HEADER", 0x10, "OB", csa({"SliceNormalVector": ["0.0", "0.0", "-1.0"]})),
    ]

    found = read_with(tmp_path, "SIEMENS", elements, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])

    assert (found["tile_count"], found["tile_normal"]) == (35, [0.0, 0.0, -1.0])


def test_an_element_in_the_second_of_two_blocks_of_one_creator_is_found(tmp_path: Path) -> None:
    dataset = a_dataset(Manufacturer="GE MEDICAL SYSTEMS")
    dataset.add_new(0x00430010, "LO", PARM)
    dataset.add_new(0x00430011, "LO", PARM)
    dataset.add_new(0x00431139, "IS", [1000, 8, 0, 0])

    assert fields_of(tmp_path, dataset)["diffusion_b_value"] == 1000.0
