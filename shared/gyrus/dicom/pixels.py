"""Pixels of one stack as one volume: sorted along the normal, in real units, or refused with a reason.

Words: a *plane* is one image (a classic file, or one frame of a multi-frame object); a *volume* is planes at even steps along their
common normal. Positions and directions are the patient's, LPS, in millimetres (PS3.3 C.7.6.2.1.1). Whoever would have to guess
the geometry refuses. Storage that fails (an OSError other than a missing file) and a decoder that is not installed
(ModuleNotFoundError) are raised: they say nothing about the stack.
"""

import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

SAME_POSITION_MM: Final = 0.01
EVEN_PART: Final = 0.01  # of the median step; 99 % of measured series deviate by less than 0.0003
WHOLE_STEP_PART: Final = 0.05  # how near a gap must be to a multiple of the step to be called missing slices
MAX_COSINE_DIFFERENCE: Final = 1e-3
MAX_TILT_DEGREES: Final = 0.1
MAX_SHIFT_MM: Final = 0.1  # sideways, against the straight line through the slices
SPACING_DIGITS: Final = 5  # positions are decimal text; below 1e-5 mm a slice distance is rounding noise
SAME_SPACING_PART: Final = 1e-4  # spacings nearer than this are one number, so that cubic voxels are seen as cubic
MAX_VOXELS: Final = 2**29

# what pydicom and its decoders raise for broken content
BROKEN: Final = (
    *(ArithmeticError, AttributeError, EOFError, InvalidDicomError, LookupError, RuntimeError, TypeError, ValueError),
    *(struct.error, zlib.error),
)


class Refused(Exception):
    """No volume was made: a code, and what was found (numbers, never names or paths)."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, eq=False)
class VolumeArray:
    """A volume in the patient's space; the third axis is the normal of the slices, so the axes are right-handed."""

    array: NDArray[Any]  #: (slices, rows, columns), rescaled
    origin_mm: tuple[float, ...]  #: centre of the first voxel, LPS
    spacing_mm: tuple[float, ...]  #: (x, y, z): between columns, rows, slices
    direction: tuple[float, ...]  #: 3 x 3 cosines row by row; its columns are the axes x, y, z
    modality: str  #: (0008,0060)
    hounsfield: bool  #: every slice says how it becomes HU


@dataclass(frozen=True, eq=False)
class Plane:
    """One image: where it lies and how its stored numbers become values."""

    dataset: Dataset
    frame: int  #: from 1, as DICOM counts
    position: tuple[float, ...]
    orientation: tuple[float, ...]  #: cosines along a row (3), along a column (3)
    spacing: tuple[float, ...]  #: between rows, between columns
    slope: float
    intercept: float
    hounsfield: bool


