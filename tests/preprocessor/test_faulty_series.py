"""A real series harmed in many ways: each is handled, to the same voxels, or refused with the right reason; none gives a wrong volume."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, dcmread
from pydicom.uid import ImplicitVRLittleEndian, RLELossless, generate_uid

from gyrus.data import ImageError, find_stacks, load_image
from gyrus.dicom.layouts import layout_of

SETS = Path(os.environ.get("GYRUS_TEST_DICOM", "/nowhere"))
RUN = SETS / "dcm_qa_nih/In/20180918GE/mr_0005"  # fMRI of a head, 15 slices, 10 volumes
pytestmark = pytest.mark.skipif(not RUN.is_dir(), reason="GYRUS_TEST_DICOM names no folder of unpacked sets")

Harm = Callable[[Path], object]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One volume of the run, a file a slice, named from the feet up."""
    folder = tmp_path_factory.mktemp("series")
    [stack] = find_stacks(RUN)
    for number, plane in enumerate(layout_of(stack.images).volumes[4]):
        shutil.copy(plane.path, folder / f"{number:02}.dcm")
    return folder


def changed(path: Path, **elements: object) -> None:
    dataset = dcmread(path)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


def moved(path: Path, along: float = 0.0, sideways: float = 0.0) -> None:
    """In steps of slices along the normal, in mm sideways."""
    dataset = dcmread(path)
    axes = np.reshape([float(part) for part in dataset.ImageOrientationPatient], (2, 3))
    way = np.cross(*axes) * along * float(dataset.SpacingBetweenSlices) + axes[0] * sideways
    dataset.ImagePositionPatient = [float(part) for part in np.array(dataset.ImagePositionPatient, float) + way]
    dataset.save_as(path)


def every(folder: Path, what: Callable[[int, Dataset], None]) -> None:
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        dataset = dcmread(path)
        what(number, dataset)
        dataset.save_as(path)


def another(folder: Path, name: str, of: str = "07.dcm", **elements: object) -> None:
    """A file more, made of one that is there."""
    shutil.copy(folder / of, folder / name)
    changed(folder / name, **elements)


def other_pixels(dataset: Dataset) -> bytes:
    return np.ascontiguousarray(dataset.pixel_array[::-1]).tobytes()


def half_steps(number: int, dataset: Dataset) -> None:
    """Every other slice bears twice its numbers and says so."""
    if number % 2:
        dataset.PixelData = (dataset.pixel_array * 2).astype("<i2").tobytes()
    dataset.RescaleSlope, dataset.RescaleIntercept = (0.5 if number % 2 else 1), 0


def turned(path: Path) -> None:
    changed(path, ImageOrientationPatient=[0.99619, 0.08716, 0, -0.08716, 0.99619, 0])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def without_suffix(folder: Path) -> None:
    for path in sorted(folder.glob("*.dcm")):
        path.rename(folder / f"IM{path.stem}")


def nothing_left_of_the_last(folder: Path, left: Callable[[bytes], bytes], without: bool = False) -> None:
    """Of the last slice of a stack, whose lack shows nowhere else."""
    if without:
        without_suffix(folder)
    last = max(folder.iterdir())
    last.write_bytes(left(last.read_bytes()))


def to_nothing(path: Path) -> None:
    """As git-annex leaves what was not fetched."""
    path.unlink(missing_ok=True)
    path.symlink_to("/nowhere/at/all")


def litter(folder: Path) -> None:
    for name, content in (
        *(("Thumbs.db", b"\xd0\xcf\x11\xe0"), ("README", b"what was scanned"), ("notes.txt", b""), ("notes2", b"of two lines")),
        *(("VERSION", b""), (".DS_Store", b"\0\0\0\x01Bud1"), ("._IM07", b"\0\5\x16\7"), ("._07.dcm", b"\0\5\x16\7"), ("x.zip", b"PK\3\4")),
    ):
        (folder / name).write_bytes(content)
    to_nothing(folder / "latest")
    to_nothing(folder / "notes.lnk")


def a_copy_without_types(folder: Path) -> None:
    """Of one file, in implicit VR."""
    dataset = dcmread(folder / "07.dcm")
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(folder / "copy.dcm", implicit_vr=True, little_endian=True)


