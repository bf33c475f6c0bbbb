"""The geometry of a stack in patient axes (LPS, mm): spacing, gaps, shear, the matrix that places its voxels."""

import math
from collections.abc import Sequence
from typing import Any

from gyrus.dicom.axis import volumes_axis
from gyrus.dicom.members import Member, StackImage, members_of
from gyrus.dicom.orientation import (
    Vector,
    angle_deg,
    cosines,
    difference,
    dot,
    normal_of,
    obliquity_deg,
    orientation_class,
    orientation_text,
    scaled,
)
from gyrus.dicom.spacing import spacing_of
from gyrus.dicom.values import Value
from gyrus.dicom.volumes import VOLUME_FIELDS, Arrangement, arranged, has_place, is_mixed, tiles_of

SHEARED_DEG = 0.1
SAME_TILT_DEG = 0.5
GEOMETRY_FIELDS = (
    *VOLUME_FIELDS,
    "rows",
    "columns",
    "pixel_spacing",
    "slice_thickness",
    "spacing_between_slices",
    "tile_normal",
    "gantry_detector_tilt",
)


def order(images: Sequence[StackImage]) -> list[list[int]]:
    """Volumes × slices, ascending along the normal, for whoever reads the pixels; empty if the images do not make volumes.

    The numbers are places in `members_of(images, ())`: images in the given order, the stack's frames of each ascending.
    """
    found = arranged(members_of(images, GEOMETRY_FIELDS))
    return found.volumes if found else []


def geometry(members: Sequence[Member], found: Arrangement | None) -> dict[str, Value]:
    """The geometry of a stack whose members were arranged.

    status: `uniform`, `single_slice`, `missing_slices`, `variable_spacing`, `mixed_orientation` or `no_geometry`.
    """
    first = members[found.along[0]] if found else min(members, key=lambda member: (member.sop, member.frame))
    known = first.known
    summary = _plane(known) | {
        "n_slices": tiles_of(known) or (len(found.positions_mm) if found else None),
        "n_volumes": len(found.volumes) if found else None,
        "n_extra": len(found.extra) if found else 0,
        "n_repeated": sum(len(places) - 1 for _, places in found.repeated) if found else 0,
        "volumes_axis": volumes_axis(members, found.volumes) if found else None,
        "mixed_matrix": len({(member.known.get("rows"), member.known.get("columns")) for member in members}) > 1,
    }
    if not all(has_place(member) for member in members):
        return summary | {"status": "no_geometry"}
    if found is None or is_mixed(members):
        return summary | {"status": "mixed_orientation"}
    if tiles_of(known):
        return summary | _tiled(known)
    last = members[found.along[-1]].known
    return summary | _stacked(known, last, found.positions_mm)


def _plane(known: dict[str, Value]) -> dict[str, Value]:
    orientation = known.get("image_orientation_patient")
    normal = normal_of(orientation)
    return {
        "orientation": orientation_class(orientation),
        "orientation_text": orientation_text(orientation),
        "obliquity_deg": _rounded(obliquity_deg(orientation), 3),
        "normal": list(normal) if normal else None,
        "rows": known.get("rows"),
        "columns": known.get("columns"),
        "pixel_spacing_mm": known.get("pixel_spacing"),
        "slice_thickness_mm": known.get("slice_thickness"),
    }


def _stacked(first: dict[str, Value], last: dict[str, Value], positions: list[float]) -> dict[str, Value]:
    """Spacing, shear and matrix of slices that lie in images of their own."""
    spacing = spacing_of(positions)
    if spacing["status"] == "single_slice":
        spacing["slice_spacing_mm"] = single_spacing(first)
    normal = normal_of(first["image_orientation_patient"]) or (0.0, 0.0, 1.0)
    way = difference(last["image_position_patient"], first["image_position_patient"])
    length = math.sqrt(dot(way, way))
    shear = angle_deg(abs(dot(way, normal)) / length) if len(positions) > 1 and length else 0.0
    if len(positions) > 1:
        step = scaled(way, 1 / (len(positions) - 1 + spacing["n_missing"]))
    else:
        step = scaled(normal, spacing["slice_spacing_mm"] or 1.0)
    gap = spacing["slice_spacing_mm"] - first["slice_thickness"] if _has(first, spacing) else None
    return spacing | {
        "gap_mm": _rounded(gap, 4),
        "shear_deg": round(shear, 3),
        "is_sheared": shear > SHEARED_DEG,
        **_gantry(first, shear),
        "affine_lps": _affine(first, tuple(first["image_position_patient"]), step),
    }


