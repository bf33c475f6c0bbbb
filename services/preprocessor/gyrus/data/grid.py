"""The grid of the models: anatomical axes, 1 mm, and 4 mm between slices. Which axis that is, where samples lie, what is cropped. Pure.

Words: *RPI* axes run towards the patient's right, back and feet; the *slice axis* is the one that gets 4 mm; *view* names it:
0 axial, 1 coronal, 2 sagittal. The steps and their order are those of the published models' pipeline (MLNeurosurg/neurovfm), down to
what looks odd in it – trained weights expect exactly these numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.data.resampling import resampled
from gyrus.data.splines import Ruler, Sampling, sampling
from gyrus.data.tokens import PATCH
from gyrus.dicom.pixels import MAX_VOXELS, Refused
from gyrus.dicom.space import Space

RPI: Final = ((0, -1), (1, 1), (2, -1))  # axis of the patient (LPS), and its sign, of x, y and z
IN_PLANE_MM: Final = 1.0
SLICE_MM: Final = 4.0

Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """From a volume to the grid. All in RPI order x, y, z."""

    axes: Three  #: which axis of the volume (x, y, z) becomes this one
    rulers: tuple[Ruler, Ruler, Ruler]
    slice_axis: int

    @property
    def view(self) -> int:
        return 2 - self.slice_axis

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        x, y, z = (ruler.step_mm for ruler in self.rulers)
        return x, y, z

    @property
    def beyond(self) -> int:
        """Samples, of all axes, that lie beyond the outermost half voxel, where the models' pipeline has 0."""
        ends = ((ruler.start + np.arange(ruler.size)) * ruler.step_mm / ruler.spacing_mm >= ruler.n - 0.5 for ruler in self.rulers)
        return sum(int(end.sum()) for end in ends)

    @property
    def samplings(self) -> list[Sampling]:
        """Of the axes of the volume's array: slices, rows, columns."""
        return [sampling(self.rulers[self.axes.index(axis)]) for axis in (2, 1, 0)]

    def space(self, before: Space) -> Space:
        """Where the samples lie."""
        signs = [-1 if ruler.flipped else 1 for ruler in self.rulers]
        direction = before.matrix[:, list(self.axes)] * signs
        ends = [(ruler.n - 1) * ruler.spacing_mm if ruler.flipped else 0.0 for ruler in self.rulers]
        first = before.matrix[:, list(self.axes)] @ ends
        crop = direction @ [ruler.start * ruler.step_mm for ruler in self.rulers]
        origin = np.array(before.origin_mm) + first + crop
        return Space(tuple(map(float, origin)), self.spacing_mm, tuple(map(float, direction.ravel())))


def plan_of(size: Sequence[int], space: Space, slice_axis: int | None = None) -> Plan:
    """How a volume comes onto the grid. size: columns, rows, slices. Raises Refused: too_small, too_large.

    slice_axis: of the volume's own axes (0 columns, 1 rows, 2 slices), where the rule shall not decide.
    """
    axes, flips = reorientation(space.direction)
    lengths, spacing = [size[axis] for axis in axes], [space.spacing_mm[axis] for axis in axes]
    thick = slice_axis_of(lengths, spacing) if slice_axis is None else axes.index(slice_axis)
    steps = [SLICE_MM if axis == thick else IN_PLANE_MM for axis in range(3)]
    whole = [int(lengths[axis] * (spacing[axis] / steps[axis])) for axis in range(3)]
    multiples = [PATCH[0] if axis == thick else PATCH[1] for axis in range(3)]
    _check_size(whole, multiples)
    x, y, z = (
        Ruler(lengths[axis], spacing[axis], steps[axis], *cropped(whole[axis], multiples[axis]), flipped=flips[axis]) for axis in range(3)
    )
    return Plan(axes, (x, y, z), thick)


def on_grid(array: NDArray[Any], plan: Plan) -> NDArray[Any]:
    """The samples of a volume, (slices, rows, columns): in RPI axes, (z, y, x), C-contiguous, in the type of the array."""
    return _permuted(resampled(array, plan.samplings), [2 - axis for axis in plan.axes[::-1]])


def _permuted(array: NDArray[Any], order: Sequence[int]) -> NDArray[Any]:
    """A C-contiguous copy with its axes in another order, plane by plane: some four times as fast as numpy's own."""
    made = np.empty([array.shape[axis] for axis in order], array.dtype)
    for plane, target in zip(np.moveaxis(array, order[0], 0), made, strict=True):
        target[...] = np.ascontiguousarray(plane).T if order[1] > order[2] else plane
    return made


def reorientation(direction: Sequence[float]) -> tuple[Three, tuple[bool, bool, bool]]:
    """Which axis of an image becomes x, y and z of RPI, and which of them are turned round; direction: 3 × 3 cosines row by row.

    The largest cosine decides for its axis, then the largest of what is left, as in ITK (of equal ones the last by row and column).
    """
    cosines = np.reshape(direction, (3, 3))
    axes: dict[int, int] = {}
    for place in sorted(range(9), key=lambda place: (abs(cosines.flat[place]), place), reverse=True):
        patient, axis = divmod(place, 3)
        if patient not in axes and axis not in axes.values():
            axes[patient] = axis
    x, y, z = ((axes[patient], bool(np.sign(cosines[patient, axes[patient]]) != sign)) for patient, sign in RPI)
    return (x[0], y[0], z[0]), (x[1], y[1], z[1])


def slice_axis_of(size: Sequence[int], spacing_mm: Sequence[float]) -> int:
    """The axis (0 x, 1 y, 2 z) that gets 4 mm.

    Equal spacings: z. Else the smallest among the sizes that occur once, as the models' pipeline does. It fails where all sizes are
    equal; there the largest spacing decides.
    """
    if len(set(spacing_mm)) == 1:
        return 2
    once = [length for length in size if list(size).count(length) == 1]
    return list(size).index(min(once)) if once else int(np.argmax(spacing_mm))


def slices_first(volume: NDArray[Any], view: int) -> NDArray[Any]:
    """(z, y, x) to (slices, rows, columns) of the view. Its own inverse: applied twice it gives (z, y, x) again."""
    return volume.transpose({0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 1, 0)}[view])


def cropped(length: int, multiple: int) -> tuple[int, int]:
    """Start and size of the middle part of a length that is a multiple."""
    return length % multiple // 2, length // multiple * multiple


def _check_size(lengths: Sequence[int], multiples: Sequence[int]) -> None:
    found = " x ".join(str(length) for length in lengths)
    if any(length < multiple for length, multiple in zip(lengths, multiples, strict=True)):
        raise Refused("too_small", f"{found} voxels at 1 mm and 4 mm, at least {' x '.join(map(str, multiples))}")
    if int(np.prod(lengths, dtype=object)) > MAX_VOXELS:
        raise Refused("too_large", f"{found} voxels at 1 mm and 4 mm, at most {MAX_VOXELS}")
