"""All stacks of a study together. A stack may learn from its siblings' fingerprints, never from their verdicts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core import fields
from gyrus.classifier.core.axes import MR_ONLY, RULED, Axis, is_asked_of
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.corrections import Pins, pins_of
from gyrus.classifier.core.detect import Asked, decide_many, decide_one, find
from gyrus.classifier.core.evidence import NONE_OF_MANY, NOTHING, AxisResult, Evidence, confidence
from gyrus.classifier.core.facts import holds
from gyrus.classifier.core.flags import Reading
from gyrus.classifier.core.review import reasons_to_look
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.siblings import beside_siblings
from gyrus.classifier.core.verdict import Verdict

DIFFUSION_MAPS = frozenset({"ADC", "eADC", "FA", "ColFA", "Trace", "MD", "Tensor", "CalcBvalue"})


@dataclass(frozen=True)
class Study:
    """What a stack may know of its study: the one technique of its diffusion acquisitions, if there is just one."""

    diffusion_technique: str | None


def classify_study(
    stacks: Mapping[str, Mapping[str, Any]],
    ruleset: Ruleset,
    corrections: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Verdict]:
    """Classify the stacks of a study: stack id → fingerprint in, stack id → verdict out.

    The order of `stacks` does not matter. `corrections` are `{stack, axis, value}`, oldest first; those of other stacks are
    ignored. Raises CorrectionError for an axis that does not exist, or one value where it takes a list.
    """
    contexts = contexts_of(stacks, ruleset)
    study = study_of(contexts.values(), ruleset)
    return {stack: _verdict(context, study, ruleset, pins_of(stack, corrections)) for stack, context in contexts.items()}


def contexts_of(stacks: Mapping[str, Mapping[str, Any]], ruleset: Ruleset) -> dict[str, ClassificationContext]:
    """The stacks as they are read, each beside its siblings."""
    return beside_siblings({stack: _context(fingerprint, ruleset) for stack, fingerprint in stacks.items()}, ruleset.reader)


def _context(fingerprint: Mapping[str, Any], ruleset: Ruleset) -> ClassificationContext:
    reader = ruleset.reader
    return ruleset.memory.context(reader.key(fingerprint), lambda: ClassificationContext.from_fingerprint(fingerprint, reader))


def _verdict(context: ClassificationContext, study: Study, ruleset: Ruleset, pins: Pins) -> Verdict:
    """A verdict that nobody corrected follows from context and study alone, and is remembered with the context."""
    if pins:
        return classify(context, study, ruleset, pins)
    known: Verdict | None = context.concluded.get(study)
    if known is None:
        known = context.concluded[study] = classify(context, study, ruleset, pins)
    return known


def study_of(contexts: Collection[ClassificationContext], ruleset: Ruleset) -> Study:
    """What all stacks of a study may know; a stack alone knows nothing of others."""
    return Study(_diffusion_technique(contexts, ruleset) if len(contexts) > 1 else None)


def _diffusion_technique(contexts: Iterable[ClassificationContext], ruleset: Ruleset) -> str | None:
    flags = ruleset.reader.index.bits
    sources = flags["is_dwi"] | flags["is_original"] | flags["modality=MR"]
    acquired = (one for one in contexts if one.reading.facts & sources == sources)
    found = {decide_one(find(ruleset.axes["technique"], Asked(one.reading, one.measured))).value for one in acquired}
    only = found.pop() if len(found) == 1 else None
    return only if isinstance(only, str) else None


def classify(context: ClassificationContext, study: Study, ruleset: Ruleset, pins: Pins) -> Verdict:
    """Every axis of one stack, in the order of RULED."""
    axes: dict[str, AxisResult] = {}
    is_silent = context.has("is_no_patient_image")
    reading = context.reading
    for axis in RULED:
        result = pins.get(axis.name) or _result(axis, is_silent, Asked(reading, context.measured), context, ruleset)
        if axis.name == "technique":
            result = _technique_of_source(result, axes, study) if not context.has("is_readout_known") else result
        axes[axis.name] = result
        reading = with_decided(reading, axis.name, result, ruleset)
    is_image = context.modality == "MR" and not context.should_exclude()
    sure = ruleset.calibration.probabilities(axes, context, ruleset.general)
    return Verdict(
        axes=axes,
        review=reasons_to_look(axes, sure, ruleset.implied) if is_image else (),
        probability=sure,
        **_described(context),
    )


def _described(context: ClassificationContext) -> dict[str, Any]:
    """What is told of every stack beside its axes, and of CT and PET instead of most of them."""
    kernel = fields.text(context.fingerprint, "convolution_kernel") if context.modality == "CT" else ""
    tracer = context.tracer if context.modality == "PT" else None
    return {"modality": context.modality, "kernel": kernel or None, "tracer": tracer}


def _result(axis: Axis, is_silent: bool, asked: Asked, context: ClassificationContext, ruleset: Ruleset) -> AxisResult:
    facts = asked.reading.facts
    is_asked = is_asked_of(axis.name, context.modality) and not (is_silent and axis.name in MR_ONLY)
    if not is_asked or not facts & ruleset.triggers[axis.name] or holds(ruleset.silent[axis.name], facts):
        return NONE_OF_MANY if axis.many else NOTHING
    findings = find(ruleset.axes[axis.name], asked)
    return decide_many(findings) if axis.many else decide_one(findings)


def with_decided(reading: Reading, axis: str, result: AxisResult, ruleset: Ruleset) -> Reading:
    """The reading for the axes after this one: what it decided is a fact for them."""
    if not result.values:
        return reading
    bits, facts = ruleset.reader.index.bits, reading.facts
    for value in result.values:
        facts |= bits.get(f"{axis}={value}", 0)  # a person may have set a value that these rules do not have
    return Reading(facts, reading.worded, reading.counted, reading.lent)


def _technique_of_source(result: AxisResult, decided: Mapping[str, AxisResult], study: Study) -> AxisResult:
    """A diffusion map whose header does not say how it was measured was measured as the study's diffusion acquisitions were."""
    if study.diffusion_technique is None or not DIFFUSION_MAPS.intersection(decided["construct"].values):
        return result
    evidence = (Evidence.from_sibling("the only diffusion technique of the study", study.diffusion_technique),)
    return AxisResult(value=study.diffusion_technique, confidence=confidence(evidence), evidence=evidence)


@dataclass(frozen=True)
class AxisDetector:
    """One axis, asked alone: `AxisDetector("technique", ruleset).detect(context)`."""

    axis: str
    ruleset: Ruleset

    def detect(self, context: ClassificationContext) -> AxisResult:
        """Value, confidence, evidence and the other candidates; axes before this one are decided on the way."""
        return classify(context, Study(None), self.ruleset, {}).axes[self.axis]
