"""Values to bytes: windows for CT, percentiles for MRI, and the background of each.

All in float64: the 1e-8 of the published formula makes the brightest byte 254, and vanishes in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.dicom.pixels import Refused

WINDOWS_HU: Final[Mapping[str, tuple[float, float]]] = {"brain": (80.0, 40.0), "blood": (200.0, 80.0), "bone": (2800.0, 600.0)}
"""Width and level in Hounsfield units, in the order in which the models expect them."""
AIR_BELOW_HU: Final = -500.0
BACKGROUND_PERCENTILE: Final = 10.0
SHOWN_PERCENTILES: Final = (0.5, 99.5)
TINY: Final = 1e-8

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Toned:
    """One volume in bytes, (slices, rows, columns) each."""

    images: dict[str, Bytes]  #: CT: brain, blood, bone; MRI: one, named ""
    background: Bytes  #: 1 = background


def tone_ct(values: NDArray[Any]) -> Toned:
    """values: Hounsfield units. Outside the scanned field they are 0, which is water."""
    hu = values.astype(np.float64)
    return Toned({name: windowed(hu, *window) for name, window in WINDOWS_HU.items()}, (hu <= AIR_BELOW_HU).astype(np.uint8))


def tone_mri(values: NDArray[Any]) -> Toned:
    """values: any unit. Raises Refused where the percentiles leave no contrast."""
    signal = values.astype(np.float64)
    low, threshold, high = np.percentile(signal, (SHOWN_PERCENTILES[0], BACKGROUND_PERCENTILE, SHOWN_PERCENTILES[1]))
    if low == high:
        raise Refused("constant_image", f"99 % of the voxels have the value {low:g}")
    background = (signal <= threshold).astype(np.uint8)
    signal = signal.clip(low, high)
    least, most = signal.min(), signal.max()
    return Toned({"": to_bytes((signal - least) / (most - least + TINY))}, background)


def windowed(hu: NDArray[np.float64], width_hu: float, level_hu: float) -> Bytes:
    """Map level ± width/2 to 0..254."""
    lower, upper = level_hu - width_hu / 2, level_hu + width_hu / 2
    return to_bytes((hu.clip(lower, upper) - lower) / (upper - lower + TINY))


def to_bytes(fraction: NDArray[np.float64]) -> Bytes:
    """[0, 1) to 0..254, truncated."""
    return (fraction * 255).astype(np.uint8)
