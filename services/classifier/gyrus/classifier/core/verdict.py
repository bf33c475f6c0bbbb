"""What the classifier says about one stack, as it is stored and shown."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gyrus.classifier.core.axes import AXES, CONTRAST
from gyrus.classifier.core.evidence import NONE_OF_MANY, NOTHING, AxisResult, Evidence, confidence
from gyrus.classifier.core.probability import ALL
from gyrus.classifier.core.review import Reason, group_of, silent_axes

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of every axis, and the reasons for which a person should look."""

    axes: Mapping[str, AxisResult]
    review: tuple[Reason, ...]
    probability: Mapping[str, float | None] = field(default_factory=dict)
    """Axis → how often an answer like this one is right; `all`: how often all are. Empty or None: not fitted."""
    modality: str = ""
    kernel: str | None = None
    """Of a CT: the reconstruction kernel (0018,1210), as the scanner wrote it."""
    tracer: str | None = None
    """Of a PET: the radiopharmaceutical (0018,0031), under its one name where it is known."""

    @cached_property
    def digest(self) -> str:
        """Names the whole document: equal digests, equal labels."""
        written = json.dumps(self.document(), sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def document(self) -> dict[str, Any]:
        """Plain JSON. `probability` decides; `confidence` reports how the evidence counts."""
        return {
            **{name: self._value(name) for name in AXES},
            "modality": self.modality or None,
            "kernel": self.kernel,
            "tracer": self.tracer,
            "probability": {name: self.probability.get(name) for name in (*AXES, ALL)},
            "confidence": {name: result.confidence for name, result in self.axes.items()},
            "review": [reason.told for reason in self.review],
            "review_kinds": sorted({reason.kind for reason in self.review}),
            "review_group": group_of(self.axes, self.review),
            "no_evidence": silent_axes(self.axes),
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


def create_excluded_result(why: str = "is_excluded") -> Verdict:
    """The verdict on what is no image of a patient: no label on any axis, and the intent `excluded`. why: the flag that says so."""
    nothing = {name: NONE_OF_MANY if axis.many else NOTHING for name, axis in AXES.items()}
    evidence = (Evidence.from_token("unified_flags", why, "excluded"),)
    intent = AxisResult(value="excluded", confidence=confidence(evidence), evidence=evidence)
    return Verdict(axes={**nothing, "intent": intent}, review=())