def read_volume(slices: Sequence[tuple[str, int | None]]) -> VolumeArray:
    """Read the images of one stack, in any order, into one volume.

    slices: path and frame number from 1; None takes every frame of the file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values were counted when the header was read; what matters here is checked
        files = groupby(sorted(slices, key=itemgetter(0)), key=itemgetter(0))
        planes = [plane for path, images in files for plane in _planes(path, [frame for _, frame in images])]
        if len(planes) < 2:
            raise Refused("single_image", f"{len(planes)} image")
        _check_agreement(planes)
        axes = _axes(min(plane.orientation for plane in planes))
        planes, between_slices = _in_order(planes, axes)
        array = _values(planes)
    between_rows, between_columns = min(plane.spacing for plane in planes)
    is_cubic = abs(between_slices - between_columns) <= SAME_SPACING_PART * between_columns
    return VolumeArray(
        array=array,
        origin_mm=planes[0].position,
        spacing_mm=(between_columns, between_rows, between_columns if is_cubic else between_slices),
        direction=tuple(float(cosine) for cosine in axes.T.ravel()),
        modality=str(planes[0].dataset.get("Modality", "")),
        hounsfield=all(plane.hounsfield for plane in planes),
    )


def _planes(path: str, frames: Sequence[int | None]) -> Iterator[Plane]:
    try:
        dataset = dcmread(path, force=True)
        count = int(dataset.get("NumberOfFrames") or 1)
        _check_kind(dataset)
        for asked in frames:
            for frame in range(1, count + 1) if asked is None else (asked,):
                if not 1 <= frame <= count:
                    raise Refused("undecodable_pixels", f"frame {frame} is wanted of a file with {count}")
                yield _plane(dataset, frame, count)
    except FileNotFoundError:
        raise Refused("vanished", f"a file with {len(frames)} image(s) of the stack") from None
    except BROKEN as error:
        _refuse_pixels(error, path)


def _refuse_pixels(error: Exception, path: str) -> NoReturn:
    said = str(error).replace(path, "the file").splitlines() or [""]
    raise Refused("undecodable_pixels", f"{type(error).__name__}: {said[0][:200]}") from None


def _check_kind(dataset: Dataset) -> None:
    """Refuse what is not plain grey planes."""
    numbers = [dataset.get(keyword) for keyword in ("Rows", "Columns", "BitsStored", "PixelRepresentation")]
    if "PixelData" not in dataset or not all(isinstance(number, int) for number in numbers):
        raise Refused("undecodable_pixels", "a file has no pixels of whole numbers, or does not say how they lie")
    kind = str(dataset.get("ImageType", "")).upper()
    if "MOSAIC" in kind or "VFRAME" in kind or _tiles(dataset) > 1:
        raise Refused("mosaic", "an image holds many slices")
    photometric, samples, bits = (dataset.get(k) for k in ("PhotometricInterpretation", "SamplesPerPixel", "BitsAllocated"))
    if photometric != "MONOCHROME2" or samples != 1 or bits not in (8, 16, 32) or dataset.get("ModalityLUTSequence"):
        raise Refused("unsupported_pixels", f"{photometric}, {samples} sample(s) a pixel of {bits} bits")


def _tiles(dataset: Dataset) -> int:
    """Slices in one image: NumberOfImagesInMosaic of Siemens (0019,xx0A), of UIH (0065,xx50)."""
    for group, creator, element in ((0x0019, "SIEMENS MR HEADER", 0x0A), (0x0065, "Image Private Header", 0x50)):
        try:
            return int(dataset.private_block(group, creator)[element].value)
        except (KeyError, TypeError, ValueError):
            continue
    return 1


def _plane(dataset: Dataset, frame: int, count: int) -> Plane:
    if count > 1 and not dataset.get("PerFrameFunctionalGroupsSequence"):
        raise Refused("no_geometry", f"a file of {count} frames has no positions for them")
    position = _numbers(_macro(dataset, frame, "PlanePositionSequence"), "ImagePositionPatient", 3)
    orientation = _numbers(_macro(dataset, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    spacing = _numbers(_macro(dataset, frame, "PixelMeasuresSequence"), "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None or min(spacing) <= 0:
        raise Refused("no_geometry", f"position {position}, orientation {orientation}, pixel spacing {spacing}")
    return Plane(dataset, frame, position, orientation, spacing, *_rescale(dataset, frame))


def _rescale(dataset: Dataset, frame: int) -> tuple[float, float, bool]:
    """Slope, intercept, and whether they make HU: RescaleType may be left out only for HU (PS3.3 C.8.2.1.1.2)."""
    source = _macro(dataset, frame, "PixelValueTransformationSequence")
    slope, intercept = _numbers(source, "RescaleSlope", 1), _numbers(source, "RescaleIntercept", 1)
    if slope == (0.0,):
        raise Refused("unsupported_pixels", "rescale slope 0")
    in_hu = slope is not None and intercept is not None and (source.get("RescaleType") or "HU") == "HU"
    return slope[0] if slope else 1.0, intercept[0] if intercept else 0.0, in_hu


def _macro(dataset: Dataset, frame: int, sequence: str) -> Dataset:
    """The functional group of one frame: its own, else the shared one, else the object itself (PS3.3 C.7.6.16)."""
    own = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    for groups in (own[frame - 1] if own else Dataset(), *(dataset.get("SharedFunctionalGroupsSequence") or ())):
        if items := groups.get(sequence):
            item: Dataset = items[0]
            return item
    return dataset


def _numbers(source: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """count finite numbers, or None where there are not so many."""
    try:
        value = source.get(keyword)
        numbers = () if value is None else tuple(map(float, value if isinstance(value, MultiValue) else [value]))
    except (TypeError, ValueError):
        raise Refused("no_geometry", f"{keyword} is not a number") from None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def _check_agreement(planes: Sequence[Plane]) -> None:
    spread = np.ptp(np.array([plane.orientation for plane in planes]), axis=0).max()
    if spread > MAX_COSINE_DIFFERENCE:
        raise Refused("mixed_orientation", f"direction cosines differ by up to {spread:.4f}, {MAX_COSINE_DIFFERENCE} allowed")
    matrices = sorted({(plane.dataset.Rows, plane.dataset.Columns) for plane in planes})
    spacings = np.array([plane.spacing for plane in planes])
    if len(matrices) > 1 or np.ptp(spacings, axis=0).max() > SAME_SPACING_PART * spacings.min():
        raise Refused("mixed_matrix", f"matrices {matrices}, pixel spacing {spacings.min():.4f} to {spacings.max():.4f} mm")
    modalities = sorted({str(plane.dataset.get("Modality", "")) for plane in planes})
    if len(modalities) > 1:
        raise Refused("unsupported_modality", f"modalities {', '.join(modalities)} in one stack")
    rows, columns = matrices[0]
    if not 0 < len(planes) * rows * columns <= MAX_VOXELS:
        raise Refused("too_large", f"{len(planes)} x {rows} x {columns} voxels, at most {MAX_VOXELS}")


def _axes(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Three unit vectors as rows: along a row, along a column, normal to the plane (PS3.3 C.7.6.2.1.1)."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    if max(abs(np.linalg.norm(row) - 1), abs(np.linalg.norm(column) - 1), abs(row @ column)) > 0.01:
        raise Refused("no_geometry", f"orientation {tuple(orientation)} is not two unit vectors at a right angle")
    row, normal = row / np.linalg.norm(row), np.cross(row, column) / np.linalg.norm(np.cross(row, column))
    return np.array([row, np.cross(normal, row), normal])


def _in_order(planes: Sequence[Plane], axes: NDArray[np.float64]) -> tuple[list[Plane], float]:
    """The planes along the normal, and their step in mm."""
    heights = np.array([plane.position for plane in planes]) @ axes[2]
    ordered = [planes[index] for index in np.argsort(heights, kind="stable")]
    heights, steps = np.sort(heights), np.diff(np.sort(heights))
    if (steps <= SAME_POSITION_MM).any():
        raise Refused("several_volumes", f"{len(planes)} images at {1 + int((steps > SAME_POSITION_MM).sum())} positions")
    _check_even(heights, steps)
    _check_straight(np.array([plane.position for plane in ordered]), axes)
    return ordered, round(float(heights[-1] - heights[0]) / len(steps), SPACING_DIGITS)


def _check_even(heights: NDArray[np.float64], steps: NDArray[np.float64]) -> None:
    usual = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - usual) > max(SAME_POSITION_MM, EVEN_PART * usual))
    if not odd.size:
        return
    found = [f"{steps[k]:.2f} mm between {heights[k]:.2f} and {heights[k + 1]:.2f}" for k in odd[:5]]
    whole = np.rint(steps / usual)
    missing = whole.max() > 1 and np.abs(steps / usual - whole).max() <= WHOLE_STEP_PART
    found += [f"{odd.size} such steps"] if odd.size > 5 else []
    raise Refused("missing_slices" if missing else "uneven_spacing", f"step {usual:.2f} mm, but {'; '.join(found)}")


def _check_straight(positions: NDArray[np.float64], axes: NDArray[np.float64]) -> None:
    """Refuse slices that are shifted along their own plane: as a whole (tilt) or one by one."""
    sideways, height = (positions - positions[0]) @ axes[:2].T, (positions - positions[0]) @ axes[2]
    tilt = math.degrees(math.atan2(np.linalg.norm(sideways[-1]), height[-1]))
    if tilt > MAX_TILT_DEGREES:
        raise Refused("tilted", f"{tilt:.2f} degrees between the line of the slices and their normal")
    shift = np.linalg.norm(sideways - np.outer(height / height[-1], sideways[-1]), axis=1).max()
    if shift > MAX_SHIFT_MM:
        raise Refused("tilted", f"a slice lies {shift:.2f} mm beside the line of the others")


def _values(planes: Sequence[Plane]) -> NDArray[Any]:
    """(slices, rows, columns) in the order of the planes, each with its own rescale."""
    array = np.empty((len(planes), planes[0].dataset.Rows, planes[0].dataset.Columns), _value_type(planes))
    places: dict[int, list[int]] = {}
    for place, plane in enumerate(planes):
        places.setdefault(id(plane.dataset), []).append(place)
    for members in places.values():
        dataset = planes[members[0]].dataset
        try:
            _check_decoder(dataset)
            decoded = iter_pixels(dataset, indices=[planes[place].frame - 1 for place in members])
            for place, pixels in zip(members, decoded, strict=True):
                slope, intercept = planes[place].slope, planes[place].intercept
                array[place] = pixels if (slope, intercept) == (1, 0) else pixels.astype(np.float64) * slope + intercept
        except BROKEN as error:
            _refuse_pixels(error, str(dataset.filename))
    return array


def _check_decoder(dataset: Dataset) -> None:
    """Find the decoder; a file without a meta header gets the transfer syntax that it was read with."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        by_order = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = by_order if little else ExplicitVRBigEndian
    if not get_decoder(dataset.file_meta.TransferSyntaxUID).is_available:
        raise ModuleNotFoundError(f"no decoder for {dataset.file_meta.TransferSyntaxUID.name}: install gyrus[preprocessor]")


def _value_type(planes: Sequence[Plane]) -> np.dtype[Any]:
    """The stored type without a rescale; the smallest integer type that holds its range with one whole rescale; else float32."""
    rescales = {(plane.slope, plane.intercept) for plane in planes}
    stored = {f"{'i' if plane.dataset.PixelRepresentation else 'u'}{plane.dataset.BitsAllocated // 8}" for plane in planes}
    if rescales == {(1.0, 0.0)} and len(stored) == 1:
        return np.dtype(stored.pop())
    slope, intercept = rescales.pop()
    if rescales or not (slope.is_integer() and intercept.is_integer()):
        return np.dtype(np.float32)
    ends = [end * slope + intercept for plane in planes for end in _stored_range(plane.dataset)]
    for kind in (np.uint16, np.uint32) if min(ends) >= 0 else (np.int16, np.int32):
        if np.iinfo(kind).min <= min(ends) and max(ends) <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float32)


def _stored_range(dataset: Dataset) -> tuple[int, int]:
    lowest = -(1 << dataset.BitsStored - 1) if dataset.PixelRepresentation else 0
    return lowest, lowest + (1 << dataset.BitsStored) - 1