def squeezed(path: Path) -> None:
    dataset = dcmread(path)
    dataset.Rows, dataset.PixelData = 32, dataset.PixelData[: 32 * dataset.Columns * 2]
    dataset.save_as(path)


def same_instance_with_other_pixels(folder: Path) -> None:
    shutil.copy(folder / "07.dcm", folder / "copy.dcm")
    changed(folder / "copy.dcm", PixelData=other_pixels(dcmread(folder / "07.dcm")))


def compressed(folder: Path) -> None:
    for path in folder.glob("*.dcm"):
        dataset = dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)


def cut_within_the_packing(folder: Path) -> None:
    compressed(folder)
    dataset = dcmread(folder / "07.dcm")
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2 * 2 // 4 * 2]
    dataset.save_as(folder / "07.dcm")


def upside_down(folder: Path) -> None:
    """Numbers and names run from the head down."""
    every(folder, lambda number, dataset: setattr(dataset, "InstanceNumber", 15 - number))
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        path.rename(folder / f"x{14 - number:02}.dcm")


def a_scout(folder: Path) -> None:
    scout = {
        "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
        "SOPInstanceUID": generate_uid(),
    }
    another(folder, "scout.dcm", **scout)


REFUSED: dict[str, tuple[Harm, str]] = {
    "a slice is missing": (lambda folder: (folder / "06.dcm").unlink(), "missing_slices"),
    "a slice lies half a step too high": (lambda folder: moved(folder / "06.dcm", along=0.5), "uneven_spacing"),
    "a slice lies beside the others": (lambda folder: moved(folder / "06.dcm", sideways=5), "shifted"),
    "a slice is turned by five degrees": (lambda folder: turned(folder / "06.dcm"), "mixed_orientation"),
    "a slice has no position": (lambda folder: changed(folder / "06.dcm", ImagePositionPatient=None), "no_geometry"),
    "a slice has no size": (lambda folder: changed(folder / "06.dcm", PixelSpacing=[0, 0]), "no_geometry"),
    "a slice has half the rows": (lambda folder: squeezed(folder / "06.dcm"), "mixed_matrix"),
    "a slice is in other pixels": (lambda folder: changed(folder / "06.dcm", PixelSpacing=[3, 3]), "mixed_matrix"),
    "a file is cut short": (lambda folder: cut(folder / "06.dcm"), "undecodable_pixels"),
    "the last file is empty": (lambda folder: nothing_left_of_the_last(folder, lambda _: b""), "undecodable_pixels"),
    "the last file is zeros": (lambda folder: nothing_left_of_the_last(folder, lambda all_: bytes(len(all_))), "undecodable_pixels"),
    "the last file ends in its preamble": (lambda folder: nothing_left_of_the_last(folder, lambda all_: all_[:100]), "undecodable_pixels"),
    "the last file is an error page": (lambda folder: nothing_left_of_the_last(folder, lambda _: b"<html>404"), "undecodable_pixels"),
    "the last file bears a flipped bit in its magic word": (
        lambda folder: nothing_left_of_the_last(folder, lambda all_: all_[:130] + b"S" + all_[131:], without=True),
        "undecodable_pixels",
    ),
    "the last file is empty, and none has a suffix": (
        lambda folder: nothing_left_of_the_last(folder, lambda _: b"", without=True),
        "undecodable_pixels",
    ),
    "the last file is a link to nothing": (lambda folder: to_nothing(folder / "14.dcm"), "vanished"),
    "the last file is a link to nothing, and none has a suffix": (
        lambda folder: (without_suffix(folder), to_nothing(folder / "IM14")),
        "vanished",
    ),
    "a packed slice is cut short": (cut_within_the_packing, "undecodable_pixels"),
    "a slice is in colour": (
        lambda folder: changed(folder / "06.dcm", PhotometricInterpretation="RGB", SamplesPerPixel=3),
        "unsupported_pixels",
    ),
    "a slice is there twice, with other pixels": (
        lambda folder: another(folder, "copy.dcm", SOPInstanceUID=generate_uid(), PixelData=other_pixels(dcmread(folder / "07.dcm"))),
        "several_volumes",
    ),
    "an instance is there twice, with other pixels": (same_instance_with_other_pixels, "several_volumes"),
    "an instance is there twice, with another rescale": (
        lambda folder: another(folder, "A7.dcm", RescaleSlope=1, RescaleIntercept=-1024),
        "several_volumes",
    ),
    "an instance is there twice, one of them without its rescale": (
        lambda folder: (every(folder, half_steps), another(folder, "x.dcm", RescaleSlope=None, RescaleIntercept=None)),
        "several_volumes",
    ),
    "an instance is there twice, at another place": (
        lambda folder: (shutil.copy(folder / "07.dcm", folder / "x.dcm"), moved(folder / "x.dcm", along=3)),
        "several_volumes",
    ),
    "an instance is there twice, in pixels of another size": (
        lambda folder: another(folder, "x.dcm", PixelSpacing=[3, 3]),
        "several_volumes",
    ),
    "an instance is there twice, with other stored bits": (
        lambda folder: another(folder, "x.dcm", BitsStored=8, HighBit=7),
        "several_volumes",
    ),
    "a slice of another series lies there": (
        lambda folder: another(folder, "x.dcm", SeriesInstanceUID=generate_uid(), SOPInstanceUID=generate_uid()),
        "several_stacks",
    ),
}
HANDLED: dict[str, Harm] = {
    "numbers and names run downwards": upside_down,
    "pixels are packed": compressed,
    "each slice has a rescale of its own": lambda folder: every(folder, half_steps),
    "a scout has the same series": a_scout,
    "a file is there twice": lambda folder: shutil.copy(folder / "07.dcm", folder / "copy.dcm"),
    "a file is there twice, once with a longer description": lambda folder: another(folder, "copy.dcm", SeriesDescription="sent again"),
    "litter lies there": litter,
    "litter lies there, and no image has a suffix": lambda folder: (without_suffix(folder), litter(folder)),
    "a file is there twice, in another encoding with the same pixels": a_copy_without_types,
    "no instance has a number": lambda folder: every(folder, lambda _, dataset: setattr(dataset, "InstanceNumber", None)),
}


