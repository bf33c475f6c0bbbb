"""When a person should look at a label, why, and which other labels the same decision would serve.

A stack is looked at for a conflict of sources, for a contradiction between axes or with physics, and for doubt on an axis that matters
for its intent. That contrast agent or body part is unknown is no reason, nor is silence that is right as it is.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core.evidence import CONTRADICTION, PHYSICS_DISTINCT, PHYSICS_OVERLAP, AxisResult, is_corrected

DOUBT, NO_EVIDENCE = "doubt", "no evidence"
"""An answer that is seldom right; and no answer, since nothing speaks for any."""

SURE_ENOUGH = 0.9
"""An axis that matters is looked at below this probability."""
MATTERS: Mapping[str | None, tuple[str, ...]] = {
    "anat": ("intent", "base", "technique"),
    "dwi": ("intent", "technique", "construct"),
    "func": ("intent", "technique"),
    "perf": ("intent", "technique", "construct"),
    "fmap": ("intent", "construct"),
    "localizer": ("intent",),
    "misc": ("intent", "technique"),
}
"""By intent, the axes without which a stack is of no use for it."""
NOT_ASKED = frozenset({"contrast", "body_part"})
"""Axes about which a header may be silent, and words vague, without anybody having to look."""


@dataclass(frozen=True)
class Reason:
    """One reason to look, on one axis. `instead`: the value that something else says."""

    kind: str
    axis: str
    words: str
    instead: str | None = None

    @property
    def told(self) -> str:
        return f"{self.axis}: {self.words}"


def reasons_to_look(
    axes: Mapping[str, AxisResult], sure: Mapping[str, float | None], implied: Mapping[str, frozenset[str]]
) -> tuple[Reason, ...]:
    """sure: axis → probability, None where it was not fitted. implied: technique → the bases that its images may have."""
    return (*_said_against(axes), *_between_axes(axes, implied), *_doubtful(axes, sure))


def _said_against(axes: Mapping[str, AxisResult]) -> Iterator[Reason]:
    for axis, result in axes.items():
        if result.doubts and axis not in NOT_ASKED and not is_corrected(result):
            yield from (Reason(doubt.kind, axis, doubt.words, doubt.value) for doubt in result.doubts)


def _between_axes(axes: Mapping[str, AxisResult], implied: Mapping[str, frozenset[str]]) -> Iterator[Reason]:
    """A weighting that images of the technique do not have. A computed or reference image (a construct) may have another one."""
    technique, base = axes["technique"], axes["base"]
    may_be = implied.get(technique.value) if isinstance(technique.value, str) else None
    if may_be is None or base.value in {None, *may_be} or axes["construct"].values or base.doubts or is_corrected(base):
        return
    yield Reason(CONTRADICTION, "base", f"the rest says {base.value}, which images of {technique.value} are not")


def _doubtful(axes: Mapping[str, AxisResult], sure: Mapping[str, float | None]) -> Iterator[Reason]:
    intent = axes["intent"].value
    for axis in MATTERS.get(intent if isinstance(intent, str) else None, ()):
        result, probability = axes[axis], sure.get(axis)
        if is_corrected(result) or result.doubts or probability is None or probability >= SURE_ENOUGH:
            continue
        if result.values:
            yield Reason(DOUBT, axis, f"{', '.join(result.values)} is right in {probability:.0%} of such headers")
        else:
            yield Reason(NO_EVIDENCE, axis, f"nothing in the tags, the numbers or the text says which; none is right in {probability:.0%}")


def silent_axes(axes: Mapping[str, AxisResult]) -> list[str]:
    """The axes for whose values nothing speaks: no conflict, and by itself no reason to look."""
    return [axis for axis, result in axes.items() if not result.values and not is_corrected(result)]


def group_of(axes: Mapping[str, AxisResult], reasons: tuple[Reason, ...]) -> str | None:
    """The digest of what is doubted and of what speaks for it: one decision serves all stacks of a group. Measured numbers do not count."""
    if not reasons:
        return None
    asked = sorted({reason.axis for reason in reasons})
    about: dict[str, Any] = {
        "values": {axis: sorted(result.values) for axis, result in axes.items() if axis not in NOT_ASKED},
        "reasons": sorted([reason.kind, reason.axis, reason.instead or ""] for reason in reasons),
        "evidence": [sorted(_evidence(axes[axis])) for axis in asked],
    }
    return hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=8).hexdigest()


def _evidence(result: AxisResult) -> Iterator[list[str]]:
    for one in result.evidence:
        measured = one.source in (PHYSICS_DISTINCT, PHYSICS_OVERLAP)
        yield [one.source, one.field, "" if measured else one.value, one.target]
