"""What people said: a correction pins an axis of a stack, and other axes draw their conclusions from it.

Rules come and go under a correction: a value that they no longer have stands as well, and no rule draws a conclusion from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gyrus.classifier.core.axes import AXES, CONTRAST
from gyrus.classifier.core.errors import CorrectionError, allowed
from gyrus.classifier.core.evidence import WEIGHT, AxisResult, Evidence
from gyrus.classifier.core.verdict import UNKNOWN

Pins = Mapping[str, AxisResult]


def pins_of(stack: str, corrections: Sequence[Mapping[str, Any]]) -> Pins:
    """The pinned axes of one stack; of several corrections of an axis the last counts. Raises CorrectionError."""
    return {one["axis"]: pinned(one["axis"], one["value"]) for one in corrections if one["stack"] == stack}


def pinned(axis: str, value: Any) -> AxisResult:
    """An axis as a person set it. `value` is a value of the axis, a list where it has several, or None for "none"."""
    if axis not in AXES:
        raise CorrectionError(f"correction: no axis is called {axis!r}; {allowed(axis, AXES)}")
    many = AXES[axis].many
    if many is not isinstance(value, list | tuple) and value is not None:
        raise CorrectionError(f"correction: axis {axis!r} takes {'a list of values' if many else 'one value'}, found {value!r}")
    values = tuple(sorted(set(value))) if isinstance(value, list | tuple) else () if _says_nothing(axis, value) else (value,)
    evidence = tuple(Evidence.from_correction(axis, found) for found in values) or (Evidence.from_correction(axis, "none"),)
    return AxisResult(value=values if many else next(iter(values), None), confidence=WEIGHT["correction"], evidence=evidence)


def _says_nothing(axis: str, value: Any) -> bool:
    return value is None or (axis == CONTRAST.name and value == UNKNOWN)
