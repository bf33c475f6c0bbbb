"""Numbers become facts: for each number all comparisons that anybody asks for are answered by one bisection."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core import fields

FLUID_T1_MS = 4300.0
"""T1 of cerebrospinal fluid, nearly the same at every field strength."""

WHITE_MATTER_T1_MS = ((1.0, 400.0), (2.5, 650.0), (5.0, 850.0), (8.5, 1200.0), (math.inf, 1600.0))
"""Below this field (tesla): T1 of white matter."""
USUAL_FIELD_T = 3.0
SMALLEST_ANGLE = 0.1

NUMBERS = (
    "repetition_time",
    "echo_time",
    "inversion_time",
    "flip_angle",
    "diffusion_b_value",
    "echo_train_length",
    "magnetic_field_strength",
    "n_temporal_positions",
    "n_instances",
    "n_echoes",
    "parallel_reduction_factor_in_plane",
    "parallel_reduction_factor_out_of_plane",
    "multiband_factor",
    "partial_fourier",
    "contrast_bolus_volume",
)
FLUID_RATIO, ERNST_RATIO = "fluid_ratio", "ernst_ratio"
ALL = (*NUMBERS, FLUID_RATIO, ERNST_RATIO)
"""Numbers that conditions may compare: times in ms, angles in degrees, field in tesla, b in s/mm²."""


@dataclass(frozen=True)
class Scale:
    """The thresholds of one number in order, and the facts that hold below, at and between them."""

    thresholds: tuple[float, ...]
    facts: tuple[int, ...]

    @classmethod
    def of(cls, comparisons: Iterable[tuple[float, str, int]]) -> "Scale":
        asked = tuple(comparisons)
        thresholds = tuple(sorted({value for value, _, _ in asked}))
        # Places: below the first threshold, at it, between it and the next, …
        spots = [
            -math.inf,
            *(spot for low, high in zip(thresholds, (*thresholds[1:], math.inf), strict=True) for spot in (low, _between(low, high))),
        ]
        return cls(thresholds, tuple(_facts_at(spot, asked) for spot in spots))

    def at(self, value: float) -> int:
        place = bisect_left(self.thresholds, value)
        is_on = place < len(self.thresholds) and self.thresholds[place] == value
        return self.facts[2 * place + is_on]


def _between(low: float, high: float) -> float:
    return low + 1 if high == math.inf else (low + high) / 2


def _facts_at(spot: float, asked: tuple[tuple[float, str, int], ...]) -> int:
    facts = 0
    for threshold, sign, bit in asked:
        if spot > threshold if sign == ">" else spot < threshold:
            facts |= bit
    return facts


def numbers_of(fingerprint: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that were measured, by name."""
    found = {name: value for name in NUMBERS if name in fingerprint and (value := fields.number(fingerprint, name)) is not None}
    ratio = fluid_ratio(found.get("repetition_time"), found.get("inversion_time"))
    if ratio is not None:
        found[FLUID_RATIO] = ratio
    if "repetition_time" in found and "flip_angle" in found:
        field = found.get("magnetic_field_strength", USUAL_FIELD_T)
        found[ERNST_RATIO] = found["flip_angle"] / ernst_angle(found["repetition_time"], field)
    return found


def ernst_angle(repetition_time_ms: float, field_t: float) -> float:
    """The flip angle (degrees) at which white matter gives most signal in a spoiled gradient echo.

    Above it T1 weights the image, far below it proton density.
    """
    t1_ms = next(t1 for highest, t1 in WHITE_MATTER_T1_MS if field_t < highest)
    return max(math.degrees(math.acos(math.exp(-repetition_time_ms / t1_ms))), SMALLEST_ANGLE)


def fluid_ratio(repetition_time_ms: float | None, inversion_time_ms: float | None) -> float | None:
    """Inversion time in units of the time at which fluid has no signal: about 1 for a FLAIR, below 0.15 for a STIR, above 1.2 for a DIR."""
    if repetition_time_ms is None or inversion_time_ms is None or inversion_time_ms >= repetition_time_ms:
        return None
    null_ms = FLUID_T1_MS * math.log(2 / (1 + math.exp(-repetition_time_ms / FLUID_T1_MS)))
    return inversion_time_ms / null_ms if null_ms > 0 else None
