"""Where the slices of a series lie: positions and directions in the patient's axes (LPS: left, back, head; mm), PS3.3 C.7.6.2.1.1."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Orientation = Literal["AX", "SAG", "COR"]

# Direction along a row, along a column, and from one slice to the next: seen from the feet, from the left, from the front,
# with the head upwards.
DIRECTIONS: dict[Orientation, tuple[tuple[int, int, int], ...]] = {
    "AX": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "SAG": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "COR": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


@dataclass(frozen=True, kw_only=True)
class Slab:
    """Equidistant parallel slices. Lengths in mm; the tilt turns axial or coronal slices about the left-right axis, in degrees."""

    orientation: Orientation
    rows: int
    columns: int
    slices: int
    pixel_mm: float
    thickness_mm: float
    spacing_mm: float
    tilt_deg: float = 0.0
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def directions(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors along a row, along a column, and to the next slice."""
        cos, sin = np.cos(np.radians(self.tilt_deg)), np.sin(np.radians(self.tilt_deg))
        turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        row, column, step = (turn @ np.array(axis, dtype=float) for axis in DIRECTIONS[self.orientation])
        return row, column, step

    def position(self, index: int) -> Vector:
        """Centre of the first pixel of a slice."""
        row, column, step = self.directions()
        to_slice = step * (index - (self.slices - 1) / 2) * self.spacing_mm
        to_corner = (row * (self.columns - 1) + column * (self.rows - 1)) / 2 * self.pixel_mm
        corner: Vector = np.array(self.centre_mm) + to_slice - to_corner
        return corner

    def normal(self) -> Vector:
        """Unit vector perpendicular to the slices: row × column, whatever the order of the slices."""
        row, column, _ = self.directions()
        return np.cross(row, column)
