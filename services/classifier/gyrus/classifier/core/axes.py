"""The axes: which questions are asked about a stack, in which order. Their values stand in the rule files, one rule for each."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One question about a stack. `plural` is the top key of its rule file; a `many` axis may have several values at once."""

    name: str
    plural: str
    many: bool = False

    @property
    def file_name(self) -> str:
        return f"{self.name}-detection.yaml"


PROVENANCE = Axis(name="provenance", plural="provenances")
CONSTRUCT = Axis(name="construct", plural="constructs", many=True)
TECHNIQUE = Axis(name="technique", plural="techniques")
MODIFIER = Axis(name="modifier", plural="modifiers", many=True)
BASE = Axis(name="base", plural="bases")
ACCELERATION = Axis(name="acceleration", plural="accelerations", many=True)
CONTRAST = Axis(name="contrast", plural="contrasts")
"""Contrast agent. Silence is the third answer, `unknown`; no rule may claim it."""
BODY_PART = Axis(name="body_part", plural="body_parts")
INTENT = Axis(name="intent", plural="intents")

RULED: tuple[Axis, ...] = (PROVENANCE, CONSTRUCT, TECHNIQUE, MODIFIER, BASE, ACCELERATION, CONTRAST, BODY_PART, INTENT)
"""In the order in which they are decided: a later one may use what an earlier one found."""

MR_ONLY = frozenset({"base", "technique", "modifier", "construct", "provenance", "acceleration"})


def is_asked_of(axis: str, modality: str) -> bool:
    """Whether the question of an axis arises for images of a modality (0008,0060)."""
    return axis not in MR_ONLY or modality == "MR"


AXES: dict[str, Axis] = {axis.name: axis for axis in RULED}
