"""Where the images of a stack lie: volumes × slices on one grid, or refused.

Positions and directions are the patient's, LPS, in millimetres (PS3.3 C.7.6.2.1.1). Whoever would have to guess the geometry refuses.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.dicom.geometry import single_spacing, tile_grid, tile_origin_and_step
from gyrus.dicom.members import Member
from gyrus.dicom.planes import Image, Layout, Plane, Slices, images_of, members_and_planes
from gyrus.dicom.refused import Refused
from gyrus.dicom.space import Space
from gyrus.dicom.volumes import SAME_POSITION_MM, Arrangement, arranged, has_place, is_mixed, tiles_of

EVEN_PART: Final = 0.01  # of the median step; 99 % of measured series deviate by less than 0.0003
WHOLE_STEP_PART: Final = 0.05  # how near a gap must be to a multiple of the step to be called missing slices
MAX_TILT_DEGREES: Final = 0.1
MAX_SHIFT_MM: Final = 0.1  # sideways, against the straight line through the slices
MAX_GAP_STEPS: Final = 3  # what is wider is not filled in, even where that is asked for
MAX_VOXELS: Final = 2**29
Vector = NDArray[np.float64]


def read_layout(slices: Slices, uneven: bool = False) -> Layout:
    """Read the headers of a stack, and say where its images lie. Raises Refused."""
    return layout_of(images_of(slices), uneven)


def layout_of(images: Sequence[Image], uneven: bool = False) -> Layout:
    """Where the images of one stack lie. Raises Refused. uneven: slices that lie unevenly are allowed, up to gaps of three steps."""
    if not images:
        raise Refused("single_image", "0 images")
    members, planes = members_and_planes(images)
    found = _arranged(members, planes)
    return _tiled(planes, found) if tiles_of(members[0].known) else _stacked(planes, found, uneven)


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


def _stacked(planes: Sequence[Plane], found: Arrangement, uneven: bool) -> Layout:
    volumes = [[planes[place] for place in volume] for volume in found.volumes]
    along = volumes[0]
    axes = _axes(min(plane.known["image_orientation_patient"] for plane in along))
    positions = np.array([plane.known["image_position_patient"] for plane in along])
    step = single_spacing(dict(along[0].known)) or 1.0
    _check_one_place(volumes, positions)
    shear, heights = (0.0, 0.0), _uneven(found.positions_mm) if uneven else ()
    if len(along) > 1 and not heights:
        check_even(found.positions_mm)
    if len(along) > 1:
        step, shear = _steps(positions, axes, heights)
    return replace(_laid_out(volumes, _space(along[0], axes, positions[0], step), shear), heights_mm=heights)


def _check_one_place(volumes: Sequence[Sequence[Plane]], first: Vector) -> None:
    for volume in volumes[1:]:
        positions = np.array([plane.known["image_position_patient"] for plane in volume])
        if np.abs(positions - first).max() > MAX_SHIFT_MM:
            raise Refused("several_volumes", "the volumes of a run do not lie in one place", volume[0].path)


def _uneven(positions_mm: Sequence[float]) -> tuple[float, ...]:
    """Heights of slices above the first, mm; empty where they lie evenly, or too far apart to be filled in."""
    steps = np.diff(positions_mm)
    is_even = np.abs(steps - np.median(steps)).max(initial=0) <= max(SAME_POSITION_MM, EVEN_PART * np.median(steps)) if steps.size else True
    if is_even or steps.max() > MAX_GAP_STEPS * np.median(steps):
        return ()
    return tuple(float(position - positions_mm[0]) for position in positions_mm)


def _steps(positions: Vector, axes: Vector, heights: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The step along the normal, and how far each slice lies beside the one before, mm. Refuses slices that lie beside the line."""
    way = positions - positions[0]
    sideways, height = way @ axes[:2].T, way @ axes[2]
    tilt = math.degrees(math.atan2(float(np.linalg.norm(sideways[-1])), height[-1]))
    shift = float(np.linalg.norm(sideways - np.outer(height / height[-1], sideways[-1]), axis=1).max())
    if shift > MAX_SHIFT_MM:
        raise Refused("shifted", f"a slice lies {shift:.2f} mm beside the line of the others")
    steps = height[-1] / float(np.median(np.diff(heights))) if heights else len(positions) - 1
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


def _space(plane: Plane, axes: Vector, origin: Iterable[float], step: float) -> Space:
    between_rows, between_columns = plane.known["pixel_spacing"]
    return Space(tuple(map(float, origin)), (between_columns, between_rows, step), tuple(float(one) for one in axes.T.ravel()))


def _laid_out(volumes: list[list[Plane]], space: Space, shear: tuple[float, float]) -> Layout:
    rows, columns, _ = tile_grid(dict(volumes[0][0].known))
    if not 0 < len(volumes[0]) * rows * columns <= MAX_VOXELS:
        raise Refused("too_large", f"{len(volumes[0])} x {rows} x {columns} voxels, at most {MAX_VOXELS}")
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
    return _laid_out(volumes, _space(images[0], axes, first, float(np.linalg.norm(step))), (0.0, 0.0))


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
