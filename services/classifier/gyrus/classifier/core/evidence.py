"""Why a value was chosen: what each piece of evidence weighs, and what several of them are worth together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

HIGH_VALUE_TOKEN = "HIGH_VALUE_TOKEN"  # noqa: S105 - a token of a DICOM tag
DICOM_STRUCTURED = "DICOM_STRUCTURED"
TECHNIQUE_INFERENCE = "TECHNIQUE_INFERENCE"
MODIFIER_INFERENCE = "MODIFIER_INFERENCE"
TEXT_SEARCH = "TEXT_SEARCH"
PHYSICS_DISTINCT = "PHYSICS_DISTINCT"
PHYSICS_OVERLAP = "PHYSICS_OVERLAP"
SIBLING_INFERENCE = "SIBLING_INFERENCE"
AXIS_INFERENCE = "AXIS_INFERENCE"
CORRECTION = "correction"

WEIGHT = {
    CORRECTION: 1.0,
    HIGH_VALUE_TOKEN: 0.95,
    DICOM_STRUCTURED: 0.95,
    TECHNIQUE_INFERENCE: 0.90,
    MODIFIER_INFERENCE: 0.80,
    TEXT_SEARCH: 0.75,
    AXIS_INFERENCE: 0.90,
    PHYSICS_DISTINCT: 0.70,
    PHYSICS_OVERLAP: 0.50,
    SIBLING_INFERENCE: 0.50,
    "GEOMETRY_HINT": 0.40,
}
"""The weight of a source where a rule says nothing else."""

ALTERNATIVE_WEIGHT = 0.90
COMBINATION_WEIGHT = 0.75
AGREEMENT_BONUS = 0.05
CEILING = 0.99

TRUST = (
    CORRECTION,
    HIGH_VALUE_TOKEN,
    DICOM_STRUCTURED,
    TECHNIQUE_INFERENCE,
    AXIS_INFERENCE,
    MODIFIER_INFERENCE,
    PHYSICS_DISTINCT,
    TEXT_SEARCH,
    PHYSICS_OVERLAP,
    SIBLING_INFERENCE,
    "GEOMETRY_HINT",
)
"""Who is believed when two values disagree: what the scanner measured comes before what a person typed."""

PLACE_OF = {source: place for place, source in enumerate(TRUST)}


class Evidence(NamedTuple):
    """One fact that speaks for the value `target`: where it was found (`field`), what was found (`value`), how much it weighs."""

    source: str
    field: str
    value: str
    target: str
    weight: float

    @classmethod
    def of(cls, source: str, field: str, value: str, target: str) -> "Evidence":
        return cls(source=source, field=field, value=value, target=target, weight=WEIGHT[source])

    @classmethod
    def from_token(cls, field: str, value: str, target: str, weight: float = WEIGHT[HIGH_VALUE_TOKEN]) -> "Evidence":
        return cls(source=HIGH_VALUE_TOKEN, field=field, value=value, target=target, weight=weight)

    @classmethod
    def from_structured(cls, field: str, value: str, target: str) -> "Evidence":
        return cls.of(DICOM_STRUCTURED, field, value, target)

    @classmethod
    def from_text_search(cls, keyword: str, target: str, field: str = "text_search_blob") -> "Evidence":
        return cls.of(TEXT_SEARCH, field, keyword, target)

    @classmethod
    def from_technique(cls, technique: str, implied_base: str) -> "Evidence":
        return cls.of(TECHNIQUE_INFERENCE, "technique", technique, implied_base)

    @classmethod
    def from_modifier(cls, modifier: str, physics: str, target: str) -> "Evidence":
        return cls.of(MODIFIER_INFERENCE, "modifier", f"{modifier}, {physics}", target)

    @classmethod
    def from_physics(cls, physics: str, target: str, *, distinct: bool) -> "Evidence":
        return cls.of(PHYSICS_DISTINCT if distinct else PHYSICS_OVERLAP, "physics", physics, target)

    @classmethod
    def from_sibling(cls, value: str, target: str) -> "Evidence":
        return cls.of(SIBLING_INFERENCE, "study", value, target)

    @classmethod
    def from_correction(cls, axis: str, target: str) -> "Evidence":
        return cls.of(CORRECTION, axis, target, target)

    def document(self) -> dict[str, Any]:
        return {"source": self.source, "field": self.field, "value": self.value, "target": self.target, "weight": self.weight}


def confidence(evidences: Sequence[Evidence]) -> float:
    """The heaviest weight, and 0.05 for each further kind of source that agrees, up to 0.99; 0 without evidence.

    A correction is 1: a person looked.
    """
    if not evidences:
        return 0.0
    heaviest = sure = evidences[0].weight
    if len(evidences) > 1:
        heaviest = max([evidence.weight for evidence in evidences])
        sure = heaviest + AGREEMENT_BONUS * (len({evidence.source for evidence in evidences}) - 1)
    return heaviest if heaviest >= WEIGHT[CORRECTION] else round(min(sure, CEILING), 4)


def trust(evidences: Sequence[Evidence]) -> int:
    """The place of the most trusted source among the evidence; smaller is more trusted."""
    return min([PLACE_OF[evidence.source] for evidence in evidences])


CONFLICT, CONTRADICTION = "conflict", "contradiction"
"""Two sources say different values; or words say what tags and numbers rule out."""


class Doubt(NamedTuple):
    """What speaks against an answer: the value that something says instead, and the sentence that a person reads."""

    kind: str
    value: str
    words: str


class AxisResult(NamedTuple):
    """What one axis decided. `alternatives` are values that had evidence too, best first, with their confidences.

    `value` is None where nothing speaks for any value; an axis with several values holds a tuple. `doubts` are the
    contradictions that a person should look at.
    """

    value: str | tuple[str, ...] | None
    confidence: float | None
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """All values, of a single axis too."""
        if self.value is None:
            return ()
        return (self.value,) if isinstance(self.value, str) else self.value


def is_corrected(result: AxisResult) -> bool:
    """Whether a person set the answer; beside a correction nothing else is evidence."""
    return bool(result.evidence) and result.evidence[0].source == CORRECTION


NOTHING = AxisResult(value=None, confidence=None)
NONE_OF_MANY = AxisResult(value=(), confidence=None)
