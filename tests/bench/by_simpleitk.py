"""The same steps as `load_image` and `prepare_for_inference`, by SimpleITK and numpy, as the models' published pipeline takes them."""

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from gyrus.data.grid import PATCH, slice_axis_of, slices_first
from gyrus.data.intensity import WINDOWS_HU

sitk: Any = SimpleITK


def load(path: Path) -> Any:
    """Read, orient, resample, crop."""
    if path.is_dir():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))
        image = reader.Execute()
    else:
        image = sitk.ReadImage(str(path))
    image = sitk.DICOMOrient(image, "RPI")
    size, spacing = image.GetSize(), image.GetSpacing()
    axis = slice_axis_of(size, spacing)
    steps = [4.0 if one == axis else 1.0 for one in range(3)]
    multiples = [PATCH[0] if one == axis else PATCH[1] for one in range(3)]
    full = [int(n * (s / t)) for n, s, t in zip(size, spacing, steps, strict=True)]
    kind = image.GetPixelID()
    made = sitk.Resample(image, full, sitk.Transform(), sitk.sitkBSpline, image.GetOrigin(), steps, image.GetDirection(), 0.0, kind)
    x, y, z = (slice(n % m // 2, n % m // 2 + n // m * m) for n, m in zip(full, multiples, strict=True))
    return made[x, y, z]


def prepare(image: Any, mode: str) -> tuple[list[NDArray[np.float64]], NDArray[np.bool_]]:
    """Windows or percentiles, in [0, 1], and the foreground of voxels."""
    spacing = image.GetSpacing()
    view = 2 - (2 if len(set(spacing)) == 1 else int(np.argmax(spacing)))
    values = np.ascontiguousarray(slices_first(sitk.GetArrayFromImage(image), view).astype(np.float64))
    if mode == "ct":
        ranges = [(level - width / 2, level + width / 2) for width, level in WINDOWS_HU.values()]
        return [(values.clip(low, high) - low) / (high - low + 1e-8) for low, high in ranges], values > -500
    foreground = values > np.percentile(values, 10)
    values = values.clip(np.percentile(values, 0.5), np.percentile(values, 99.5))
    return [(values - values.min()) / (values.max() - values.min() + 1e-8)], foreground
