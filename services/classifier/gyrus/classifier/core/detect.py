"""Rules against one stack: which evidence each value has, which values remain, and what contradicts them.

Evidence comes in the order exclusive flag → alternative flags → combination → numbers → words. What is forbidden for a value
(`requires`, `excludes`) is never its evidence; when only words spoke for it, the contradiction is said in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gyrus.classifier.core.compiled import Numbers, ValueRule
from gyrus.classifier.core.evidence import (
    CONFLICT,
    CONTRADICTION,
    HIGH_VALUE_TOKEN,
    NOTHING,
    TECHNIQUE_INFERENCE,
    TEXT_SEARCH,
    AxisResult,
    Doubt,
    Evidence,
    confidence,
    trust,
)
from gyrus.classifier.core.facts import holds
from gyrus.classifier.core.flags import Reading

WORTH_A_LOOK = 0.6
"""A losing value with at least this confidence is a contradiction; a weaker one is only an alternative."""

UNITS = {"repetition_time": ("TR", "ms"), "echo_time": ("TE", "ms"), "inversion_time": ("TI", "ms"), "flip_angle": ("flip angle", "°")}


class Asked(NamedTuple):
    """What rules are asked about: the reading of a stack with what other axes decided, and its numbers for the telling."""

    reading: Reading
    measured: Mapping[str, float]


class Candidate(NamedTuple):
    """A value that something speaks for."""

    value: str
    known: ValueRule
    evidence: tuple[Evidence, ...]
    confidence: float

    @classmethod
    def of(cls, known: ValueRule, evidence: tuple[Evidence, ...]) -> "Candidate":
        return cls(known.value, known, evidence, confidence(evidence))

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the most believable first: source, then the place in the priority list; for a purpose the place alone."""
        return 0 if self.known.by_place else trust(self.evidence), self.known.place


class Findings(NamedTuple):
    """Candidates of an axis, best first, and the contradictions met."""

    candidates: tuple[Candidate, ...]
    doubts: tuple[Doubt, ...] = ()


def find(rules: Sequence[ValueRule], asked: Asked) -> Findings:
    """Look for every value."""
    facts = asked.reading.facts
    candidates, doubts = [], []
    for known in rules:
        if not facts & known.trigger or (known.unless and holds(known.unless, facts)):
            continue
        evidence = evidence_of(known, asked)
        if not evidence:
            continue
        forbidden = obstacle(known, facts)
        if forbidden is None:
            candidates.append(Candidate.of(known, evidence))
        elif all(one.source == TEXT_SEARCH for one in evidence):
            words = f"the text says {known.value} ({evidence[0].value!r}), but {forbidden[0]} {spoken(forbidden[1])}"
            doubts.append(Doubt(CONTRADICTION, known.value, words))
    if len(candidates) > 1:
        candidates = sorted(_unrefined(candidates), key=lambda one: one.rank)
    return Findings(tuple(candidates), tuple(doubts))


def evidence_of(known: ValueRule, asked: Asked) -> tuple[Evidence, ...]:
    """All evidence for a value, whatever forbids it."""
    found = _tags(known, asked)
    if known.numbers:
        found += _physics(known, asked)
    if asked.reading.facts & known.words:
        found += _words(known, asked.reading.facts)
    return found


def obstacle(known: ValueRule, facts: int) -> tuple[str, str] | None:
    """Why this value cannot be: what is said, and the condition of which it is said; None if it can."""
    for written, condition in known.requires:
        if not holds(condition, facts):
            return "nothing shows", written
    for written, condition in known.excludes:
        if holds(condition, facts):
            return "the tags show", written
    return None


def spoken(written: str) -> str:
    """What a condition asks for, for a reader: "has_gre & !has_se" is GRE."""
    asked = [part.strip() for part in written.partition(" | ")[0].split(" & ")]
    names = [one.rpartition(".")[2] for one in asked if not one.startswith("!")] or [f"no {one[1:]}" for one in asked]
    plain = [name.removeprefix("has_").removeprefix("is_").removeprefix("says_").replace("_", " ") for name in names]
    return " and ".join(one.upper() if len(one) < 4 else one for one in plain)


