"""What the bytes of an element mean: text, numbers, dates and times as plain values.

Every function answers (value, flaw). A value that cannot be trusted is None; `flaw` names what was wrong ("" if nothing was):
`value_invalid`, `multi_valued` (the first of several values was taken) or `date_placeholder`. Nothing raises.
Source: PS3.5 section 6.2 for the forms, and the forms that real writers use instead.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

Value = Any  # str, int, float, bool, bytes, None, or a list or dict of them: what JSON and BSON can hold
Part = str | int | float
Converted = tuple[Value, str]
Answers = dict[str, tuple[Value, str]]  # field name to (value, source), of a maker's own elements

INVALID = "value_invalid"
MULTI = "multi_valued"
PLACEHOLDER = "date_placeholder"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d{1,6})?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?")
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")
_PLACEHOLDERS = {"00000000", "19000101"}
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0, "": 1.0}
_LARGEST = 1e37  # Philips writes 1.7e38 and 7.23e75 where it has no value; nothing that is measured is as large


def number_of(part: Part) -> float | None:
    """A number that can be one of a measurement, or None; a single decimal comma is read as a point."""
    if not isinstance(part, str):
        return float(part) if abs(part) <= _LARGEST else None
    text = part.strip(" \0")
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) <= _LARGEST else None


def _is_unset(number: float) -> bool:
    return math.isfinite(number) and abs(number) > _LARGEST


def _integer_of(part: Part) -> int | None:
    if isinstance(part, int):
        return int(part) if -(2**63) <= part < 2**63 else None
    value = number_of(part)
    if value is None or not value.is_integer() or abs(value) >= 2**53:
        return None
    return int(value)


def _text_of(part: Part) -> str | None:
    return str(part).rstrip(" \0") or None


def _date_of(text: str) -> tuple[str | None, str]:
    if text in _PLACEHOLDERS:
        return None, PLACEHOLDER
    match = _DATE.fullmatch(text)
    if not match:
        return None, INVALID
    try:
        return date(*(int(part) for part in match.groups())).isoformat(), ""
    except ValueError:
        return None, INVALID


def _time_of(text: str) -> str | None:
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    if hour > 23 or minute > 59 or second > 60:
        return None
    return f"{hour:02d}:{minute:02d}:{second:02d}{match[4] or ''}"


def _first(parts: Sequence[Part]) -> tuple[Part | None, str]:
    """The first value that is not empty, and a flaw if there are more."""
    kept = [part for part in parts if (part.strip(" \0") if isinstance(part, str) else not _is_unset(part))]
    if not kept:
        return None, ""
    return kept[0], MULTI if len(kept) > 1 else ""


def text(parts: Sequence[Part]) -> Converted:
    """One text; trailing spaces and NULs are padding, leading ones are kept."""
    part, flaw = _first(parts)
    return (None, "") if part is None else (_text_of(part), flaw)


def texts(parts: Sequence[Part]) -> Converted:
    """A list of texts, each without surrounding spaces; empty places in the middle stay as ''."""
    kept = [str(part).strip(" \0") for part in parts]
    return (kept if any(kept) else None), ""


def number(parts: Sequence[Part]) -> Converted:
    """One finite float."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    value = number_of(part)
    return (None, INVALID) if value is None else (value, flaw)


def integer(parts: Sequence[Part]) -> Converted:
    """One integer; '12.0' is one."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    value = _integer_of(part)
    return (None, INVALID) if value is None else (value, flaw)


def numbers(parts: Sequence[Part]) -> Converted:
    """A list of finite floats; one bad number makes the whole list worthless."""
    if not any(not isinstance(part, str) or part.strip(" \0") for part in parts):
        return None, ""
    values = [number_of(part) for part in parts]
    if all(value is not None and _is_unset(value) for value in values):
        return None, ""
    return (None, INVALID) if None in values else (values, "")


def calendar_date(parts: Sequence[Part]) -> Converted:
    """A date as YYYY-MM-DD."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    value, wrong = _date_of(str(part).strip(" \0"))
    return value, wrong or flaw


def clock_time(parts: Sequence[Part]) -> Converted:
    """A time of day as HH:MM:SS[.ffffff]."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    value = _time_of(str(part).strip(" \0"))
    return (None, INVALID) if value is None else (value, flaw)


def date_time(parts: Sequence[Part]) -> Converted:
    """A date and time as YYYY-MM-DDTHH:MM:SS[.ffffff][+HHMM]."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    match = _DATE_TIME.fullmatch(str(part).strip(" \0"))
    day, wrong = _date_of(match[1]) if match else (None, INVALID)
    clock = _time_of(match[2] or "00") if match else None
    if match is None or day is None or clock is None:
        return None, wrong or INVALID
    return f"{day}T{clock}{match[3] or ''}", flaw


def age(parts: Sequence[Part]) -> Converted:
    """An age in years; a number without a letter counts years up to 120."""
    part, flaw = _first(parts)
    if part is None:
        return None, ""
    match = _AGE.fullmatch(str(part).strip(" \0").upper())
    if not match or (not match[2] and int(match[1]) > 120):
        return None, INVALID
    return round(int(match[1]) / _PER_YEAR[match[2]], 4), flaw


def uid(parts: Sequence[Part]) -> Converted:
    """A unique identifier as it stands, without padding; it is never rewritten."""
    part, flaw = _first(parts)
    return (None, "") if part is None else (str(part).strip(" \0"), flaw)


CONVERTERS: dict[str, Callable[[Sequence[Part]], Converted]] = {
    "text": text,
    "texts": texts,
    "number": number,
    "integer": integer,
    "numbers": numbers,
    "date": calendar_date,
    "time": clock_time,
    "date_time": date_time,
    "age": age,
    "uid": uid,
}
