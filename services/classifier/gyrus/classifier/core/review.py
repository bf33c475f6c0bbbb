"""When a person should look at a label."""

from collections.abc import Iterator, Mapping

from gyrus.classifier.core.evidence import AxisResult

LOW_CONFIDENCE = 0.6
NO_BASE_WANTED = frozenset({"localizer", "func", "fmap", "excluded"})


def reasons_to_look(axes: Mapping[str, AxisResult]) -> Iterator[str]:
    """Contradictions, weak values and missing ones. That contrast agent or body part is unknown is no reason."""
    for axis, result in axes.items():
        yield from (f"{axis}: {doubt}" for doubt in result.doubts)
        if result.confidence is not None and result.confidence < LOW_CONFIDENCE:
            yield f"{axis}: {', '.join(result.values)} is little sure ({result.confidence:.2f})"
    if axes["intent"].value in NO_BASE_WANTED or axes["construct"].values:
        return
    for axis in ("base", "technique"):
        if axes[axis].value is None and not _pinned(axes[axis]):
            yield f"{axis}: nothing in the tags, the numbers or the text says which"


def _pinned(result: AxisResult) -> bool:
    return result.confidence == 1.0
