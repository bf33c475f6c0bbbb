"""All stacks of a study together. A stack may learn from its siblings' fingerprints, never from their verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core.axes import AXES, MR_ONLY, RULED
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.corrections import Pins, pins_of
from gyrus.classifier.core.detect import decide_many, decide_one, find
from gyrus.classifier.core.evidence import NOTHING, AxisResult, Evidence, confidence
from gyrus.classifier.core.intent import DIFFUSION_MAPS, NO_WEIGHTING, intent, reasons_to_look
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.verdict import Verdict


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
    ignored. Raises CorrectionError for an axis or a value that does not exist.
    """
    contexts = {stack: ClassificationContext.from_fingerprint(fingerprint) for stack, fingerprint in stacks.items()}
    study = Study(_diffusion_technique(contexts.values(), ruleset))
    return {stack: _classify(context, study, ruleset, pins_of(stack, corrections)) for stack, context in contexts.items()}


def _diffusion_technique(contexts: Iterable[ClassificationContext], ruleset: Ruleset) -> str | None:
    sources = (one for one in contexts if one.modality == "MR" and one.unified_flags["is_dwi"] and one.unified_flags["is_original"])
    found = {decide_one(find(ruleset.axes["technique"], source)).value for source in sources}
    only = found.pop() if len(found) == 1 else None
    return only if isinstance(only, str) else None


def _classify(context: ClassificationContext, study: Study, ruleset: Ruleset, pins: Pins) -> Verdict:
    excluded = context.should_exclude()
    axes: dict[str, AxisResult] = {}
    for axis in RULED:
        if axis.name in pins:
            axes[axis.name] = pins[axis.name]
        elif excluded or (axis.name in MR_ONLY and context.modality != "MR"):
            axes[axis.name] = AxisResult(value=(), confidence=None) if axis.many else NOTHING
        else:
            axes[axis.name] = _decide(axis.name, context, study, ruleset, axes)
    axes["body_part"] = pins.get("body_part") or _body_part(context)
    axes["intent"] = pins.get("intent") or _intent(context, axes, excluded)
    is_image = context.modality == "MR" and axes["intent"].value != "excluded"
    return Verdict(axes={name: axes[name] for name in AXES}, review=tuple(reasons_to_look(axes)) if is_image else ())


def _decide(axis: str, context: ClassificationContext, study: Study, ruleset: Ruleset, decided: Mapping[str, AxisResult]) -> AxisResult:
    if axis == "base" and _shows_no_tissue(decided):
        return NOTHING
    modifiers = decided["modifier"].values if "modifier" in decided else ()
    inferred = _implied_base(decided["technique"], ruleset) if axis == "base" else {}
    findings = find(ruleset.axes[axis], context, modifiers, inferred)
    result = decide_many(findings) if AXES[axis].many else decide_one(findings)
    if axis == "technique" and result.value is None and DIFFUSION_MAPS.intersection(decided["construct"].values):
        return _technique_of_source(result, study)
    return result


def _shows_no_tissue(decided: Mapping[str, AxisResult]) -> bool:
    """Localizers, phase images and maps have no weighting; to name one would be a guess."""
    return "Localizer" in decided["provenance"].values or bool(NO_WEIGHTING.intersection(decided["construct"].values))


def _implied_base(technique: AxisResult, ruleset: Ruleset) -> dict[str, list[Evidence]]:
    bases = ((name, ruleset.implied_base(name)) for name in technique.values)
    return {base: [Evidence.from_technique(name, base)] for name, base in bases if base}


def _technique_of_source(result: AxisResult, study: Study) -> AxisResult:
    """A map whose header does not say how it was measured was measured as the study's diffusion acquisitions were."""
    if study.diffusion_technique is None:
        return result
    evidence = (Evidence.from_sibling("the only diffusion technique of the study", study.diffusion_technique),)
    return AxisResult(value=study.diffusion_technique, confidence=confidence(evidence), evidence=evidence)


def _body_part(context: ClassificationContext) -> AxisResult:
    if context.body_part is None:
        return NOTHING
    evidence = (Evidence.from_structured("body_part_examined", context.body_part_examined, context.body_part),)
    return AxisResult(value=context.body_part, confidence=confidence(evidence), evidence=evidence)


def _intent(context: ClassificationContext, axes: Mapping[str, AxisResult], excluded: bool) -> AxisResult:
    if excluded:
        return _by_flag("no image of a patient: screenshot, report, capture or error image", "excluded")
    if context.modality != "MR" and context.unified_flags["is_localizer"]:
        return _by_flag("is_localizer", "localizer")
    return intent(axes)


def _by_flag(flag: str, target: str) -> AxisResult:
    evidence = (Evidence.from_token("unified_flags", flag, target),)
    return AxisResult(value=target, confidence=confidence(evidence), evidence=evidence)
