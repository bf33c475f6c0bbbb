"""What the standard's elements do not say, by maker of the scanner.

A module has `extras(elements, known)`: field name to (value, source), for what is not one private element of a line in the table of fields.
"""

from collections.abc import Callable
from typing import Any

from gyrus.dicom.elements import Elements
from gyrus.dicom.values import Answers, Value
from gyrus.dicom.vendors import canon, ge, philips, siemens, siemens_csa, uih

# Readers of which another one says the same of the elements of one series, quicker: each with what makes that one.
IN_A_SERIES: dict[Callable[[bytes], Any], Callable[[], Callable[[bytes], Any]]] = {siemens_csa.excerpt: siemens_csa.Excerpts}

_BY_WORD: tuple[tuple[str, Callable[[Elements, dict[str, Value]], Answers]], ...] = (
    ("SIEMENS", siemens.extras),
    ("GE MEDICAL", ge.extras),
    ("GE HEALTHCARE", ge.extras),
    ("PHILIPS", philips.extras),
    ("CANON", canon.extras),
    ("TOSHIBA", canon.extras),
    ("UIH", uih.extras),
    ("UNITED IMAGING", uih.extras),
)


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """Values of the maker's own elements, for fields that `known` has not. `known` is what the standard's elements said."""
    manufacturer = str(known.get("manufacturer") or "").upper()
    for word, read in _BY_WORD:
        if word in manufacturer:
            found = read(elements, known)
            if known.get("diffusion_b_value") is not None:
                found = _without_second_b(found, known)
            return {name: answer for name, answer in found.items() if answer[0] is not None and known.get(name) is None}
    return {}


def _without_second_b(found: Answers, known: dict[str, Value]) -> Answers:
    """What the maker says of a direction belongs to the standard's b-value only where the two b-values agree."""
    b_value, _ = found.get("diffusion_b_value", (None, ""))
    if b_value is not None and abs(b_value - known["diffusion_b_value"]) < 1:
        has_direction = known.get("diffusion_gradient_orientation") is not None
        dropped = {"diffusion_b_value"} | ({"diffusion_gradient_orientation", "diffusion_frame"} if has_direction else set())
    else:
        dropped = {name for name in found if name.startswith("diffusion_")}
    return {name: answer for name, answer in found.items() if name not in dropped}
