"""A rule made ready: conditions as bits and evidence as it will be told, so that a stack costs a few operations on one number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gyrus.classifier.core.evidence import (
    ALTERNATIVE_WEIGHT,
    AXIS_INFERENCE,
    COMBINATION_WEIGHT,
    HIGH_VALUE_TOKEN,
    MODIFIER_INFERENCE,
    PHYSICS_DISTINCT,
    SIBLING_INFERENCE,
    TECHNIQUE_INFERENCE,
    TEXT_SEARCH,
    Evidence,
)
from gyrus.classifier.core.facts import Condition, Index, Term, canonical, rarest
from gyrus.classifier.core.flags import Reading

SOURCE_OF_AXIS = {
    "technique": TECHNIQUE_INFERENCE,
    "modifier": MODIFIER_INFERENCE,
    **dict.fromkeys(("base", "construct", "intent", "provenance"), AXIS_INFERENCE),
}
ACQUIRED: dict[bool, tuple[str, ...]] = {True: ("!image_type.is_derived",), False: ()}


@dataclass(frozen=True)
class Numbers:
    """Windows that must hold together. `told` are the names of the numbers that were looked at."""

    term: Term
    told: tuple[str, ...]
    modifier: str | None
    is_distinct: bool


class Flagged(NamedTuple):
    """A term that speaks for a value, and its evidence: as sure as what the flag stands on."""

    need: int
    never: int
    of_tags: Evidence
    of_numbers: Evidence
    of_words: Evidence
    of_siblings: Evidence

    def told(self, reading: Reading) -> Evidence:
        if self.need & reading.lent:
            return self.of_siblings
        if self.need & reading.worded:
            return self.of_words
        return self.of_numbers if self.need & reading.counted else self.of_tags


@dataclass(frozen=True)
class ValueRule:
    """A rule with the value that it decides. `trigger` holds every fact that could speak for it: without one of them it is silent."""

    value: str
    rule: Any
    place: int
    trigger: int
    speaking: tuple[Term, ...]
    flags: tuple[Flagged, ...]
    combination: Flagged | None
    numbers: tuple[Numbers, ...]
    keywords: tuple[tuple[int, Evidence], ...]
    words: int
    requires: tuple[tuple[str, Condition], ...]
    excludes: tuple[tuple[str, Condition], ...]
    unless: Condition
    bit: int
    by_place: bool


@dataclass(frozen=True)
class Draft:
    """A rule as it was written. place: smaller is looked for first. also: further flags that are enough (implied by other axes)."""

    axis: str
    value: str
    rule: Any
    place: int
    search_field: str
    also: tuple[str, ...] = ()
    by_place: bool = False


def compiled(draft: Draft, index: Index) -> ValueRule:
    """Make a rule ready; `with_triggers` completes it."""
    detection = draft.rule.detection
    exclusive = index.condition(detection.exclusive) if detection.exclusive else ()
    alternatives = tuple(term for flag in (*detection.alternative_flags, *draft.also) for term in index.condition(flag))
    combination = index.condition(" & ".join(detection.combination))[0] if detection.combination else None
    windows = tuple(_numbers(one, index) for one in detection.physics)
    most, value = draft.rule.confidence_weight, draft.value
    keywords = tuple((index.bit(_fact(draft.search_field, word)), Evidence.from_text_search(word, value)) for word in detection.keywords)
    return ValueRule(
        value=draft.value,
        rule=draft.rule,
        place=draft.place,
        trigger=0,
        speaking=(*exclusive, *alternatives, *((combination,) if combination else ()), *(one.term for one in windows)),
        flags=(
            *(_flagged(term, value, most) for term in exclusive),
            *(_flagged(term, value, min(ALTERNATIVE_WEIGHT, most)) for term in alternatives),
        ),
        combination=_flagged(combination, value, COMBINATION_WEIGHT) if combination else None,
        numbers=windows,
        keywords=keywords,
        words=sum({bit for bit, _ in keywords}),
        requires=tuple((flag, index.condition(flag)) for flag in detection.requires),
        excludes=tuple((flag, index.condition(flag)) for flag in detection.excludes),
        unless=_unless(draft, index),
        bit=index.bit(f"{draft.axis}={draft.value}"),
        by_place=draft.by_place,
    )


def _flagged(term: Term, value: str, most: float) -> Flagged:
    """A term with its evidence; most: its weight where it stands on tags. What an axis decided weighs the same whatever says so."""
    axis, _, decided = term.written.partition("=")
    if decided and axis in SOURCE_OF_AXIS:
        inferred = Evidence.of(SOURCE_OF_AXIS[axis], axis, decided, value)
        return Flagged(term.need, term.never, inferred, inferred, inferred, inferred)
    return Flagged(
        term.need,
        term.never,
        Evidence(source=HIGH_VALUE_TOKEN, field="unified_flags", value=term.written, target=value, weight=most),
        Evidence.of(PHYSICS_DISTINCT, "unified_flags", term.written, value),
        Evidence.of(TEXT_SEARCH, "unified_flags", term.written, value),
        Evidence.of(SIBLING_INFERENCE, "study", term.written, value),
    )


def _unless(draft: Draft, index: Index) -> Condition:
    """With what the question does not arise: flags, words, and an image as acquired where only a computed one counts."""
    detection = draft.rule.detection
    flags = (*detection.unless, *ACQUIRED[draft.rule.requires_derived])
    return (*(term for flag in flags for term in index.condition(flag)), *_words(draft.search_field, detection.exclude_keywords, index))


def with_triggers(rules: Mapping[str, Sequence[ValueRule]], met: Mapping[int, int]) -> dict[str, tuple[ValueRule, ...]]:
    """The rules, each with the facts without one of which it is silent. met: fact → in how many headers it was met."""

    def trigger(rule: ValueRule) -> int:
        return rarest(rule.speaking, met) | rule.words

    return {axis: tuple(replace(rule, trigger=trigger(rule)) for rule in known) for axis, known in rules.items()}


def _fact(search_field: str, word: str) -> str:
    return canonical(f"{search_field}:{word}")


def _words(search_field: str, words: Iterable[str], index: Index) -> Iterable[Term]:
    return (Term(index.bit(_fact(search_field, word)), 0, word) for word in words)


def comparisons(physics: Any) -> list[str]:
    """The windows as comparisons of facts: `echo_time>18`."""
    written = []
    for name, window in physics.windows.items():
        written += [f"{name}>{window.above:g}"] if window.above is not None else []
        written += [f"{name}<{window.below:g}"] if window.below is not None else []
    return written


def _numbers(physics: Any, index: Index) -> Numbers:
    modifier = [f"modifier={physics.modifier}"] if physics.modifier else []
    term = index.condition(" & ".join((*comparisons(physics), *physics.flags, *modifier)))[0]
    return Numbers(term, tuple(physics.windows), physics.modifier, physics.range == "distinct")
