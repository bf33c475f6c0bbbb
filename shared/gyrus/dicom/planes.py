"""The images of a stack as planes: where the pixels of each lie and how they become values.

Words: a *plane* is one image: a classic file, one frame of a multi-frame object, or one tile of a mosaic; an *image* here is a file of a
stack, with the frames of it that belong there.
"""

import errno
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np

from gyrus.dicom.columns import frame_ranges
from gyrus.dicom.geometry import GEOMETRY_FIELDS
from gyrus.dicom.members import Member, members_of
from gyrus.dicom.reader import Header, Rejected, read
from gyrus.dicom.refused import Refused
from gyrus.dicom.space import Space
from gyrus.dicom.volumes import tiles_of

SAME_SPACING_PART: Final = 1e-4
FIELDS: Final = (
    *GEOMETRY_FIELDS,
    *("modality", "image_type", "number_of_frames", "transfer_syntax_uid", "pixel_offset", "pixel_length", "pixel_data_truncated"),
    *("samples_per_pixel", "photometric_interpretation", "bits_allocated", "bits_stored", "high_bit", "pixel_representation"),
    *("rescale_slope", "rescale_intercept", "rescale_type"),
    *("diffusion_frame", "diffusion_gradient_orientation_source", "diffusion_b_value_actual"),
)
Slices = Sequence[tuple[str, int | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One image of a stack."""

    path: str
    frame: int  #: from 1 of a multi-frame object; 0 of a classic image
    known: Mapping[str, Any]  #: the fields of its header
    tile: int | None = None  #: which tile of a mosaic, from 0

    @property
    def slope(self) -> float:
        return float(self.known.get("rescale_slope", 1.0))

    @property
    def intercept(self) -> float:
        return float(self.known.get("rescale_intercept", 0.0))

    @property
    def is_hounsfield(self) -> bool:
        """Whether it says how it becomes HU: RescaleType may be left out only for HU (PS3.3 C.8.2.1.1.2)."""
        is_rescaled = "rescale_slope" in self.known and "rescale_intercept" in self.known
        return is_rescaled and self.known.get("rescale_type", "HU") == "HU"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the planes of a stack lie."""

    volumes: list[list[Plane]]  #: volumes × slices, in the direction of the slices
    space: Space  #: its third axis is the normal of the planes, row × column
    shear_mm: tuple[float, float]  #: how far each slice lies beside the one before, along rows and columns; 0 without a tilted gantry
    size: tuple[int, int, int]  #: columns, rows, slices
    heights_mm: tuple[float, ...] = ()  #: of the slices along the normal, from 0, where they lie unevenly and that was allowed

    @property
    def modality(self) -> str:
        return str(self.volumes[0][0].known.get("modality", ""))


@dataclass(frozen=True, slots=True)
class Image:
    """A file of a stack, or some of its frames (text as `1-33,67-99`; None: all that it has)."""

    path: str
    header: Header
    frames: str | None = None


def images_of(slices: Slices) -> list[Image]:
    """Read the headers of a stack. slices, in any order: path and frame number from 1; None takes every frame of the file."""
    files = groupby(sorted(slices, key=lambda one: (one[0], one[1] or 0)), key=itemgetter(0))
    return [_image(path, [frame for _, frame in frames]) for path, frames in files]


def _image(path: str, frames: Sequence[int | None]) -> Image:
    header = read(path)
    if isinstance(header, Rejected):
        if header.reason == "vanished":
            raise Refused("vanished", f"a file with {len(frames)} image(s) of the stack", path)
        if header.errno:
            raise OSError(header.errno, header.detail, path)
        if header.reason == "still_changing":
            raise OSError(errno.EAGAIN, "the file is being written", path)
        raise Refused("undecodable_pixels", f"{header.reason}: {header.detail}"[:200], path)
    wanted = [frame for frame in frames if frame is not None]
    count = header.image.get("frames", {}).get("n") or int(header.shared.get("number_of_frames") or 1)
    if any(not 1 <= frame <= count for frame in wanted):
        raise Refused("undecodable_pixels", f"frame {max(wanted)} is wanted of a file with {count}", path)
    return Image(path, header, frame_ranges(wanted) if wanted and "frames" in header.image else None)


def members_and_planes(images: Sequence[Image]) -> tuple[list[Member], list[Plane]]:
    """All images and frames of a stack, both ways. Refuses what is not plain grey planes of one size."""
    members = members_of([_as_stack_image(image) for image in images], FIELDS)
    planes = [Plane(images[member.image].path, member.frame, member.known) for member in members]
    for plane in planes:
        _check_kind(plane)
    _check_agreement(planes)
    return members, planes


def _as_stack_image(image: Image) -> dict[str, Any]:
    """As the stacks of the extractor name it."""
    said, frames = image.header, image.frames
    if "frames" in said.image:
        frames = frames or f"1-{said.image['frames']['n']}"
    elif int({**said.shared, **said.image}.get("number_of_frames") or 1) > 1:
        raise Refused("no_geometry", "a file of several frames has no positions for them", image.path)
    return {"sop": said.sop_instance_uid, "shared": said.shared, "image": said.image, "frames": frames, "n": 1}


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_kind(plane: Plane) -> None:
    """Refuse what is not plain grey planes."""
    known = plane.known
    needed = ("rows", "columns", "bits_allocated", "bits_stored", "pixel_representation")
    if not known.get("pixel_length") or any(not isinstance(known.get(name), int) for name in needed) or known.get("pixel_data_truncated"):
        raise Refused("undecodable_pixels", "a file has no whole pixels of whole numbers, or does not say how they lie", plane.path)
    kind = known.get("image_type") or []
    if {"MOSAIC", "VFRAME"} & set(kind) and not tiles_of(dict(known)):
        raise Refused("mosaic", "an image holds many slices and does not say how many", plane.path)
    photometric, samples, bits = (known.get(name) for name in ("photometric_interpretation", "samples_per_pixel", "bits_allocated"))
    if photometric != "MONOCHROME2" or samples != 1 or bits not in (8, 16, 32):
        raise Refused("unsupported_pixels", f"{photometric}, {samples} sample(s) a pixel of {bits} bits", plane.path)
    if "rescale_intercept" in known and "rescale_slope" not in known:
        raise Refused("unsupported_pixels", "rescale slope 0, or an intercept without a slope", plane.path)


def _check_agreement(planes: Sequence[Plane]) -> None:
    for plane in planes:
        spacing = plane.known.get("pixel_spacing")
        if spacing is None or len(spacing) != 2 or not all(0 < length < math.inf for length in spacing):
            raise Refused("no_geometry", f"pixel spacing {spacing}", plane.path)
    matrices = sorted({(plane.known["rows"], plane.known["columns"]) for plane in planes})
    spacings = np.array([plane.known["pixel_spacing"] for plane in planes])
    if len(matrices) > 1 or np.ptp(spacings, axis=0).max() > SAME_SPACING_PART * spacings.min():
        raise Refused("mixed_matrix", f"matrices {matrices}, pixel spacing {spacings.min():.4f} to {spacings.max():.4f} mm")
    modalities = sorted({str(plane.known.get("modality", "")) for plane in planes})
    if len(modalities) > 1:
        raise Refused("unsupported_modality", f"modalities {', '.join(modalities)} in one stack")
    tiles = {tiles_of(dict(plane.known)) for plane in planes}
    if len(tiles) > 1:
        raise Refused("mixed_matrix", f"{' and '.join(map(str, sorted(tiles)))} slices an image")


def planes_of(layout: Layout) -> Iterator[Plane]:
    """All planes of a stack."""
    for volume in layout.volumes:
        yield from volume
