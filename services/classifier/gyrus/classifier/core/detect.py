"""Rules against one stack: which evidence each value has, which values remain, and what contradicts them.

Evidence comes in the order exclusive flag → alternative flags → combination → numbers → words. What is forbidden for a value
(`requires`, `excludes`) is never its evidence; when only words spoke for it, the contradiction is said in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.evidence import (
    ALTERNATIVE_WEIGHT,
    COMBINATION_WEIGHT,
    NOTHING,
    TEXT_SEARCH,
    AxisResult,
    Evidence,
    confidence,
    trust,
)
from gyrus.classifier.core.rules import Physics, Rule, ValueRule

WORTH_A_LOOK = 0.6
"""A losing value with at least this confidence is a contradiction; a weaker one is only an alternative."""

UNITS = {"repetition_time": ("TR", "ms"), "echo_time": ("TE", "ms"), "inversion_time": ("TI", "ms"), "flip_angle": ("flip angle", "°")}


@dataclass(frozen=True)
class Candidate:
    """A value that something speaks for."""

    value: str
    rule: Rule
    place: int
    evidence: tuple[Evidence, ...]

    @property
    def confidence(self) -> float:
        return confidence(self.evidence)

    @property
    def rank(self) -> tuple[int, float, int]:
        """Sorts the most believable first: source, then confidence, then the place in the file."""
        return trust(self.evidence), -self.confidence, self.place


@dataclass(frozen=True)
class Findings:
    """Candidates of an axis, best first, and the contradictions met."""

    candidates: tuple[Candidate, ...]
    doubts: tuple[str, ...] = field(default=())


def find(
    rules: Sequence[ValueRule],
    context: ClassificationContext,
    modifiers: Sequence[str] = (),
    inferred: Mapping[str, Sequence[Evidence]] | None = None,
) -> Findings:
    """Look for every value. `inferred` is evidence that another axis or the study gives to a value."""
    candidates, doubts = [], []
    for place, known in enumerate(rules):
        if does_not_arise(known, context):
            continue
        evidence = (*tags(known, context), *physics(known, context, modifiers), *words(known, context))
        evidence = (*evidence, *((inferred or {}).get(known.value, ())))
        forbidden = obstacle(known, context)
        if evidence and forbidden and all(one.source == TEXT_SEARCH for one in evidence):
            doubts.append(f"the text says {known.value} ({evidence[0].value!r}), but {forbidden}")
        elif evidence and not forbidden:
            candidates.append(Candidate(known.value, known.rule, place, evidence))
    return Findings(tuple(sorted(_unrefined(candidates), key=lambda one: one.rank)), tuple(doubts))


def does_not_arise(known: ValueRule, context: ClassificationContext) -> bool:
    flags = any(context.unified_flags[flag] for flag in known.rule.detection.unless)
    return flags or any(context.words.hit(keyword) for keyword in known.exclude_keywords)


def obstacle(known: ValueRule, context: ClassificationContext) -> str | None:
    """Why this value cannot be, in words; None if it can."""
    flags = context.unified_flags
    missing = [flag for flag in known.rule.detection.requires if not flags[flag]]
    present = [flag for flag in known.rule.detection.excludes if flags[flag]]
    if missing:
        return f"no tag shows {missing[0]}"
    return f"the tags show {present[0]}" if present else None


def tags(known: ValueRule, context: ClassificationContext) -> tuple[Evidence, ...]:
    """Evidence of the unified flags: the strongest tier that fires."""
    flags, detection, value = context.unified_flags, known.rule.detection, known.value
    if detection.exclusive and flags[detection.exclusive]:
        return (Evidence.from_token("unified_flags", detection.exclusive, value, known.rule.confidence_weight),)
    alternatives = tuple(flag for flag in detection.alternative_flags if flags[flag])
    if alternatives:
        weight = min(ALTERNATIVE_WEIGHT, known.rule.confidence_weight)
        return tuple(Evidence.from_token("unified_flags", flag, value, weight) for flag in alternatives)
    if detection.combination and all(flags[flag] for flag in detection.combination):
        return (Evidence.from_token("unified_flags", " + ".join(detection.combination), value, COMBINATION_WEIGHT),)
    return ()


def words(known: ValueRule, context: ClassificationContext) -> tuple[Evidence, ...]:
    """Evidence of the descriptions: the first keyword that stands there as a word of its own."""
    if known.rule.requires_derived and not context.unified_flags["is_derived"]:
        return ()
    found = next((keyword.text for keyword in known.keywords if context.words.hit(keyword)), None)
    return (Evidence.from_text_search(found, known.value),) if found else ()


def physics(known: ValueRule, context: ClassificationContext, modifiers: Sequence[str]) -> tuple[Evidence, ...]:
    """Evidence of the numbers: the first set of windows in which all of them lie."""
    match = next((one for one in known.rule.detection.physics if _lies_in(one, context, modifiers)), None)
    if match is None:
        return ()
    numbers = _spoken(match, context)
    if match.modifier:
        return (Evidence.from_modifier(match.modifier, numbers, known.value),)
    return (Evidence.from_physics(numbers, known.value, distinct=match.range == "distinct"),)


def _lies_in(windows: Physics, context: ClassificationContext, modifiers: Sequence[str]) -> bool:
    flags = context.unified_flags
    if windows.modifier and windows.modifier not in modifiers:
        return False
    if not all(flags[flag] for flag in windows.flags) or any(flags[flag] for flag in windows.without):
        return False
    return all(window.holds(context.number(name)) for name, window in windows.windows.items())


def _spoken(windows: Physics, context: ClassificationContext) -> str:
    parts = []
    for name in windows.windows:
        label, unit = UNITS.get(name, (name.replace("_", " "), ""))
        parts.append(f"{label} {context.number(name):g} {unit}".strip())
    return ", ".join(parts)


def _unrefined(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without the values that a more particular candidate replaces (a DWI-EPI is an SE-EPI)."""
    replaced = {general for one in candidates for general in one.rule.refines if general != one.value}
    return [one for one in candidates if one.value not in replaced]


