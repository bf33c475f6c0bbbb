"""Frames of one object as columns: packed for storing, and frame ranges as text.

A packed column is either {"values": distinct values, "index": bytes, "type": "B" | "H" | "I"} or, where almost every frame differs,
{"bytes": numbers, "type": "d" | "q", "width": numbers a frame}. Bytes are little endian.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from gyrus.dicom.values import Value

Column = dict[str, Any]


def packed(values: Sequence[Value]) -> Column:
    """A column of one value a frame."""
    keys = [tuple(value) if isinstance(value, list) else value for value in values]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    if 2 * len(places) > len(keys) and (numbers := _as_numbers(values)) is not None:
        return numbers
    letter = "B" if len(places) <= 1 << 8 else "H" if len(places) <= 1 << 16 else "I"
    distinct = [list(key) if isinstance(key, tuple) else key for key in places]
    return {"values": distinct, "index": _bytes(letter, [places[key] for key in keys]), "type": letter}


def unpacked(column: Column) -> list[Value]:
    """The value of each frame."""
    numbers = _numbers(column["type"], column["bytes"] if "bytes" in column else column["index"])
    if "values" in column:
        return [column["values"][int(place)] for place in numbers]
    width = column["width"]
    if width == 0:
        return list(numbers)
    return [list(numbers[start : start + width]) for start in range(0, len(numbers), width)]


def frame_ranges(frames: Iterable[int]) -> str:
    """Frame numbers, from 1, as text: `1-33,67-99`."""
    ranges: list[list[int]] = []
    for frame in sorted(frames):
        if ranges and frame == ranges[-1][1] + 1:
            ranges[-1][1] = frame
        else:
            ranges.append([frame, frame])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)


def frame_numbers(ranges: str) -> list[int]:
    """The frames, from 1, that `1-33,67-99` names."""
    numbers: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def _as_numbers(values: Sequence[Value]) -> Column | None:
    """A column of bare numbers, if every value is a float, an integer, or a list of as many floats as the others."""
    kinds = {type(value) for value in values}
    if kinds in ({float}, {int}):
        letter = "d" if kinds == {float} else "q"
        try:
            return {"bytes": _bytes(letter, values), "type": letter, "width": 0}
        except (OverflowError, struct.error):
            return None
    widths = {len(value) for value in values} if kinds == {list} else set()
    if len(widths) != 1 or not all(type(number) is float for value in values for number in value):
        return None
    return {"bytes": _bytes("d", [number for value in values for number in value]), "type": "d", "width": widths.pop()}


def _bytes(letter: str, numbers: Sequence[Any]) -> bytes:
    return struct.pack(f"<{len(numbers)}{letter}", *numbers)


def _numbers(letter: str, raw: bytes) -> Sequence[Any]:
    numbers: array[Any] = array(letter)
    if numbers.itemsize != struct.calcsize(f"<{letter}") or sys.byteorder != "little":
        return struct.unpack(f"<{len(raw) // struct.calcsize(f'<{letter}')}{letter}", raw)
    numbers.frombytes(raw)
    return numbers
