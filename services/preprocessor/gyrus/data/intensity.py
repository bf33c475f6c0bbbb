"""Values to [0, 1] and to bytes: windows for CT, percentiles for MRI, and the background of each. Pure.

The arithmetic is that of float64: the 1e-8 of the published formula makes the brightest byte 254, and vanishes in float32. Whole numbers
go through tables, one entry a value: exact, and quicker. Their percentiles come from one histogram.
"""

from collections.abc import Callable, Mapping, Sequence
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
MOST_VALUES: Final = 2**20  # a table for more would cost more than it saves

Bytes = NDArray[np.uint8]
Fractions = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Range:
    """What becomes 0 to (nearly) 1; what lies beyond is clipped."""

    lower: float
    upper: float

    def fractions(self, values: NDArray[Any]) -> Fractions:
        """[0, 1) in float64."""
        return (values.astype(np.float64).clip(self.lower, self.upper) - self.lower) / (self.upper - self.lower + TINY)


@dataclass(frozen=True, slots=True)
class Tone:
    """How the values of one volume are shown: a range for each image by its window ("" for MRI), and which values are background."""

    ranges: Mapping[str, Range]
    background: float  #: what is not above it


def tone_of(values: NDArray[Any], mode: str) -> Tone:
    """The tone of a prepared volume. mode: ct (values are Hounsfield units) or mri. Raises Refused for values that are no numbers."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refused("not_finite", "a value is infinite or no number")
    if mode == "ct":
        return Tone({name: Range(level - width / 2, level + width / 2) for name, (width, level) in WINDOWS_HU.items()}, AIR_BELOW_HU)
    low, background, high = percentiles(values, (SHOWN_PERCENTILES[0], BACKGROUND_PERCENTILE, SHOWN_PERCENTILES[1]))
    return Tone({"": Range(low, high)}, background)


class Toner:
    """Applies tones to the values of one volume, in any order of its voxels."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values
        self._least, self._n = _span(values)

    def fractions(self, shown: Range) -> NDArray[np.float32]:
        """[0, 1) in float32, rounded from float64."""
        found: NDArray[np.float32] = self._looked_up(lambda values: shown.fractions(values).astype(np.float32))
        return found

    def to_bytes(self, shown: Range) -> Bytes:
        """0 to 254, truncated."""
        found: Bytes = self._looked_up(lambda values: (shown.fractions(values) * 255).astype(np.uint8))
        return found

    def background(self, tone: Tone) -> Bytes:
        """1 where a value is not above the background."""
        return (self.values <= tone.background).astype(np.uint8)

    def _looked_up(self, of: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
        if not self._n:
            return of(self.values)
        return np.take(of(np.arange(self._n) + self._least), self._places)

    @property
    def _places(self) -> NDArray[Any]:
        return self.values if self._least == 0 else np.subtract(self.values, self._least, dtype=np.int64)


def percentiles(values: NDArray[Any], wanted: Sequence[float]) -> list[float]:
    """Percentiles with linear interpolation, as numpy makes them; of whole numbers from one histogram."""
    least, n = _span(values)
    if not n:
        return [float(value) for value in np.percentile(values.astype(np.float64, copy=False), wanted)]
    places = values if least == 0 else np.subtract(values, least, dtype=np.int64)
    below = np.cumsum(np.bincount(places.ravel(), minlength=n))
    return [_interpolated(below, least, (values.size - 1) * percent / 100) for percent in wanted]


def _interpolated(below: NDArray[np.int64], least: int, rank: float) -> float:
    whole = int(rank)
    low, high = (float(least + np.searchsorted(below, place, side="right")) for place in (whole, min(whole + 1, int(below[-1]) - 1)))
    part = rank - whole
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def _span(values: NDArray[Any]) -> tuple[int, int]:
    """The first value of a table of whole numbers and its length; 0 where a table would not be worth it."""
    if values.dtype.kind not in "iu" or not values.size:
        return 0, 0
    least, most = int(values.min()), int(values.max())
    least = 0 if 0 <= least < MOST_VALUES else least
    return (least, most - least + 1) if most - least < MOST_VALUES else (0, 0)
