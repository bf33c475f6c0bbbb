"""The images of a stack as planes in space: volumes × slices, each with where its pixels lie and how they become values.

Words: a *plane* is one image: a classic file, one frame of a multi-frame object, or one tile of a mosaic; a *volume* is planes at even
steps along a line. Positions and directions are the patient's, LPS, in millimetres (PS3.3 C.7.6.2.1.1). Whoever would have to guess
the geometry refuses.
"""

import errno
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.dicom.columns import frame_ranges
from gyrus.dicom.geometry import GEOMETRY_FIELDS, single_spacing, tile_grid, tile_origin_and_step
from gyrus.dicom.members import Member, members_of
from gyrus.dicom.reader import Header, Rejected, read
from gyrus.dicom.refused import Refused
from gyrus.dicom.space import Space
from gyrus.dicom.volumes import SAME_POSITION_MM, Arrangement, arranged, has_place, is_mixed, tiles_of

EVEN_PART: Final = 0.01  # of the median step; 99 % of measured series deviate by less than 0.0003
WHOLE_STEP_PART: Final = 0.05  # how near a gap must be to a multiple of the step to be called missing slices
MAX_TILT_DEGREES: Final = 0.1
MAX_SHIFT_MM: Final = 0.1  # sideways, against the straight line through the slices
SAME_SPACING_PART: Final = 1e-4
MAX_VOXELS: Final = 2**29
FIELDS: Final = (
    *GEOMETRY_FIELDS,
    *("modality", "image_type", "number_of_frames", "transfer_syntax_uid", "pixel_offset", "pixel_length", "pixel_data_truncated"),
    *("samples_per_pixel", "photometric_interpretation", "bits_allocated", "bits_stored", "high_bit", "pixel_representation"),
    *("rescale_slope", "rescale_intercept", "rescale_type"),
    *("diffusion_frame", "diffusion_gradient_orientation_source", "diffusion_b_value_actual"),
)
Slices = Sequence[tuple[str, int | None]]
Vector = NDArray[np.float64]


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

    @property
    def modality(self) -> str:
        return str(self.volumes[0][0].known.get("modality", ""))


@dataclass(frozen=True, slots=True)
class Image:
    """A file of a stack, or some of its frames (text as `1-33,67-99`; None: all that it has)."""

    path: str
    header: Header
    frames: str | None = None


def read_layout(slices: Slices) -> Layout:
    """Read the headers of a stack, and say where its images lie. Raises Refused."""
    return layout_of(images_of(slices))


def images_of(slices: Slices) -> list[Image]:
    """Read the headers of a stack. slices, in any order: path and frame number from 1; None takes every frame of the file."""
    files = groupby(sorted(slices, key=lambda one: (one[0], one[1] or 0)), key=itemgetter(0))
    return [_image(path, [frame for _, frame in frames]) for path, frames in files]


def layout_of(images: Sequence[Image]) -> Layout:
    """Where the images of one stack lie. Raises Refused."""
    if not images:
        raise Refused("single_image", "0 images")
    shown = [_as_stack_image(image) for image in images]
    members = members_of(shown, FIELDS)
    planes = [Plane(images[member.image].path, member.frame, member.known) for member in members]
    for plane in planes:
        _check_kind(plane)
    _check_agreement(planes)
    found = _arranged(members, planes)
    if tiles_of(members[0].known):
        return _tiled(planes, found)
    return _stacked(planes, found)


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


def _arranged(members: Sequence[Member], planes: Sequence[Plane]) -> Arrangement:
    """The volumes of a stack; refused where an image has no place among them."""
    for member, plane in zip(members, planes, strict=True):
        if not has_place(member):
            position, orientation = (member.known.get(f"image_{name}_patient") for name in ("position", "orientation"))
            raise Refused("no_geometry", f"position {position}, orientation {orientation}", plane.path)
    found = None if is_mixed(members) else arranged(members)
    if found is None:
        raise Refused("mixed_orientation", "the images do not lie in parallel planes")
    if found.repeated or found.extra or not found.is_sure or not found.volumes:
        raise Refused("several_volumes", _unplaced(found, len(members)))
    return found


def _unplaced(found: Arrangement, n: int) -> str:
    at = f"{n} images at {len(found.positions_mm)} positions"
    if found.repeated:
        places = ", ".join(f"{position:.2f}" for position, _ in found.repeated[:5])
        return f"{at}; what lies twice differs in nothing that could make it another volume: at {places} mm"
    if found.extra:
        lacking = ", ".join(f"volume {part.number} lacks {len(part.lacks)} slices" for part in found.partial[:5])
        return f"{at}: {len(found.volumes)} whole volumes, but {lacking}"
    return f"{at}, and nothing says which of them are one volume"


# ── slices in images of their own ────────────────────────────────────────────────────────────────────────────────────


def _stacked(planes: Sequence[Plane], found: Arrangement) -> Layout:
    volumes = [[planes[place] for place in volume] for volume in found.volumes]
    along = volumes[0]
    axes = _axes(min(plane.known["image_orientation_patient"] for plane in along))
    positions = np.array([plane.known["image_position_patient"] for plane in along])
    step = single_spacing(dict(along[0].known)) or 1.0
    shear = (0.0, 0.0)
    if len(along) > 1:
        check_even(found.positions_mm)
        step, shear = _steps(positions, axes)
    return _laid_out(volumes, axes, positions[0], step, shear)


