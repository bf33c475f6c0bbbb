"""A head under slices: what a slice sees of a contrast or map."""

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gyrus.console.sample.cohort import Subject
from gyrus.console.sample.geometry import Slab, Vector
from gyrus.console.sample.phantom import TEMPLATE_ORIGIN_MM, Floats, Head
from gyrus.console.sample.signals import volume_of

HEAD_CENTRE_MM = (0.0, -18.0, 8.0)  # MNI point that lies in the middle of the scanner
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
SUBSLICE_MM = 1.5  # a thick slice is the mean of planes about this far apart


@dataclass(frozen=True)
class Camera:
    """A subject's head under the slices of a slab."""

    head: Head
    subject: Subject
    slab: Slab
    _seen: dict[tuple[str, Slab, int], Floats] = field(default_factory=dict)

    def under(self, slab: Slab) -> "Camera":
        """The same head under other slices."""
        return Camera(self.head, self.subject, slab, self._seen)

    def see(self, name: str, slice_index: int) -> Floats:
        """(rows, columns): the mean across the slice's thickness; kept, since volumes share their slices. Not to be changed."""
        place = (name, self.slab, slice_index)
        if place not in self._seen:
            self._seen[place] = self._look(name, slice_index)
        return self._seen[place]

    def _look(self, name: str, slice_index: int) -> Floats:
        volume, slab = volume_of(self.head, name), self.slab
        row, column, step = (axis @ self._to_template().T for axis in slab.directions())
        corner = self._to_voxel(slab.position(slice_index))
        planes = max(1, round(slab.thickness_mm / SUBSLICE_MM))
        offsets = (np.arange(planes) - (planes - 1) / 2) * slab.thickness_mm / planes
        seen = [_interpolate(volume, self._points(corner + step * offset, row, column)) for offset in offsets]
        mean: Floats = np.mean(seen, axis=0, dtype=np.float32)
        return mean

    def _points(self, corner: Vector, row: Vector, column: Vector) -> NDArray[np.float32]:
        """Template voxels (3, rows, columns) below the slice's pixels."""
        down = column[:, None, None] * np.arange(self.slab.rows)[None, :, None]
        across = row[:, None, None] * np.arange(self.slab.columns)[None, None, :]
        return (corner[:, None, None] + (down + across) * self.slab.pixel_mm).astype(np.float32)

    def _to_template(self) -> Vector:
        """The matrix from patient axes (LPS, mm) to the template's axes (RAS, mm): undo the turns, then the subject's size."""
        return LPS_TO_RAS @ np.diag(1 / np.array(self.subject.scale)) @ _turns(self.subject).T

    def _to_voxel(self, position: Vector) -> Vector:
        voxel: Vector = self._to_template() @ position + np.array(HEAD_CENTRE_MM) - np.array(TEMPLATE_ORIGIN_MM)
        return voxel


def _turns(subject: Subject) -> Vector:
    """The head's rotation in patient axes: nodding about left-right, then leaning about front-back."""
    nod, lean = np.radians([subject.nod_deg, subject.lean_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    about_y = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
    turns: Vector = about_y @ about_x
    return turns


def _interpolate(volume: Floats, points: NDArray[np.float32]) -> Floats:
    """Trilinear values at (3, rows, columns) voxel positions; beyond the edge the edge goes on (the neck does, air does)."""
    limits = np.array(volume.shape, dtype=np.float32)[:, None, None] - 1.001
    inside = np.clip(points, 0, limits)
    base = inside.astype(np.int32)
    x, y, z = inside - base
    flat = np.ravel_multi_index((base[0], base[1], base[2]), volume.shape)
    along_y, along_x = volume.shape[2], volume.shape[1] * volume.shape[2]
    values = volume.ravel()
    total = np.zeros(flat.shape, dtype=np.float32)
    for i, j, k in product((0, 1), repeat=3):
        weight = (x if i else 1 - x) * (y if j else 1 - y) * (z if k else 1 - z)
        total += weight * values[flat + i * along_x + j * along_y + k]
    return total
