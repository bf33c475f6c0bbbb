"""Where the plane of an image lies: its normal, its class and how oblique it is (PS3.3 C.7.6.2.1.1; patient axes, mm)."""

import math
from collections.abc import Sequence
from typing import Any

Vector = tuple[float, float, float]

_CLASSES = ((2, "AX"), (1, "COR"), (0, "SAG"))  # axis of the patient and its class; ties go to the first
_TOLERANCE = 0.01


def cosines(orientation: Any) -> tuple[Vector, Vector] | None:
    """Directions of increasing column and row index as unit vectors, or None if they are not a plane.

    orientation: image_orientation_patient, 6 cosines.
    """
    if not isinstance(orientation, Sequence) or len(orientation) != 6:
        return None
    along_row, along_column = tuple(orientation[:3]), tuple(orientation[3:])
    lengths = [math.sqrt(dot(vector, vector)) for vector in (along_row, along_column)]
    if not all(abs(length - 1) <= _TOLERANCE for length in lengths):
        return None
    row, column = scaled(along_row, 1 / lengths[0]), scaled(along_column, 1 / lengths[1])
    return (row, column) if abs(dot(row, column)) <= _TOLERANCE else None


def normal_of(orientation: Any) -> Vector | None:
    """The unit normal of a plane: row direction × column direction."""
    plane = cosines(orientation)
    if plane is None:
        return None
    (a, b, c), (d, e, f) = plane
    cross = (b * f - c * e, c * d - a * f, a * e - b * d)
    return scaled(cross, 1 / math.sqrt(dot(cross, cross)))


def orientation_class(orientation: Any) -> str:
    """AX, COR or SAG by the largest component of the normal; UNK without a valid orientation."""
    normal = normal_of(orientation)
    return "UNK" if normal is None else _ranked(normal)[0][1]


def obliquity_deg(orientation: Any) -> float | None:
    """The angle between the normal and the nearest axis of the patient, 0 to 54.7 degrees."""
    normal = normal_of(orientation)
    return None if normal is None else angle_deg(max(abs(part) for part in normal))


def orientation_text(orientation: Any) -> str:
    """The class for a reader, e.g. `AX>COR12.5`: the second axis and the angle towards it."""
    normal = normal_of(orientation)
    if normal is None:
        return "UNK"
    angle = obliquity_deg(orientation) or 0.0
    (_, first), (_, second), _ = _ranked(normal)
    return first if angle < 0.05 else f"{first}>{second}{angle:.1f}"


def _ranked(normal: Vector) -> list[tuple[int, str]]:
    return sorted(_CLASSES, key=lambda axis: -round(abs(normal[axis[0]]), 9))


def dot(first: Sequence[float], second: Sequence[float]) -> float:
    """The scalar product of two vectors of three."""
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def scaled(vector: Sequence[float], factor: float) -> Vector:
    """A vector of three times a number."""
    return vector[0] * factor, vector[1] * factor, vector[2] * factor


def difference(first: Sequence[float], second: Sequence[float]) -> Vector:
    """first - second."""
    return first[0] - second[0], first[1] - second[1], first[2] - second[2]


def angle_deg(cosine: float) -> float:
    """The angle of a cosine, degrees; rounding beyond 1 is forgiven."""
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
