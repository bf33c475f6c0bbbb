"""Partial Fourier as classic images say it: among the scan options (PS3.3 C.8.3.1), where absence says nothing."""

from gyrus.dicom.values import Answers, Value

_SOURCE = "scan_options"
_DIRECTIONS = {("PFP",): "PHASE", ("PFF",): "FREQUENCY", ("PFP", "PFF"): "COMBINATION"}


def partial_fourier(known: dict[str, Value]) -> Answers:
    """That lines (PFP) or parts of each line (PFF) of k-space were left out, in the words of (0018,9081) and (0018,9036)."""
    options = known.get("scan_options") or []
    direction = _DIRECTIONS.get(tuple(word for word in ("PFP", "PFF") if word in options))
    if direction is None:
        return {}
    return {"partial_fourier": ("YES", _SOURCE), "partial_fourier_direction": (direction, _SOURCE)}
