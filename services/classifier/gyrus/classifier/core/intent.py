"""What a stack is for, from what it is; and when a person should look at it."""

from collections.abc import Iterator, Mapping

from gyrus.classifier.core.evidence import NOTHING, AxisResult, Evidence

DIFFUSION_MAPS = frozenset({"ADC", "eADC", "FA", "ColFA", "Trace", "MD", "Tensor", "CalcBvalue"})
PERFUSION_MAPS = frozenset({"CBF", "CBV", "MTT", "Tmax", "TTP", "PBP", "DeltaM", "Ktrans"})
MAPS_OF_NUMBERS = frozenset(
    {"T1map", "T2map", "T2starmap", "R1map", "R2map", "R2starmap", "PDmap", "T1rhomap", "MultiQmap", "MyelinMap", "QSM"}
)
NO_WEIGHTING = MAPS_OF_NUMBERS | {"Phase", "Real", "Imaginary", "B0map", "B1map"}

INTENT_OF: tuple[tuple[str, frozenset[str], str | None], ...] = (
    ("provenance", frozenset({"Localizer"}), "localizer"),
    ("provenance", frozenset({"DTIRecon"}), "dwi"),
    ("provenance", frozenset({"PerfusionRecon", "ASLRecon"}), "perf"),
    ("provenance", frozenset({"BOLDRecon"}), "func"),
    ("construct", DIFFUSION_MAPS, "dwi"),
    ("construct", PERFUSION_MAPS, "perf"),
    ("construct", frozenset({"B0map", "B1map"}), "fmap"),
    ("technique", frozenset({"BOLD-EPI"}), "func"),
    ("base", frozenset({"DWI"}), "dwi"),
    ("base", frozenset({"PWI"}), "perf"),
    ("technique", frozenset({"SE-EPI", "GRE-EPI", "EPI"}), None),
    ("base", frozenset({"T1w", "T2w", "PDw", "T2*w", "SWI", "MTw", "T1rho", "T2rho", "CESTw"}), "anat"),
)
"""Axis, values, intent; the first row that holds decides. No row: no intent. An echo planar image whose purpose nothing tells may be
function, perfusion or a field map: none either."""

LOW_CONFIDENCE = 0.6
NO_BASE_WANTED = frozenset({"localizer", "func", "fmap", "excluded"})


def intent(axes: Mapping[str, AxisResult]) -> AxisResult:
    """The purpose that the other axes imply, as sure as they are."""
    for axis, values, purpose in INTENT_OF:
        found = next((value for value in axes[axis].values if value in values), None)
        sure = axes[axis].confidence
        if found and purpose is None:
            return NOTHING
        if found and purpose and sure is not None:
            return AxisResult(value=purpose, confidence=sure, evidence=(Evidence.from_axis(axis, found, purpose, sure),))
    return NOTHING


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