def harmed(series: Path, to: Path, harm: Harm) -> Path:
    shutil.copytree(series, to)
    harm(to)
    return to


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_be_a_wrong_volume_is_refused_with_its_reason(series: Path, tmp_path: Path, what: str) -> None:
    harm, reason = REFUSED[what]

    with pytest.raises(ImageError) as caught:
        load_image(harmed(series, tmp_path / "harmed", harm))

    assert caught.value.reason == reason


@pytest.mark.parametrize("what", HANDLED)
def test_what_can_be_put_right_gives_the_same_volume(series: Path, tmp_path: Path, what: str) -> None:
    expected = load_image(series, preprocess=False)

    found = load_image(harmed(series, tmp_path / "harmed", HANDLED[what]), preprocess=False)

    assert np.array_equal(SimpleITK.GetArrayFromImage(found), SimpleITK.GetArrayFromImage(expected))
    assert np.allclose(found.GetOrigin(), expected.GetOrigin()) and np.allclose(found.GetDirection(), expected.GetDirection())
    assert np.allclose(found.GetSpacing(), expected.GetSpacing())


def test_slices_of_a_tilted_gantry_are_straightened_to_where_the_head_is(series: Path, tmp_path: Path) -> None:
    def tilt(folder: Path) -> None:
        for number, path in enumerate(sorted(folder.glob("*.dcm"))):
            moved(path, sideways=0.8 * number)

    tilted = harmed(series, tmp_path / "tilted", tilt)
    straight, found = load_image(series, preprocess=False), load_image(tilted, preprocess=False)

    for number in (0, 7, 14):
        centre = straight.TransformIndexToPhysicalPoint((32, 32, number))
        axis = np.reshape(straight.GetDirection(), (3, 3))[:, 0]
        there = found.TransformPhysicalPointToIndex([float(x) for x in np.array(centre) + axis * 0.8 * number])
        assert abs(found[there] - straight[32, 32, number]) <= 0.1 * straight[32, 32, number]
