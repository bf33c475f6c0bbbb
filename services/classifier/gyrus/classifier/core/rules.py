"""The shape of a rule, of a rule file and of all of them together; what may stand in the YAML stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gyrus.classifier.core.text import Keyword

WINDOW_FIELDS = ("repetition_time", "echo_time", "inversion_time", "flip_angle", "echo_train_length")


class Closed(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Window(Closed):
    """A range with open ends: above < number < below."""

    above: float | None = None
    below: float | None = None

    def holds(self, number: float | None) -> bool:
        if number is None:
            return False
        return (self.above is None or number > self.above) and (self.below is None or number < self.below)


class Physics(Closed):
    """Numbers of a header that speak for a value: every window must hold. Times in ms, angles in degrees."""

    flags: list[str] = []
    without: list[str] = []
    modifier: str | None = Field(None, description="Holds only if the stack has this modifier; then it is evidence by modifier.")
    repetition_time: Window | None = None
    echo_time: Window | None = None
    inversion_time: Window | None = None
    flip_angle: Window | None = None
    echo_train_length: Window | None = None
    range: Literal["distinct", "overlap"] = "distinct"

    @property
    def windows(self) -> dict[str, Window]:
        return {name: window for name in WINDOW_FIELDS if (window := getattr(self, name)) is not None}


class Detection(Closed):
    """How a value is recognised: any of the first five is evidence; the others forbid."""

    exclusive: str | None = Field(None, description="One flag that is enough.")
    alternative_flags: list[str] = Field([], description="Any of these flags.")
    keywords: list[str] = Field([], description="Any of these words or phrases in the descriptions.")
    combination: list[str] = Field([], description="All of these flags together.")
    physics: list[Physics] = Field([], description="Any of these sets of windows.")
    requires: list[str] = Field([], description="Flags without which nothing counts.")
    excludes: list[str] = Field([], description="Flags with which nothing counts.")
    unless: list[str] = Field([], description="Flags with which the question does not arise; unlike `excludes`, no contradiction.")
    exclude_keywords: list[str] = Field([], description="Words with which the question does not arise.")


class Rule(Closed):
    """One value of one axis. Examples are fingerprints: `examples` must give the value, `never` must not."""

    name: str
    category: str | None = None
    physics: str | None = None
    description: str | None = None
    detection: Detection
    implied_base: str | None = None
    confidence_weight: float = Field(0.95, gt=0, le=0.99)
    refines: list[str] = Field([], description="More general values that this one replaces.")
    group: str | None = Field(None, description="Of a group only the value with the smallest priority stays.")
    priority: int = 99
    requires_derived: bool = Field(False, description="Keywords count only for an image that says it is derived.")
    notes: str | None = None
    examples: list[dict[str, Any]] = Field(min_length=1)
    never: list[dict[str, Any]] = Field(min_length=1)


class Meta(Closed):
    version: str
    description: str


class Flag(Closed):
    description: str


class FlagCategory(Closed):
    description: str
    flags: dict[str, Flag]


class FlagReference(Closed):
    """unified-flags-reference.yaml: a sentence for each flag that rules may use."""

    meta: Meta
    categories: dict[str, FlagCategory]


@dataclass(frozen=True)
class ValueRule:
    """A rule with the value that it decides and its keywords ready to be looked for."""

    value: str
    rule: Rule
    keywords: tuple[Keyword, ...]
    exclude_keywords: tuple[Keyword, ...]


@dataclass(frozen=True)
class Ruleset:
    """All rules of all axes. `digest` names this content: equal digests give equal verdicts."""

    axes: Mapping[str, tuple[ValueRule, ...]]
    versions: Mapping[str, str]
    digest: str

    def implied_base(self, technique: str) -> str | None:
        return next((known.rule.implied_base for known in self.axes["technique"] if known.value == technique), None)
