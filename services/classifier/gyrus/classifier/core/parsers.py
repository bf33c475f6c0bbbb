"""Five tags and the enhanced attributes, each turned into the flags of its table; and the unified flags that they add up to."""

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from gyrus.classifier.core import fields, vocabulary
from gyrus.classifier.core.unified import UNIFIED
from gyrus.classifier.core.vocabulary import TokenTable

Flags = Mapping[str, bool]

SEQUENCE_NAME_FIELDS = ("sequence_name", "pulse_sequence_name", "siemens_sequence_file", "ge_pulse_sequence", "philips_scan_technique")

FLUID_T1_MS = 4300.0
"""T1 of cerebrospinal fluid, nearly the same at every field strength."""
FLUID_NULL = (0.70, 1.12)
"""Inversion time over the time at which fluid passes zero, for spin echoes whose fluid is dark."""


def _known(*tables: TokenTable) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for table in tables for flags in table.values() for flag in flags))


def _set(known: Iterable[str], found: set[str]) -> Flags:
    return MappingProxyType({flag: flag in found for flag in known})


def _look_up(table: TokenTable, tokens: Iterable[str]) -> set[str]:
    return {flag for token in tokens for flag in table.get(token, ())}


def image_type(fingerprint: Mapping[str, Any]) -> Flags:
    tokens = fields.values(fingerprint, "image_type")
    found = _look_up(vocabulary.IMAGE_TYPE, tokens) | _look_up(vocabulary.LATE_IMAGE_TYPE, tokens[2:])
    return _set(_known(vocabulary.IMAGE_TYPE, vocabulary.LATE_IMAGE_TYPE), found)


def scanning_sequence(fingerprint: Mapping[str, Any]) -> Flags:
    return _tag(fingerprint, "scanning_sequence", vocabulary.SCANNING_SEQUENCE, r"[\\/,_\s]")


def sequence_variant(fingerprint: Mapping[str, Any]) -> Flags:
    return _tag(fingerprint, "sequence_variant", vocabulary.SEQUENCE_VARIANT, r"[\\/,_\s]")


def scan_options(fingerprint: Mapping[str, Any]) -> Flags:
    return _tag(fingerprint, "scan_options", vocabulary.SCAN_OPTIONS, r"[\\/,]")


def _tag(fingerprint: Mapping[str, Any], name: str, table: TokenTable, separators: str) -> Flags:
    return _set(_known(table), _look_up(table, fields.values(fingerprint, name, separators)))


def sequence_name(fingerprint: Mapping[str, Any]) -> Flags:
    names = [_stem(fields.text(fingerprint, field)) for field in SEQUENCE_NAME_FIELDS]
    found = {flag for pattern, flags in _patterns() if any(pattern.match(name) for name in names if name) for flag in flags}
    return _set(dict.fromkeys(flag for _, flags in vocabulary.SEQUENCE_NAME for flag in flags), found)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    return tuple((re.compile(pattern), flags) for pattern, flags in vocabulary.SEQUENCE_NAME)


def _stem(name: str) -> str:
    return re.split(r"[\\/]", name.lower())[-1].lstrip("*%_ ")


def attributes(fingerprint: Mapping[str, Any]) -> Flags:
    """Flags of enumerated attributes, of numbers in their ranges, of the inversion time and of the contrast agent."""
    tables = vocabulary.ATTRIBUTES
    found = {flag for name, table in tables.items() for flag in _look_up(table, fields.values(fingerprint, name))}
    found |= {flag for name, above, upto, flag in vocabulary.NUMBERS if _within(fields.number(fingerprint, name), above, upto)}
    ratio = fluid_ratio(fields.number(fingerprint, "repetition_time"), fields.number(fingerprint, "inversion_time"))
    if ratio is not None and FLUID_NULL[0] <= ratio <= FLUID_NULL[1]:
        found.add("ti_nulls_fluid")
    found |= _contrast_agent(fingerprint)
    measured = tuple(flag for *_, flag in vocabulary.NUMBERS)
    return _set((*_known(*tables.values()), *measured, "ti_nulls_fluid", "has_contrast_agent", "has_no_contrast_agent"), found)


def _within(value: float | None, above: float, upto: float) -> bool:
    return value is not None and above < value <= upto


def fluid_ratio(repetition_time_ms: float | None, inversion_time_ms: float | None) -> float | None:
    """Inversion time in units of the time at which fluid has no signal; about 1 for a FLAIR."""
    if repetition_time_ms is None or inversion_time_ms is None:
        return None
    null_ms = FLUID_T1_MS * math.log(2 / (1 + math.exp(-repetition_time_ms / FLUID_T1_MS)))
    return inversion_time_ms / null_ms


def _contrast_agent(fingerprint: Mapping[str, Any]) -> set[str]:
    agent = fields.text(fingerprint, "contrast_bolus_agent").lower() or _agent_of(str(fingerprint.get("contrast_search_blob") or ""))
    volume = fields.number(fingerprint, "contrast_bolus_volume")
    if agent in vocabulary.NO_AGENT or agent.startswith("no ") or (volume == 0 and not agent):
        return {"has_no_contrast_agent"}
    return {"has_contrast_agent"} if agent or (volume is not None and volume > 0) else set()


def _agent_of(blob: str) -> str:
    """The agent of a blob as the seed writes it (`agent:X route:Y`), or the whole blob where it has no labels."""
    labelled = blob.lower().partition("agent:")[2]
    if labelled:
        return labelled.partition(" route:")[0].partition(" dose:")[0].partition(" volume:")[0].strip()
    return "" if ":" in blob else blob.strip().lower()


PARSERS = {
    "image_type": image_type,
    "scanning_sequence": scanning_sequence,
    "sequence_variant": sequence_variant,
    "scan_options": scan_options,
    "sequence_name": sequence_name,
    "attributes": attributes,
}


def unify(parsed: Mapping[str, Flags]) -> Flags:
    """A unified flag is set when one of its sources holds."""
    return MappingProxyType({flag: any(_holds(parsed, source) for source in sources) for flag, sources in _sources().items()})


def _holds(parsed: Mapping[str, Flags], source: tuple[tuple[str, str, bool], ...]) -> bool:
    return all(parsed[parser][flag] is wanted for parser, flag, wanted in source)


@cache
def _sources() -> dict[str, tuple[tuple[tuple[str, str, bool], ...], ...]]:
    return {flag: tuple(_terms(source) for source in sources) for flag, sources in UNIFIED.items()}


def _terms(source: str) -> tuple[tuple[str, str, bool], ...]:
    terms = []
    for term in source.split(" & "):
        parser, _, flag = term.removeprefix("!").partition(".")
        terms.append((parser, flag, not term.startswith("!")))
    return tuple(terms)
