"""Why a stack is called what it is: every rule that spoke, who won over whom, and what the nearest rule lacked where none did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gyrus.classifier.core.axes import MR_ONLY, RULED, Axis
from gyrus.classifier.core.compiled import ValueRule
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.corrections import pins_of
from gyrus.classifier.core.detect import Asked, Candidate, evidence_of, obstacle
from gyrus.classifier.core.evidence import AxisResult
from gyrus.classifier.core.nearest import nearest
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import classify, contexts_of, study_of, with_decided
from gyrus.classifier.core.verdict import Verdict

Document = dict[str, Any]

CHOSEN, LOST, UNASKED = "chosen", "lost", "not asked"


def explain(
    stacks: Mapping[str, Mapping[str, Any]],
    ruleset: Ruleset,
    corrections: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Document]:
    """Explain the verdicts of `classify_study`: stack id → axis → document, plain JSON. Arguments and errors are the same.

    Each axis has `value`, `confidence` and `evidence` as in the verdict; `rules`, all that spoke, the chosen ones first:
    {rule, value, fate, confidence, evidence}; `runner_up`, the best value that lost; `doubts`; `silence`, why the axis was
    not asked at all; and, where there is no answer, `nearest`: {rule, value, held, lacked}.
    """
    contexts = contexts_of(stacks, ruleset)
    study = study_of(contexts.values(), ruleset)
    verdicts = {stack: classify(one, study, ruleset, pins_of(stack, corrections)) for stack, one in contexts.items()}
    return {stack: _explained(context, verdicts[stack], ruleset) for stack, context in contexts.items()}


def _explained(context: ClassificationContext, verdict: Verdict, ruleset: Ruleset) -> Document:
    reading, values = context.reading, verdict.document()
    told: Document = {}
    for axis in RULED:
        result, asked = verdict.axes[axis.name], Asked(reading, context.measured)
        axis_told = {"value": values[axis.name], **_axis(axis, asked, result, ruleset), "silence": _silence(axis, asked, context, ruleset)}
        if axis_told["silence"] and not result.values:
            axis_told |= {"rules": [{**one, "fate": UNASKED} for one in axis_told["rules"]], "nearest": None}
        told[axis.name] = axis_told
        reading = with_decided(reading, axis.name, result, ruleset)
    return told


def _axis(axis: Axis, asked: Asked, result: AxisResult, ruleset: Ruleset) -> Document:
    rules = ruleset.axes[axis.name]
    spoken = [Candidate.of(known, evidence) for known in rules if (evidence := evidence_of(known, asked))]
    told = [_spoken(axis, one, spoken, (asked, result)) for one in sorted(spoken, key=lambda one: one.rank)]
    near = None if result.values or result.confidence else nearest(rules, asked, ruleset.reader.index)
    return {
        "confidence": result.confidence,
        "evidence": [one.document() for one in result.evidence],
        "rules": sorted(told, key=lambda one: (CHOSEN, LOST).index(one["fate"]) if one["fate"] in (CHOSEN, LOST) else 2),
        "runner_up": next((value for value, _ in result.alternatives), None),
        "doubts": [one.words for one in result.doubts],
        "nearest": near and {"rule": f"{axis.name}.{near['value']}", **near},
    }


def _spoken(axis: Axis, one: Candidate, spoken: Sequence[Candidate], given: tuple[Asked, AxisResult]) -> Document:
    asked, result = given
    return {
        "rule": f"{axis.name}.{one.value}",
        "value": one.value,
        "fate": CHOSEN if one.value in result.values else next(_barred(one.known, asked), None) or _replaced(one, spoken, asked) or LOST,
        "confidence": one.confidence,
        "evidence": [found.document() for found in one.evidence],
    }


def _barred(known: ValueRule, asked: Asked) -> Iterator[str]:
    """Why a rule that spoke does not count."""
    facts = asked.reading.facts
    yield from (f"the question does not arise: {term.written}" for term in known.unless if term.holds(facts))
    if forbidden := obstacle(known, facts):
        yield f"forbidden: {forbidden[0]} {forbidden[1]}"


def _replaced(one: Candidate, spoken: Sequence[Candidate], asked: Asked) -> str | None:
    """Which more particular value stands for this one."""
    others = (other for other in spoken if other is not one and one.value in other.known.rule.refines)
    return next((f"replaced by {other.value}, which says more" for other in others if not any(_barred(other.known, asked))), None)


def _silence(axis: Axis, asked: Asked, context: ClassificationContext, ruleset: Ruleset) -> str | None:
    """Why an axis has no value, whatever its rules say."""
    if axis.name in MR_ONLY and context.modality != "MR":
        return f"only asked of MR, this is {context.modality}"
    if axis.name in MR_ONLY and context.has("is_no_patient_image"):
        return "only asked of images of a patient"
    return next((f"no value with {term.written}" for term in ruleset.silent[axis.name] if term.holds(asked.reading.facts)), None)