def _gantry(known: dict[str, Value], shear_deg: float) -> dict[str, Value]:
    """What the scanner says of its tilt, and whether the positions say the same; its sign is the maker's own, so it is left out."""
    told = known.get("gantry_detector_tilt")
    return {} if told is None else {"gantry_tilt_deg": told, "is_gantry_tilt": abs(abs(told) - shear_deg) <= SAME_TILT_DEG}


def _has(first: dict[str, Value], spacing: dict[str, Value]) -> bool:
    return spacing["slice_spacing_mm"] is not None and first.get("slice_thickness") is not None


def tile_grid(known: dict[str, Value]) -> tuple[int, int, int]:
    """Rows and columns of one tile, and how many tiles lie side by side; of an image without tiles its own rows and columns, and 1."""
    count = max(1, tiles_of(known))
    across = math.ceil(math.sqrt(count))
    down = across if known.get("tile_positions") is None else math.ceil(count / across)
    return (known.get("rows") or 0) // down, (known.get("columns") or 0) // across, across


def single_spacing(known: dict[str, Value]) -> Value:
    """The distance of slices (mm) as an image alone tells it."""
    between, thickness = known.get("spacing_between_slices"), known.get("slice_thickness")
    return next((length for length in (between, thickness) if length is not None and length > 0), None)


def _tiled(known: dict[str, Value]) -> dict[str, Value]:
    """Geometry of a volume whose slices are tiles of one image (Siemens mosaic, United Imaging grid)."""
    count = tiles_of(known)
    rows, columns, _ = tile_grid(known)
    origin, step = tile_origin_and_step(known, rows, columns)
    spacing = math.sqrt(dot(step, step))
    thickness = known.get("slice_thickness")
    return {
        "status": "uniform" if count > 1 else "single_slice",
        "rows": rows,
        "columns": columns,
        "normal": list(scaled(step, 1 / spacing)) if spacing else None,  # of some mosaics the opposite of row × column
        "slice_spacing_mm": round(spacing, 5),
        "n_missing": 0,
        "gap_mm": _rounded(None if thickness is None else spacing - thickness, 4),
        "shear_deg": 0.0,
        "is_sheared": False,
        "affine_lps": _affine(known, origin, step),
    }


def tile_origin_and_step(known: dict[str, Value], rows: int, columns: int) -> tuple[Vector, Vector]:
    """The corner of the first tile and the way from one tile to the next.

    A mosaic's position is that of an image as large as the mosaic around the same centre, so the tile's corner lies further in.
    """
    positions = known.get("tile_positions")
    if positions is not None and len(positions) >= 6:
        first, last = positions[:3], positions[-3:]
        step = scaled(difference(last, first), 1 / (len(positions) // 3 - 1))
        return (first[0], first[1], first[2]), step
    along_row, along_column = cosines(known["image_orientation_patient"]) or ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    spacing = known.get("pixel_spacing") or []
    between_rows, between_columns = spacing if len(spacing) == 2 else (1.0, 1.0)
    right = scaled(along_row, between_columns * ((known.get("columns") or 0) - columns) / 2)
    downwards = scaled(along_column, between_rows * ((known.get("rows") or 0) - rows) / 2)
    corner = known.get("image_position_patient") or positions or []
    corner = corner if len(corner) >= 3 else (0.0, 0.0, 0.0)
    origin = (corner[0] + right[0] + downwards[0], corner[1] + right[1] + downwards[1], corner[2] + right[2] + downwards[2])
    normal = known.get("tile_normal") or []
    if len(normal) != 3:
        normal = normal_of(known["image_orientation_patient"]) or (0.0, 0.0, 1.0)
    return origin, scaled(normal, single_spacing(known) or 1.0)


def _affine(known: dict[str, Value], origin: Any, step: Vector) -> list[list[float]] | None:
    """Rows of the 3 × 4 matrix from (column, row, slice) indices to mm; None without a pixel spacing."""
    plane, spacing = cosines(known["image_orientation_patient"]), known.get("pixel_spacing")
    if plane is None or spacing is None or len(spacing) != 2:
        return None
    along_row, along_column = scaled(plane[0], spacing[1]), scaled(plane[1], spacing[0])
    return [[along_row[axis], along_column[axis], step[axis], origin[axis]] for axis in range(3)]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0