def decide_one(findings: Findings) -> AxisResult:
    """The most believable value; those that lost are alternatives, and contradict it if they had good evidence."""
    if not findings.candidates:
        return AxisResult(value=None, confidence=None, doubts=findings.doubts) if findings.doubts else NOTHING
    best, *others = findings.candidates
    return AxisResult(
        value=best.value,
        confidence=best.confidence,
        evidence=best.evidence,
        alternatives=tuple((one.value, one.confidence) for one in others),
        doubts=(*findings.doubts, *(f"{_said(best)}, {_said(one)}" for one in others if one.confidence >= WORTH_A_LOOK)),
    )


def _said(candidate: Candidate) -> str:
    first = candidate.evidence[0]
    speakers = {TEXT_SEARCH: "the text says", "TECHNIQUE_INFERENCE": "the technique says", "HIGH_VALUE_TOKEN": "the tags say"}
    return f"{speakers.get(first.source, 'the numbers say')} {candidate.value} ({first.value})"


def decide_many(findings: Findings) -> AxisResult:
    """Every value with evidence, but one of each group; the confidence is that of the weakest, since all are claimed."""
    kept = _one_of_each_group(findings.candidates)
    if not kept:
        return AxisResult(value=(), confidence=None, doubts=findings.doubts)
    dropped = [one for one in findings.candidates if one not in kept]
    return AxisResult(
        value=tuple(sorted(one.value for one in kept)),
        confidence=min(one.confidence for one in kept),
        evidence=tuple(evidence for one in kept for evidence in one.evidence),
        alternatives=tuple((one.value, one.confidence) for one in dropped),
        doubts=findings.doubts,
    )


def _one_of_each_group(candidates: Iterable[Candidate]) -> list[Candidate]:
    kept: dict[str, Candidate] = {}
    for one in candidates:
        name = one.rule.group or one.value
        if name not in kept or one.rule.priority < kept[name].rule.priority:
            kept[name] = one
    return list(kept.values())
