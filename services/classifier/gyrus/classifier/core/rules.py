"""The shape of a rule, of a rule file and of all of them together; what may stand in the YAML stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gyrus.classifier.core import numbers
from gyrus.classifier.core.compiled import ValueRule
from gyrus.classifier.core.facts import Condition, joined
from gyrus.classifier.core.memory import Memory
from gyrus.classifier.core.probability import NOT_FITTED, Calibration
from gyrus.classifier.core.reader import Reader


class Closed(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Window(Closed):
    """A range with open ends: above < number < below."""

    above: float | None = Field(None, allow_inf_nan=False)
    below: float | None = Field(None, allow_inf_nan=False)


class Physics(Closed):
    """Numbers of a header that speak for a value: every window and every flag must hold. Times in ms, angles in degrees, field in tesla.

    The names of the windows are those of `numbers.ALL`.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, Window]

    flags: list[str] = []
    modifier: str | None = Field(None, description="Holds only if the stack has this modifier; then it is evidence by modifier.")
    range: Literal["distinct", "overlap"] = "distinct"

    @property
    def windows(self) -> dict[str, Window]:
        return dict(self.__pydantic_extra__)


class Detection(Closed):
    """How a value is recognised: any of the first five is evidence; the others forbid. Flags may be any condition of `facts`."""

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
    branch: str | None = Field(None, description="Of a provenance: the kind of processing that its images went through.")
    requires_derived: bool = Field(False, description="Keywords count only for an image that says it is derived.")
    notes: str | None = None
    examples: list[dict[str, Any]] = Field(min_length=1)
    never: list[dict[str, Any]] = Field(min_length=1)


class Meta(Closed):
    version: str
    description: str
    search_field: Literal["text", "description"] = Field("text", description="Whether keywords count in the protocol's name too.")


class Order(Closed):
    """`rules` of a file."""

    priority_order: list[str] = Field([], description="Which value is looked for first; the others follow as they stand in the file.")
    rank_by: Literal["trust", "priority"] = Field("trust", description="Whether the better source wins, or the place in the list.")
    no_value_with: list[str] = Field([], description="Flags with which the axis has no value at all.")


class UnifiedFlag(Closed):
    description: str
    sources: list[str] = Field(min_length=1)
    note: str | None = None


class FlagCategory(Closed):
    description: str
    flags: dict[str, UnifiedFlag]


class FlagReference(Closed):
    """unified-flags-reference.yaml: what each flag means, and from what it is made."""

    meta: Meta
    categories: dict[str, FlagCategory]


TagRows = dict[str, list[str]]


class TagPage(Closed):
    flags: TagRows
    late: TagRows = Field({}, description="Tokens that count from the third value on.")


class NamePage(Closed):
    makers: dict[str, TagRows]
    endings: TagRows
    combined: dict[str, list[str]]


class VocabularyPage(Closed):
    """tag-vocabulary.yaml: what the tokens of the tags mean."""

    meta: Meta
    image_type: TagPage
    scanning_sequence: TagPage
    sequence_variant: TagPage
    scan_options: TagPage
    sequence_name: NamePage
    attributes: dict[str, TagRows]
    siblings: dict[str, list[str]] = Field(description="What a stack may know of others of its acquisition, and how that shows on them.")
    manufacturers: TagRows
    tracers: TagRows = Field(description="Tracers of PET, each with the other ways to write it and its codes (PS3.16 CID 4021).")


WINDOW_FIELDS = numbers.ALL


@dataclass(frozen=True)
class Ruleset:
    """All rules of all axes. `silent`: with what an axis has no value. `digest` names this content: equal digests give equal verdicts.

    `rules_digest` is that of the rules without the fit of the probabilities.
    """

    axes: Mapping[str, tuple[ValueRule, ...]]
    silent: Mapping[str, Condition]
    versions: Mapping[str, str]
    digest: str
    reader: Reader
    rules_digest: str = ""
    calibration: Calibration = NOT_FITTED
    memory: Memory = dataclass_field(default_factory=Memory, repr=False, compare=False)

    @cached_property
    def triggers(self) -> dict[str, int]:
        """For each axis the facts without one of which none of its rules speaks."""
        return {axis: joined(known.trigger for known in rules) for axis, rules in self.axes.items()}

    @cached_property
    def general(self) -> dict[str, frozenset[str]]:
        """For each axis the values that more particular ones replace."""
        return {axis: frozenset(value for known in rules for value in known.rule.refines) for axis, rules in self.axes.items()}

    @cached_property
    def implied(self) -> dict[str, frozenset[str]]:
        """Technique → the base that it implies, and those that say the same more exactly."""
        bases = self.axes["base"]
        finer = {known.value: {one.value for one in bases if known.value in one.rule.refines} for known in bases}
        techniques = [known for known in self.axes["technique"] if known.rule.implied_base]
        return {one.value: frozenset({one.rule.implied_base, *finer[one.rule.implied_base]}) for one in techniques}

    def values(self, axis: str) -> tuple[str, ...]:
        """Every value that an axis may have."""
        return tuple(known.value for known in self.axes[axis])
