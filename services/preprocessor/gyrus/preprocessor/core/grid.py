"""From a volume in its own axes to 1 x 1 x 4 mm in anatomical axes, with SimpleITK.

Words: *RPI* axes run towards the patient's right, back and feet; the *slice axis* is the one that gets 4 mm; *view* names it:
0 axial, 1 coronal, 2 sagittal. The steps and their order are those of the published models' pipeline (MLNeurosurg/neurovfm), down to
what looks odd in it – trained weights expect exactly these numbers, and another order of rounding gives others.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from gyrus.dicom.pixels import MAX_VOXELS, Refused, VolumeArray

sitk: Any = SimpleITK  # its wrappers bear no types

AXES: Final = "RPI"
IN_PLANE_MM: Final = 1.0
SLICE_MM: Final = 4.0
PATCH: Final = (4, 16, 16)  #: slices, rows, columns of one token
# ITK mirrors the four points of its cubic spline once; with two voxels it reads beyond them, and answers what lies there in memory.
SPLINE_POINTS: Final = 3


@dataclass(frozen=True, eq=False)
class Grid:
    """Resampled values, slices first."""

    values: NDArray[Any]  #: (slices, rows, columns) of the view, C-contiguous, in the type of the source
    view: int  #: 0 axial, 1 coronal, 2 sagittal
    spacing_mm: tuple[float, float, float]  #: along x, y, z of the RPI axes, not permuted by the view


def to_grid(volume: VolumeArray) -> Grid:
    """Orient, resample and crop. Raises Refused: too_small, too_large."""
    return resample(sitk.DICOMOrient(to_image(volume), AXES))


def to_image(volume: VolumeArray) -> Any:
    """The volume as a SimpleITK image."""
    image = sitk.GetImageFromArray(volume.array)
    image.SetOrigin(volume.origin_mm)
    image.SetSpacing(volume.spacing_mm)
    image.SetDirection(volume.direction)
    return image


def slice_axis(size: tuple[int, ...], spacing: tuple[float, ...]) -> int:
    """The axis (0 x, 1 y, 2 z) that gets 4 mm.

    Equal spacings: z. Else the smallest among the sizes that occur once, as the models' pipeline does. It fails where all sizes are
    equal; there the largest spacing decides.
    """
    if len(set(spacing)) == 1:
        return 2
    once = [length for length in size if size.count(length) == 1]
    return size.index(min(once)) if once else int(np.argmax(spacing))


def resample(image: Any) -> Grid:
    """Cubic B-spline onto 4 mm along the slice axis and 1 mm else, then the centred crop to whole patches.

    image: SimpleITK, in RPI axes. Integers are clamped to their type and truncated toward zero. The whole grid is resampled before
    the crop: folding the crop into the resampler would round positions differently.
    """
    size, spacing = image.GetSize(), image.GetSpacing()
    if min(size) < SPLINE_POINTS:
        raise Refused("too_small", f"{' x '.join(map(str, size))} voxels, at least {SPLINE_POINTS} along each axis")
    axis = slice_axis(size, spacing)
    steps = [SLICE_MM if k == axis else IN_PLANE_MM for k in range(3)]
    multiples = [PATCH[0] if k == axis else PATCH[1] for k in range(3)]
    lengths = [int(size[k] * (spacing[k] / steps[k])) for k in range(3)]
    _check_size(lengths, multiples)
    cubic = sitk.Resample(
        image, lengths, sitk.Transform(), sitk.sitkBSpline, image.GetOrigin(), steps, image.GetDirection(), 0.0, image.GetPixelID()
    )
    x, y, z = (_middle(length, multiple) for length, multiple in zip(lengths, multiples, strict=True))
    cropped = sitk.GetArrayViewFromImage(cubic)[z, y, x]
    return Grid(np.array(slices_first(cropped, 2 - axis), order="C"), 2 - axis, (steps[0], steps[1], steps[2]))


def slices_first(volume: NDArray[Any], view: int) -> NDArray[Any]:
    """(z, y, x) to (slices, rows, columns) of the view. Its own inverse: applied twice it gives (z, y, x) again."""
    return volume.transpose({0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 1, 0)}[view])


def _check_size(lengths: list[int], multiples: list[int]) -> None:
    found = " x ".join(str(length) for length in lengths)
    if any(length < multiple for length, multiple in zip(lengths, multiples, strict=True)):
        raise Refused("too_small", f"{found} voxels at 1 mm and 4 mm, at least {' x '.join(map(str, multiples))}")
    if int(np.prod(lengths, dtype=object)) > MAX_VOXELS:
        raise Refused("too_large", f"{found} voxels at 1 mm and 4 mm, at most {MAX_VOXELS}")


def _middle(length: int, multiple: int) -> slice:
    start = length % multiple // 2
    return slice(start, start + length // multiple * multiple)
