"""A rule made ready: its conditions as bits, so that a stack is asked by a few operations on one number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gyrus.classifier.core.facts import Condition, Index, Term, canonical, rarest_of

ACQUIRED: dict[bool, tuple[str, ...]] = {True: ("!image_type.is_derived",), False: ()}


@dataclass(frozen=True)
class Numbers:
    """Windows that must hold together. `told` are the names of the numbers that were looked at."""

    term: Term
    told: tuple[str, ...]
    modifier: str | None
    is_distinct: bool


@dataclass(frozen=True)
class ValueRule:
    """A rule with the value that it decides. `trigger` holds every fact that could speak for it: without one of them it is silent."""

    value: str
    rule: Any
    place: int
    trigger: int
    speaking: tuple[Term, ...]
    exclusive: Condition
    alternatives: tuple[Condition, ...]
    combination: Term | None
    numbers: tuple[Numbers, ...]
    keywords: tuple[tuple[str, int], ...]
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
    alternatives = tuple(index.condition(flag) for flag in (*detection.alternative_flags, *draft.also))
    combination = index.condition(" & ".join(detection.combination))[0] if detection.combination else None
    windows = tuple(_numbers(one, index) for one in detection.physics)
    flagged = (*exclusive, *(term for one in alternatives for term in one), *((combination,) if combination else ()))
    return ValueRule(
        value=draft.value,
        rule=draft.rule,
        place=draft.place,
        trigger=0,
        speaking=(*flagged, *(one.term for one in windows)),
        exclusive=exclusive,
        alternatives=alternatives,
        combination=combination,
        numbers=windows,
        keywords=tuple((word, index.bit(_fact(draft.search_field, word))) for word in detection.keywords),
        requires=tuple((flag, index.condition(flag)) for flag in detection.requires),
        excludes=tuple((flag, index.condition(flag)) for flag in detection.excludes),
        unless=_unless(draft, index),
        bit=index.bit(f"{draft.axis}={draft.value}"),
        by_place=draft.by_place,
    )


def _unless(draft: Draft, index: Index) -> Condition:
    """With what the question does not arise: flags, words, and an image as acquired where only a computed one counts."""
    detection = draft.rule.detection
    flags = (*detection.unless, *ACQUIRED[draft.rule.requires_derived])
    return (*(term for flag in flags for term in index.condition(flag)), *_words(draft.search_field, detection.exclude_keywords, index))


def with_triggers(rules: Mapping[str, Sequence[ValueRule]]) -> dict[str, tuple[ValueRule, ...]]:
    """The rules, each with the facts without one of which it is silent: of each of its terms the fact that fewest rules ask for."""
    rarest = rarest_of(term for known in rules.values() for rule in known for term in rule.speaking)

    def trigger(rule: ValueRule) -> int:
        found = rarest(rule.speaking)
        for _, bit in rule.keywords:
            found |= bit
        return found

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