def _tags(known: ValueRule, asked: Asked) -> tuple[Evidence, ...]:
    """Evidence of flags, the strongest of each kind of source: what words say too counts beside a tag."""
    reading = asked.reading
    facts = reading.facts
    found = [flag.told(reading) for flag in known.flags if facts & (need := flag.need) == need and not facts & flag.never]
    if not found and (flag := known.combination) and facts & flag.need == flag.need and not facts & flag.never:
        return (flag.told(reading),)
    if len(found) < 2:
        return tuple(found)
    by_source: dict[str, Evidence] = {}
    for one in found:
        by_source.setdefault(one.source, one)
    return tuple(by_source.values())


def _words(known: ValueRule, facts: int) -> tuple[Evidence, ...]:
    """Evidence of the descriptions: the first keyword that stands there as a word of its own."""
    return next(((evidence,) for bit, evidence in known.keywords if facts & bit), ())


def _physics(known: ValueRule, asked: Asked) -> tuple[Evidence, ...]:
    """Evidence of the numbers: the first set of windows in which all of them lie."""
    facts = asked.reading.facts
    for one in known.numbers:
        if one.term.holds(facts):
            numbers = _spoken(one, asked.measured)
            if one.modifier:
                return (Evidence.from_modifier(one.modifier, numbers, known.value),)
            return (Evidence.from_physics(numbers, known.value, distinct=one.is_distinct),)
    return ()


def _spoken(match: Numbers, measured: Mapping[str, float]) -> str:
    parts = []
    for name in match.told:
        label, unit = UNITS.get(name, (name.replace("_", " "), ""))
        parts.append(f"{label} {measured[name]:.4g} {unit}".strip())
    return ", ".join(parts)


def _unrefined(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without the values that a more particular candidate replaces (a DWI-EPI is an SE-EPI)."""
    replaced = {general for one in candidates for general in one.known.rule.refines if general != one.value}
    return [one for one in candidates if one.value not in replaced]


def decide_one(findings: Findings) -> AxisResult:
    """The most believable value; those that lost are alternatives, and contradict it if they had good evidence."""
    if not findings.candidates:
        return AxisResult(value=None, confidence=None, doubts=findings.doubts) if findings.doubts else NOTHING
    best, *others = findings.candidates
    if not others and not findings.doubts:
        return AxisResult(value=best.value, confidence=best.confidence, evidence=best.evidence)
    return AxisResult(
        value=best.value,
        confidence=best.confidence,
        evidence=best.evidence,
        alternatives=tuple((one.value, one.confidence) for one in others),
        doubts=(*_worth_saying(findings.doubts, (best,)), *(_conflict(best, one) for one in others if _disagrees(best, one))),
    )


def _worth_saying(doubts: Sequence[Doubt], chosen: Sequence[Candidate]) -> tuple[Doubt, ...]:
    """Without what a chosen value says more exactly: who writes "SE" over a spin-echo EPI contradicts nothing."""
    if not doubts:
        return ()
    replaced = {general for one in chosen for general in one.known.rule.refines}
    return tuple(one for one in doubts if one.value not in replaced)


def _disagrees(best: Candidate, other: Candidate) -> bool:
    """Whether a value that lost is a contradiction. A text that names both leaves the choice to the others ("PD+T2")."""
    if other.confidence < WORTH_A_LOOK or other.known.by_place:
        return False
    names_both = any(one.source == TEXT_SEARCH for one in best.evidence)
    return not (names_both and all(one.source == TEXT_SEARCH for one in other.evidence))


def _conflict(best: Candidate, other: Candidate) -> Doubt:
    return Doubt(CONFLICT, other.value, f"{_said(best)}, {_said(other)}")


def _said(candidate: Candidate) -> str:
    first = candidate.evidence[0]
    speakers = {TEXT_SEARCH: "the text says", TECHNIQUE_INFERENCE: "the technique says", HIGH_VALUE_TOKEN: "the tags say"}
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
        doubts=_worth_saying(findings.doubts, kept),
    )


def _one_of_each_group(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Of a group the most believable stays; where they are equally so, the one with the smallest priority."""
    kept: dict[str, Candidate] = {}
    for one in candidates:
        name = one.known.rule.group or one.value
        if name not in kept or _in_group(one) < _in_group(kept[name]):
            kept[name] = one
    return list(kept.values())


def _in_group(candidate: Candidate) -> tuple[bool, int]:
    return all(one.source == TEXT_SEARCH for one in candidate.evidence), candidate.known.rule.priority
