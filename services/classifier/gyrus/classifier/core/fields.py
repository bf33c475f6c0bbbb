"""One reading of a raw fingerprint: numbers, values and texts under one name each, absent where the header does not say.

`told` reads a raw fingerprint; the others read what it returns.

Zero echo, inversion and repetition times and absurd values count as absent: scanners write 0 where nothing was set.
"""

import math
import re
from collections.abc import Mapping
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
    "phase_contrast": "mr_phase_contrast",
    "angio_flag": "mr_angio_flag",
    "parallel_acquisition_technique": "mr_parallel_acquisition_technique",
    "echo_numbers": "mr_echo_number",
}
"""Raw key → the seed's key. Where both are there, the raw one is read."""

SMALLEST = 0.001
MEASURED = {
    "repetition_time": (SMALLEST, 60000.0),
    "echo_time": (SMALLEST, 5000.0),
    "inversion_time": (SMALLEST, 20000.0),
    "flip_angle": (SMALLEST, 360.0),
    "diffusion_b_value": (0.0, 20000.0),
    "magnetic_field_strength": (SMALLEST, 30.0),
    "echo_train_length": (0.0, 5000.0),
    "parallel_reduction_factor_in_plane": (SMALLEST, 64.0),
    "multiband_factor": (SMALLEST, 64.0),
}
"""What was measured lies between these: ms, degrees, s/mm², tesla. No scanner measures below a microsecond."""

GAUSS = 100.0
"""A field above this is written in gauss, ten thousand to a tesla (old GE)."""

CONTRAST_FIELDS = {
    "agent": "contrast_bolus_agent",
    "route": "contrast_bolus_route",
    "dose": "contrast_bolus_total_dose",
    "start": "contrast_bolus_start_time",
    "volume": "contrast_bolus_volume",
    "rate": "contrast_flow_rate",
    "duration": "contrast_flow_duration",
}
_LIST_SIGNS = str.maketrans("", "", "[]'\"()")
_BLANKS = re.compile(r"[\s_]+")


def told(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """What a raw fingerprint says, under the raw names; what is only there under the seed's name too. 0 and false are values."""
    found = {name: value for name, value in fingerprint.items() if value or value not in (None, "", [], ())}
    for name, seeds in SEED_NAMES.items():
        if seeds in found:
            found.setdefault(name, found[seeds])
    return found


def text(fingerprint: Mapping[str, Any], name: str) -> str:
    found = fingerprint.get(name)
    if found is None:
        return ""
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, (list, tuple)):
        return "\\".join(str(part) for part in found)
    return str(found).strip()


def number(fingerprint: Mapping[str, Any], name: str) -> float | None:
    """A finite number, from text too; the last of several values, so that `0\\1000` is a diffusion-weighted stack.

    None where it is absent or was not measured.
    """
    found = fingerprint.get(name)
    if found is None or isinstance(found, bool):
        return None
    if isinstance(found, (list, tuple)):
        found = found[-1]
    try:
        value = float(found) if isinstance(found, (int, float)) else float(str(found).rpartition("\\")[2])
    except (ValueError, OverflowError):
        return None
    if name == "magnetic_field_strength" and value > GAUSS:
        value /= 10000
    least, most = MEASURED.get(name, (-math.inf, math.inf))
    return value if math.isfinite(value) and least <= value <= most else None


def values(fingerprint: Mapping[str, Any], name: str, separators: str = "\\/,") -> tuple[str, ...]:
    r"""The values of a tag, upper case, blanks as underscores. Reads `A\B`, a list, and the text of a list (`['A', 'B']`)."""
    plain = text(fingerprint, name).upper()
    if not plain:
        return ()
    if not plain.isalnum():
        plain = plain.translate(_LIST_SIGNS)
    for separator in separators[1:]:
        plain = plain.replace(separator, separators[0])
    parts = (part.strip() for part in plain.split(separators[0]))
    return tuple(_BLANKS.sub("_", part) if " " in part or "__" in part else part for part in parts if part)
