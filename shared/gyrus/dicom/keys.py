"""Which stack an image belongs to: a readable key, a pure function of one image or frame, so that nobody has to look at the others.

What is not in the key stays an axis inside a stack: b-value, direction, time, position. Tube current, exposure, repetition time, echo
train and coil are not in it either: they change inside one acquisition (docs/decisions/0016-what-is-not-in-the-stack-key.md).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gyrus.dicom.orientation import orientation_class
from gyrus.dicom.values import Value

KEY_FIELDS = (
    "modality",
    "enhanced",
    "image_type",
    "image_orientation_patient",
    "complex_image_component",
    "echo_time",
    "inversion_time",
    "flip_angle",
    "echo_numbers",
    "kvp",
    "convolution_kernel",
    "slice_thickness",
    "reconstruction_method",
    "corrected_image",
    "attenuation_correction_method",
)

DIXON_ROLES = frozenset({"W", "F", "IP", "OP", "WATER", "FAT", "IN_PHASE", "OPP_PHASE"})
ROLES = DIXON_ROLES.union(
    ("ADC", "EADC", "TRACEW", "TRACE", "FA", "RGB", "COLFA", "TENSOR", "TENSOR_B0", "DIFFUSION", "CALC_BVALUE"),
    ("ASL", "PERFUSION", "SUB", "SUBTRACTION", "RELCBF", "RCBF", "CBF", "CBV", "MTT", "TTP", "TTEST", "COLOR_LUT", "MEAN_MAP"),
    ("UNI", "INV1", "INV2", "DEN", "SWI", "MNIP", "MIN_IP", "MAG", "PHA"),
    ("MPR", "MIP", "CPR", "REFORMATTED", "PROJECTION IMAGE", "CSA MPR", "CSA MIP"),
    ("LOCALIZER", "OTHER", "SCREENSHOT", "SCREEN SAVE", "CSA REPORT"),
)

_COMPONENTS = {"MAGNITUDE": "M", "PHASE": "P", "REAL": "R", "IMAGINARY": "I"}
_MAGNITUDES = frozenset({"M", "M_FFE", "M_SE", "M_IR", "M_PCA", "SW_M_FFE"})
_PHASES = frozenset({"P", "PHASE MAP", "SW_P_FFE"})
_SET_ASIDE = frozenset({"LOCALIZER", "OTHER"})


def stack_key(shared: dict[str, Value], image: dict[str, Value]) -> str:
    """The key of an image or frame, e.g. `MR|TE=2.5|TI=900|FA=9|ECHO=1|TYPE=M|ORIENT=SAG`.

    A part whose value is unknown is left out; an orientation that is unknown says so (`UNK`). Frames of enhanced objects end with `|MF=1`.
    """
    known = {**shared, **image}
    modality = _text(known.get("modality")).upper()
    parts = _PARTS.get(modality, _other_parts)(known)
    parts["ORIENT"] = orientation_class(known.get("image_orientation_patient"))
    if known.get("enhanced"):
        parts["MF"] = "1"
    return "|".join([modality, *(f"{name}={value}" for name, value in parts.items() if value)])


def parsed_key(key: str) -> dict[str, str]:
    """The parts of a key by name, as far as they are known; the modality is under `MODALITY`."""
    modality, *parts = key.split("|")
    return {"MODALITY": modality, **dict(part.partition("=")[::2] for part in parts)}


def kind_of(keys: Iterable[str]) -> str:
    """What varies between the stacks of a series: `single`, `multi_echo`, `magnitude_phase`, …, or `mixed`."""
    every = [parsed_key(key) for key in set(keys)]
    parts = [part for part in every if not _is_set_aside(part)] or every
    varying = _varying(parts)
    forms = {part.get("MF", "") for part in parts}
    if len(forms) > 1:
        varying = set.intersection(*(_varying([part for part in parts if part.get("MF", "") == form]) for form in forms))
        if not varying:
            return "duplicate_representation"
    return _named(frozenset(varying - {"MF"}), {part.get("ROLE", "") for part in parts})


def split_by(kind: str) -> str:
    r"""What split a series, joined by `\`, as classification asks for it: a compound kind gives every name that it contains."""
    return "\\".join(name for name, part in _SPLITS.items() if part in kind)


def is_twice(keys: Iterable[str]) -> bool:
    """Whether a series holds classic images and enhanced objects: as a rule the same images in two forms."""
    return len({parsed_key(key).get("MF", "") for key in keys}) > 1


def _is_set_aside(parts: dict[str, str]) -> bool:
    """A scout, or something that has no other name, beside what the series was made for."""
    return bool(_SET_ASIDE & {*parts.get("ROLE", "").split("+"), parts.get("TYPE", "")})


def _varying(parts: Sequence[dict[str, str]]) -> set[str]:
    return {name for part in parts for name in part if len({other.get(name, "") for other in parts}) > 1}


_SPLITS = {"multi_echo": "multi_echo", "multi_ti": "multi_ti", "multi_flip_angle": "flip_angle"}

_KINDS: dict[frozenset[str], str] = {
    frozenset(): "single",
    frozenset({"TE"}): "multi_echo",
    frozenset({"ECHO"}): "multi_echo",
    frozenset({"TE", "ECHO"}): "multi_echo",
    frozenset({"TI"}): "multi_ti",
    frozenset({"FA"}): "multi_flip_angle",
    frozenset({"TI", "FA"}): "multi_ti_flip_angle",
    frozenset({"TI", "FA", "ROLE"}): "multi_ti_flip_angle",
    frozenset({"TYPE"}): "magnitude_phase",
    frozenset({"TE", "TYPE"}): "multi_echo_magnitude_phase",
    frozenset({"TE", "ECHO", "TYPE"}): "multi_echo_magnitude_phase",
    frozenset({"ROLE"}): "derived_maps",
    frozenset({"ROLE", "TYPE"}): "derived_maps",
    frozenset({"ORIENT"}): "multi_orientation",
    frozenset({"KERNEL"}): "multi_kernel",
    frozenset({"KVP"}): "multi_kvp",
    frozenset({"ST"}): "multi_thickness",
    frozenset({"AC"}): "ac_nac",
}


def _named(varying: frozenset[str], roles: set[str]) -> str:
    words = {word for role in roles for word in role.split("+")}
    if "ROLE" in varying and varying <= {"ROLE", "TE", "ECHO"} and words <= DIXON_ROLES:
        return "dixon"
    return _KINDS.get(varying, "mixed")


def component_letter(known: dict[str, Value]) -> str:
    """M, P, R or I for magnitude, phase, real and imaginary; empty if the image does not say."""
    word = _COMPONENTS.get(_upper(known.get("complex_image_component")))
    if word:
        return word
    tokens = [_upper(token) for token in known.get("image_type") or []]
    third, fourth = (tokens + [""] * 4)[2:4]
    if third in _MAGNITUDES:
        return "M"
    if third in _PHASES:
        return "P"
    if third[:2] in ("R", "R_", "I", "I_"):
        return third[0]
    return fourth if fourth in _COMPONENTS.values() else ""


def role(known: dict[str, Value]) -> str:
    """The derived words of an image type from its third value on, joined by `+`."""
    tokens = [_upper(token) for token in (known.get("image_type") or [])[2:]]
    return "+".join(dict.fromkeys(token for token in tokens if token in ROLES))


def _mr_parts(known: dict[str, Value]) -> dict[str, str]:
    return {
        "TE": _echo_time(known.get("echo_time")),
        "TI": _number(known.get("inversion_time"), 0),
        "FA": _number(known.get("flip_angle"), 0),
        "ECHO": _text(known.get("echo_numbers")),
        "TYPE": component_letter(known),
        "ROLE": role(known),
    }


def _ct_parts(known: dict[str, Value]) -> dict[str, str]:
    return {
        "KVP": _number(known.get("kvp"), 0),
        "KERNEL": _text("+".join(known.get("convolution_kernel") or [])),
        "ST": f"{value:.3g}" if (value := known.get("slice_thickness") or 0) > 0 else "",
        "TYPE": _third_token(known),
    }


def _pt_parts(known: dict[str, Value]) -> dict[str, str]:
    method = _upper(known.get("attenuation_correction_method"))
    corrections = [_upper(word) for word in known.get("corrected_image") or []]
    is_corrected = "ATTN" in corrections or method not in ("", "NONE")
    is_told = bool(method) or known.get("corrected_image") is not None
    return {
        "TYPE": _third_token(known),
        "RECON": _text(known.get("reconstruction_method")).upper(),
        "AC": str(int(is_corrected)) if is_told else "",
    }


def _other_parts(known: dict[str, Value]) -> dict[str, str]:
    return {"TYPE": _third_token(known), "ROLE": role(known)}


_PARTS = {"MR": _mr_parts, "CT": _ct_parts, "PT": _pt_parts}


def _third_token(known: dict[str, Value]) -> str:
    return _text(_upper(((known.get("image_type") or []) + [""] * 3)[2]))


def _echo_time(value: Any) -> str:
    """Tenths of a millisecond, hundredths below 1 ms; 0 is kept, since field maps are written with it."""
    if value is None or value < 0:
        return ""
    nudged = value + 1e-6 * value
    return f"{round(nudged, 2 if nudged < 1 else 1):g}"


def _number(value: Any, digits: int) -> str:
    if value is None or value <= 0:
        return ""
    rounded = round(value + 1e-6 * value, digits)
    return f"{rounded:g}" if rounded else ""


def _upper(value: Any) -> str:
    return str(value).strip().upper() if value is not None else ""


def _text(value: Any) -> str:
    """A value as it may stand in a key: on one line, without the sign that parts the key."""
    text = "" if value is None else str(value).strip().replace("|", "/")
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)
