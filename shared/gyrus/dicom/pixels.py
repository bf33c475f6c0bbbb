"""Pixels of one stack as volumes: in real units, or refused with a reason.

Whatever lies in a file as it is (no packing, little endian) is read from its place; everything else is unpacked by pydicom and its
decoders. Storage that fails (an OSError other than a missing file) and a decoder that is not installed (ModuleNotFoundError) are raised:
they say nothing about the stack.
"""

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gyrus.dicom.geometry import tile_grid
from gyrus.dicom.layouts import MAX_VOXELS, read_layout
from gyrus.dicom.planes import Layout, Plane, Slices
from gyrus.dicom.refused import Refused
from gyrus.dicom.space import Space

__all__ = ["MAX_VOXELS", "Refused", "VolumeArray", "pixels_of", "read_volume", "stored_values", "value_type", "values_of", "volume_of"]

PLAIN: Final = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian})

# what pydicom and its decoders raise for broken content
BROKEN: Final = (
    *(ArithmeticError, AttributeError, EOFError, InvalidDicomError, LookupError, RuntimeError, TypeError, ValueError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True, eq=False)
class VolumeArray:
    """A volume in the patient's space; from DICOM the third axis is the normal of the slices, so the axes are right-handed."""

    array: NDArray[Any]  #: (slices, rows, columns), rescaled
    space: Space
    modality: str  #: (0008,0060); empty where nothing says so
    hounsfield: bool  #: every slice says how it becomes HU
    shear_mm: tuple[float, float] = (0.0, 0.0)  #: how far each slice lies beside the one before, along x and y
    heights_mm: tuple[float, ...] = ()  #: of slices that lie unevenly, along the normal, from 0
    owner: object = None  #: whose memory the array looks at, where it is not its own


def read_volume(slices: Slices, volume: int | None = None) -> VolumeArray:
    """Read the images of one stack, in any order, into one volume.

    slices: path and frame number from 1; None takes every frame of the file. volume: which one, from 0, where there are several.
    """
    return volume_of(read_layout(slices), volume)


def volume_of(layout: Layout, volume: int | None = None) -> VolumeArray:
    """One volume of a stack. Raises Refused: single_image; several_volumes if none of them is asked for."""
    n = len(layout.volumes)
    if layout.size[2] < 2:
        raise Refused("single_image", "1 image" if n == 1 else f"{n} images of one place")
    if volume is None and n > 1:
        raise Refused("several_volumes", f"{n * layout.size[2]} images at {layout.size[2]} positions")
    if volume is not None and not -n <= volume < n:
        raise Refused("several_volumes", f"volume {volume} is wanted of {n}, which count from 0")
    planes = layout.volumes[volume or 0]
    hounsfield = all(plane.is_hounsfield for plane in planes)
    return VolumeArray(values_of(planes, value_type(planes)), layout.space, layout.modality, hounsfield, layout.shear_mm, layout.heights_mm)


def values_of(planes: Sequence[Plane], kind: np.dtype[Any]) -> NDArray[Any]:
    """(slices, rows, columns) in the order of the planes, each with its own rescale."""
    _check_no_table(planes[0].path)
    rows, columns, _ = tile_grid(dict(planes[0].known))
    array = np.empty((len(planes), rows, columns), kind)
    for path, members in groupby(sorted(enumerate(planes), key=lambda one: one[1].path), key=lambda one: one[1].path):
        places = list(members)
        try:
            for (place, plane), pixels in zip(places, pixels_of([plane for _, plane in places]), strict=True):
                _put(array, place, pixels, plane)
        except FileNotFoundError:
            raise Refused("vanished", f"a file with {len(places)} image(s) of the stack", path) from None
        except BROKEN as error:
            said = str(error).replace(path, "the file").splitlines() or [""]
            raise Refused("undecodable_pixels", f"{type(error).__name__}: {said[0][:200]}", path) from None
    return array


def _check_no_table(path: str) -> None:
    """Refuse a Modality LUT (PS3.3 C.11.1), which stands in no field of ours; images of one stack have it all, or none."""
    with contextlib.suppress(OSError, *BROKEN):  # who reads the pixels says what is wrong
        if "ModalityLUTSequence" in dcmread(path, specific_tags=["ModalityLUTSequence"], stop_before_pixels=True, force=True):
            raise Refused("unsupported_pixels", "a table turns its numbers into values", path)


def stored_values(planes: Sequence[Plane]) -> NDArray[Any]:
    """The same as they are stored, without a rescale."""
    plain = [Plane(plane.path, plane.frame, _without_rescale(plane.known), plane.tile) for plane in planes]
    return values_of(plain, value_type(plain))


def _without_rescale(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name not in ("rescale_slope", "rescale_intercept")}


def _put(array: NDArray[Any], place: int, pixels: NDArray[Any], plane: Plane) -> None:
    if (plane.slope, plane.intercept) == (1.0, 0.0):
        array[place] = pixels
    elif array.dtype.kind == "f":
        array[place] = pixels.astype(np.float64) * plane.slope + plane.intercept
    else:
        array[place] = pixels.astype(np.int64) * int(plane.slope) + int(plane.intercept)


def value_type(planes: Sequence[Plane]) -> np.dtype[Any]:
    """The stored type without a rescale; the smallest integer type that holds its range with one whole rescale; else float32."""
    rescales = {(plane.slope, plane.intercept) for plane in planes}
    stored = {_stored_type(plane) for plane in planes}
    if rescales == {(1.0, 0.0)} and len(stored) == 1:
        return stored.pop()
    slope, intercept = rescales.pop()
    if rescales or not (slope.is_integer() and intercept.is_integer()):
        return np.dtype(np.float32)
    ends = [end * slope + intercept for plane in planes for end in _stored_range(plane)]
    for kind in (np.uint16, np.uint32) if min(ends) >= 0 else (np.int16, np.int32):
        if np.iinfo(kind).min <= min(ends) and max(ends) <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float32)


