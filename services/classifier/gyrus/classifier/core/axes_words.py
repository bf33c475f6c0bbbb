"""Conditions of rules in words that a radiographer reads: `has_gre & !has_epi & echo_time>17` is "`has_gre`, not `has_epi`, TE > 17 ms"."""

from collections.abc import Iterable

from gyrus.classifier.core.facts import COMPARISON, WORDS
from gyrus.classifier.core.rules import Physics

NAMES = {
    "repetition_time": ("TR", " ms"),
    "echo_time": ("TE", " ms"),
    "inversion_time": ("TI", " ms"),
    "flip_angle": ("flip angle", "°"),
    "magnetic_field_strength": ("field", " T"),
    "diffusion_b_value": ("b", " s/mm²"),
    "fluid_ratio": ("TI over the null time of fluid", ""),
    "ernst_ratio": ("flip angle over the Ernst angle of white matter", ""),
}
TAGS = {
    "image_type": "ImageType",
    "scanning_sequence": "ScanningSequence",
    "sequence_variant": "SequenceVariant",
    "scan_options": "ScanOptions",
    "sequence_name": "sequence name",
    "attributes": "header",
    "sibling": "another image of the acquisition",
}
PLACES = {"text": "", "description": " in the description", "comment": " in the image comments"}


def said(condition: str) -> str:
    """A condition in words: alternatives by "or", facts that must hold together by commas."""
    return " or ".join(", ".join(_fact(part.strip()) for part in one.split(" & ")) for one in condition.split(" | "))


def listed(parts: Iterable[str]) -> str:
    """Several conditions, of which any is enough; those of several facts are told apart by semicolons."""
    return "; ".join(parts)


def numbers_said(physics: Physics) -> str:
    """Windows that must hold together, with what else must hold."""
    windows = [text for name, window in physics.windows.items() for text in _window(name, window.above, window.below)]
    others = [*physics.flags, *([f"modifier={physics.modifier}"] if physics.modifier else [])]
    hint = " (a hint: such numbers are seen elsewhere too)" if physics.range == "overlap" else ""
    return ", ".join((*windows, *(said(one) for one in others))) + hint


def word(name: str) -> str:
    return name.replace("_", " ").lower()


def of_flag(name: str) -> str:
    """A flag of a tag, in words."""
    tag, _, flag = name.partition(".")
    return f"{TAGS.get(tag, tag)}: {word(flag)}"


def _window(name: str, above: float | None, below: float | None) -> list[str]:
    return [_compared(name, sign, limit) for sign, limit in ((">", above), ("<", below)) if limit is not None]


def _compared(name: str, sign: str, limit: float) -> str:
    label, unit = NAMES.get(name, (word(name), ""))
    return f"{label} {sign} {limit:g}{unit}"


def _fact(written: str) -> str:
    name = written.removeprefix("!").strip()
    negated = "not " if written.startswith("!") else ""
    kind, colon, rest = name.partition(":")
    if colon and kind in WORDS:
        return f"{negated}“{rest}”{PLACES[kind]}"
    if match := COMPARISON.match(name.replace(" ", "")):
        return negated + _compared(match[1], match[2], float(match[3]))
    if "=" in name:
        axis, _, value = name.partition("=")
        return f"{negated}{word(axis)} `{value}`"
    return f"{negated}`{name}`"