def _steps(positions: Vector, axes: Vector) -> tuple[float, tuple[float, float]]:
    """The step along the normal, and how far each slice lies beside the one before, mm. Refuses slices that lie beside the line."""
    way = positions - positions[0]
    sideways, height = way @ axes[:2].T, way @ axes[2]
    tilt = math.degrees(math.atan2(float(np.linalg.norm(sideways[-1])), height[-1]))
    shift = float(np.linalg.norm(sideways - np.outer(height / height[-1], sideways[-1]), axis=1).max())
    if shift > MAX_SHIFT_MM:
        raise Refused("shifted", f"a slice lies {shift:.2f} mm beside the line of the others")
    steps = len(positions) - 1
    if tilt <= MAX_TILT_DEGREES:
        return float(np.linalg.norm(way[-1])) / steps, (0.0, 0.0)  # to the last bit as ITK has it: equal spacings decide a view
    right, down = (float(part) / steps for part in sideways[-1])
    return float(height[-1]) / steps, (right, down)


def check_even(positions_mm: Sequence[float]) -> None:
    """Refuse ascending positions (mm) that are not at even steps, with the places where they are not."""
    heights = np.array(positions_mm)
    steps = np.diff(heights)
    usual = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - usual) > max(SAME_POSITION_MM, EVEN_PART * usual))
    if not odd.size:
        return
    found = [f"{steps[k]:.2f} mm between {heights[k]:.2f} and {heights[k + 1]:.2f}" for k in odd[:5]]
    whole = np.rint(steps / usual)
    missing = whole.max() > 1 and np.abs(steps / usual - whole).max() <= WHOLE_STEP_PART
    found += [f"{odd.size} such steps"] if odd.size > 5 else []
    raise Refused("missing_slices" if missing else "uneven_spacing", f"step {usual:.2f} mm, but {'; '.join(found)}")


def _axes(orientation: Sequence[float]) -> Vector:
    """Three unit vectors as rows: along a row, along a column, normal to the plane (PS3.3 C.7.6.2.1.1)."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    row, normal = row / np.linalg.norm(row), normal / np.linalg.norm(normal)
    return np.array([row, np.cross(normal, row), normal])


def _laid_out(volumes: list[list[Plane]], axes: Vector, origin: Iterable[float], step: float, shear: tuple[float, float]) -> Layout:
    first = volumes[0][0].known
    rows, columns = tile_grid(dict(first))[:2]
    between_rows, between_columns = first["pixel_spacing"]
    if not 0 < len(volumes[0]) * rows * columns <= MAX_VOXELS:
        raise Refused("too_large", f"{len(volumes[0])} x {rows} x {columns} voxels, at most {MAX_VOXELS}")
    space = Space(tuple(map(float, origin)), (between_columns, between_rows, step), tuple(float(one) for one in axes.T.ravel()))
    return Layout(volumes, space, shear, (columns, rows, len(volumes[0])))


# ── slices as tiles of one image ─────────────────────────────────────────────────────────────────────────────────────


def _tiled(planes: Sequence[Plane], found: Arrangement) -> Layout:
    """Each image is a volume. Tiles that run against the normal of their plane are taken from the last to the first."""
    images = [planes[place] for volume in found.volumes for place in volume]
    known = dict(images[0].known)
    count = tiles_of(known)
    for plane in images:
        if _tile_place(dict(plane.known)) != _tile_place(known):
            raise Refused("several_volumes", "the volumes of a run do not lie in one place", plane.path)
    if len(positions := known.get("tile_positions") or []) == 3 * count > 3:
        _check_tiles(np.reshape(positions, (count, 3)))
    axes = _axes(known["image_orientation_patient"])
    rows, columns, _ = tile_grid(known)
    first, step = (np.array(one) for one in tile_origin_and_step(known, rows, columns))
    tiles = list(range(count))
    if step @ axes[2] < 0:
        first, tiles = first + (count - 1) * step, tiles[::-1]
    volumes = [[Plane(plane.path, plane.frame, plane.known, tile) for tile in tiles] for plane in images]
    return _laid_out(volumes, axes, first, float(np.linalg.norm(step)), (0.0, 0.0))


def _tile_place(known: dict[str, Any]) -> list[Any]:
    names = ("image_position_patient", "image_orientation_patient", "tile_positions", "tile_normal")
    return [np.round(known.get(name) or [], 3).tolist() for name in names]


def _check_tiles(positions: Vector) -> None:
    steps = np.diff(positions, axis=0)
    if np.abs(steps - steps.mean(axis=0)).max() > MAX_SHIFT_MM:
        raise Refused(
            "uneven_spacing",
            f"the tiles lie {np.linalg.norm(steps, axis=1).min():.2f} mm to {np.linalg.norm(steps, axis=1).max():.2f} mm apart",
        )


def planes_of(layout: Layout) -> Iterator[Plane]:
    """All planes of a stack."""
    for volume in layout.volumes:
        yield from volume
