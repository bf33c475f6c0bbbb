"""One reading of a raw fingerprint: numbers, values and texts under one name each, absent where the header does not say.

Zero echo, inversion and repetition times and absurd values count as absent: scanners write 0 where nothing was set.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

SEED_NAMES = {
    "repetition_time": "mr_tr",
    "echo_time": "mr_te",
    "inversion_time": "mr_ti",
    "flip_angle": "mr_flip_angle",
    "diffusion_b_value": "mr_diffusion_b_value",
    "sequence_name": "stack_sequence_name",
    "echo_train_length": "mr_echo_train_length",
    "body_part_examined": "body_part",
    "manufacturer_model_name": "manufacturer_model",
    "n_instances": "stack_n_instances",
}
"""Raw key → the seed's key. Where both are there, the raw one is read."""

HIGHEST = {"repetition_time": 60000.0, "echo_time": 5000.0, "inversion_time": 20000.0, "flip_angle": 360.0}
"""ms and degrees; what lies above, or below SMALLEST, was not measured."""

SMALLEST = 0.001
"""A microsecond; no scanner measures less."""

CONTRAST_FIELDS = {
    "agent": "contrast_bolus_agent",
    "route": "contrast_bolus_route",
    "dose": "contrast_bolus_total_dose",
    "start": "contrast_bolus_start_time",
    "volume": "contrast_bolus_volume",
    "rate": "contrast_flow_rate",
    "duration": "contrast_flow_duration",
}


def raw(fingerprint: Mapping[str, Any], name: str) -> Any:
    """The value under the raw name, else under the seed's, else None."""
    found = fingerprint.get(name)
    if found is None or found in ("", [], ()):
        found = fingerprint.get(SEED_NAMES.get(name, name))
    return None if found in ("", [], ()) else found


def text(fingerprint: Mapping[str, Any], name: str) -> str:
    found = raw(fingerprint, name)
    if found is None:
        return ""
    if isinstance(found, Sequence) and not isinstance(found, str):
        return "\\".join(str(part) for part in found)
    return str(found).strip()


def number(fingerprint: Mapping[str, Any], name: str) -> float | None:
    """A finite number, from text too; the first of several values. None where it is absent or was not measured."""
    found = raw(fingerprint, name)
    if isinstance(found, Sequence) and not isinstance(found, str):
        found = found[0]
    try:
        value = float(str(found).split("\\")[0]) if not isinstance(found, bool) else math.nan
    except ValueError:
        return None
    if not math.isfinite(value) or (name in HIGHEST and not SMALLEST <= value <= HIGHEST[name]):
        return None
    return value


def values(fingerprint: Mapping[str, Any], name: str, separators: str = r"[\\/,]") -> tuple[str, ...]:
    r"""The values of a tag, upper case, blanks as underscores. Reads `A\B`, a list, and the text of a list (`['A', 'B']`)."""
    parts = re.split(separators, re.sub(r"[\[\]'\"()]", "", text(fingerprint, name)))
    return tuple(re.sub(r"[\s_]+", "_", part.strip()).upper() for part in parts if part.strip())
