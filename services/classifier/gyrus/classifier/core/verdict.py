"""What the classifier says about one stack, as it is stored and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core.axes import AXES, CONTRAST
from gyrus.classifier.core.evidence import AxisResult

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of every axis, and the reasons for which a person should look, in words."""

    axes: Mapping[str, AxisResult]
    review: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Plain JSON. `probability` is null until it is calibrated: a confidence is not a probability."""
        return {
            **{name: self._value(name) for name in AXES},
            "probability": dict.fromkeys(AXES),
            "confidence": {name: result.confidence for name, result in self.axes.items()},
            "review": list(self.review),
            "evidence": {name: [one.document() for one in result.evidence] for name, result in self.axes.items()},
            "alternatives": {
                name: [{"value": value, "confidence": sure} for value, sure in result.alternatives] for name, result in self.axes.items()
            },
        }

    def _value(self, name: str) -> str | list[str] | None:
        value = self.axes[name].value
        if AXES[name].many:
            return list(self.axes[name].values)
        return UNKNOWN if value is None and name == CONTRAST.name else value if isinstance(value, str) else None