def _stored_type(plane: Plane) -> np.dtype[Any]:
    return np.dtype(f"<{'i' if plane.known['pixel_representation'] else 'u'}{plane.known['bits_allocated'] // 8}")


def _stored_range(plane: Plane) -> tuple[int, int]:
    bits = plane.known["bits_stored"]
    lowest = -(1 << bits - 1) if plane.known["pixel_representation"] else 0
    return lowest, lowest + (1 << bits) - 1


# ── stored numbers ───────────────────────────────────────────────────────────────────────────────────────────────────


def pixels_of(planes: Sequence[Plane]) -> Iterator[NDArray[Any]]:
    """The stored numbers of planes of one file, (rows, columns) each."""
    frames = (_read_in_place if _is_plain(planes[0]) else _decoded)(planes)
    for plane, frame in zip(planes, frames, strict=True):
        if plane.tile is None:
            yield frame
            continue
        rows, columns, across = tile_grid(dict(plane.known))
        down, right = divmod(plane.tile, across)
        yield frame[down * rows : (down + 1) * rows, right * columns : (right + 1) * columns]


def _is_plain(plane: Plane) -> bool:
    known = plane.known
    frames = int(known.get("number_of_frames") or 1)
    whole = frames * known["rows"] * known["columns"] * known["bits_allocated"] // 8
    is_low = known.get("high_bit", known["bits_stored"] - 1) == known["bits_stored"] - 1
    is_there = known.get("pixel_offset", -1) >= 0 and known["pixel_length"] >= whole
    return known.get("transfer_syntax_uid") in PLAIN and is_low and is_there


def _read_in_place(planes: Sequence[Plane]) -> Iterator[NDArray[Any]]:
    known, kind = planes[0].known, _stored_type(planes[0])
    shape = (known["rows"], known["columns"])
    each = shape[0] * shape[1] * kind.itemsize
    with open(planes[0].path, "rb") as file:  # noqa: PTH123 - any bytes
        held: tuple[int, NDArray[Any]] | None = None
        for plane in planes:
            if held is None or held[0] != plane.frame:
                file.seek(known["pixel_offset"] + max(plane.frame - 1, 0) * each)
                held = plane.frame, _whole_bits(np.frombuffer(file.read(each), kind).reshape(shape), known["bits_stored"])
            yield held[1]


def _whole_bits(pixels: NDArray[Any], bits_stored: int) -> NDArray[Any]:
    """Without what lies above the stored bits, such as overlays (PS3.5 8.1.1)."""
    unused = 8 * pixels.dtype.itemsize - bits_stored
    return pixels if unused <= 0 else (pixels << unused) >> unused


def _decoded(planes: Sequence[Plane]) -> Iterator[NDArray[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values were counted when the header was read
        dataset = dcmread(planes[0].path, force=True)
        _check_decoder(dataset)
        frames = [max(plane.frame - 1, 0) for plane in planes]
        wanted = list(dict.fromkeys(frames))
        decoded = dict(zip(wanted, iter_pixels(dataset, indices=wanted), strict=True))
    yield from (decoded[frame] for frame in frames)


def _check_decoder(dataset: Dataset) -> None:
    """Find the decoder; a file without a meta header gets the transfer syntax that it was read with."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        by_order = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = by_order if little else ExplicitVRBigEndian
    if not get_decoder(dataset.file_meta.TransferSyntaxUID).is_available:
        raise ModuleNotFoundError(f"no decoder for {dataset.file_meta.TransferSyntaxUID.name}: install gyrus[preprocessor]")
