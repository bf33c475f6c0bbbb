"""How often an answer like this one is right: a logistic function of its evidence, fitted on headers of families left out.

`rules/probability.json` holds the fit; `gyrus.classifier.calibration` makes it. A confidence reports how the evidence counts; the
probability is what decides.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gyrus.classifier.core.axes import is_asked_of
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.errors import RulesetError
from gyrus.classifier.core.evidence import AxisResult, is_corrected
from gyrus.classifier.core.features import Familiar, Features, of_answer, of_header

FILE = "probability.json"
ALL = "all"
SCORED = ("base", "technique", "modifier", "construct", "provenance", "acceleration", "intent")
"""The axes whose being right together is the probability `all`."""
FITTED = (*SCORED, "contrast")
"""Body part has no labels to fit on: its probability stays null."""
LEAST, MOST = 0.001, 0.999
"""No finite set of examples shows more."""


@dataclass(frozen=True)
class Curve:
    """Coefficients by feature; `of` gives a probability between LEAST and MOST."""

    intercept: float
    coefficients: Mapping[str, float]

    def of(self, features: Features) -> float:
        score, known = self.intercept, self.coefficients
        for name, value in features.items():
            if name in known:
                score += known[name] * value
        return min(max(1 / (1 + math.exp(-min(max(score, -50.0), 50.0))), LEAST), MOST)


NOTHING_MET = Familiar()


@dataclass(frozen=True)
class Calibration:
    """One curve an axis, and one for all of them together. `about`: what it was fitted on, when, and how well it did."""

    curves: Mapping[str, Curve]
    familiar: Familiar = NOTHING_MET
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def probabilities(
        self, axes: Mapping[str, AxisResult], context: ClassificationContext, general: Mapping[str, frozenset[str]]
    ) -> dict[str, float | None]:
        """Axis → probability that its answer is right, and `all`: that all are.

        A corrected axis is right; one that is not asked of the modality, or has no curve, has none.
        """
        if not self.curves:
            return dict.fromkeys((*axes, ALL))
        header = of_header(context, self.familiar)
        found: dict[str, float | None] = dict.fromkeys((*axes, ALL))
        for axis in FITTED:
            if is_corrected(axes[axis]):
                found[axis] = 1.0
            elif is_asked_of(axis, context.modality):
                found[axis] = self.curves[axis].of(of_answer(axes[axis], header, general[axis]))
        found[ALL] = together(self.curves[ALL], axes, found, header)
        return {name: None if sure is None else round(sure, 4) for name, sure in found.items()}


def together(curve: Curve, axes: Mapping[str, AxisResult], sure: Mapping[str, float | None], header: Features) -> float:
    """The probability that all axes are right, which is never above that of one of them."""
    return min(curve.of(of_all(axes, sure, header)), *(sure.get(axis) or 1.0 for axis in SCORED))


def of_all(axes: Mapping[str, AxisResult], sure: Mapping[str, float | None], header: Features) -> Features:
    """What `all` is judged by: the log odds of the axes' joint probability and of the weakest of them, doubts, and the header."""
    asked = {axis: probability for axis in SCORED if (probability := sure.get(axis)) is not None}
    known = [min(max(probability, LEAST), MOST) for probability in asked.values()]
    return {
        "joint": _logit(max(math.prod(known), LEAST)),
        "weakest": _logit(min(known)),
        "doubts": float(min(sum(len(axes[axis].doubts) for axis in asked), 3)),
        "silent_axes": float(sum(not axes[axis].values for axis in asked)),
        **header,
    }


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


NOT_FITTED = Calibration({})


def calibration_of(content: Mapping[str, Any]) -> Calibration:
    """A fit as it is stored: {about, curves: {axis: {intercept, coefficients}}, familiar: {words, types, names}}."""
    curves = {axis: Curve(float(curve["intercept"]), dict(curve["coefficients"])) for axis, curve in content["curves"].items()}
    familiar = Familiar(**{name: frozenset(met) for name, met in content.get("familiar", {}).items()})
    return Calibration(curves, familiar, content.get("about", {}))


def read_calibration(path: Path) -> dict[str, Any]:
    """The content of a stored fit; empty where there is none. Raises RulesetError where it is no fit."""
    if not path.exists():
        return {"curves": {}}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = [axis for axis in (*FITTED, ALL) if axis not in content["curves"]]
        calibration_of(content)
    except (ValueError, KeyError, TypeError) as wrong:
        raise RulesetError(path, 1, f"no fit of probabilities ({wrong}); `make calibrate` makes one") from None
    if missing:
        raise RulesetError(path, 1, f"the fit has no curve for {', '.join(missing)}; `make calibrate` makes one")
    return content
