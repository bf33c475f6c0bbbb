"""What the headers of one series have in common: the same bytes, but for a dozen elements that change from image to image.

A mould is such a header with holes in it. A file whose bytes between the holes are all as they were holds these very elements, so what was
checked when the mould was made (order, VRs, lengths) holds for it as well; in a hole may stand any value of that tag and VR. Nothing is
taken for granted: every byte outside of the holes is compared in every file.
"""

import os
import struct
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from gyrus.dicom.errors import UnusualError
from gyrus.dicom.walk import CHARSET, LONG_VRS, META, UNDEFINED, Found, Place, Walked, end_in, items_of

MOST_BYTES = 1 << 22  # of headers that are kept as moulds
MOST_MOULDS = 32
MOST_LAYOUTS = 128
SLACK = 1 << 10  # bytes by which a header may be longer than its mould
PIXEL_HEAD = 6  # bytes of the pixels' tag and VR, which end a mould; as many follow of their length

_SERIES, _SOP_OF_META = 0x0020000E, 0x00020003
_BEFORE_META = b"DICM\x02\x00\x00\x00UL\x04\x00"  # the length of the file meta follows (PS3.10 section 7.1)
_PREAMBLE = 128  # bytes

_short = struct.Struct("<H").unpack_from
_long = struct.Struct("<I").unpack_from

Kept = TypeVar("Kept")
Span = tuple[int, int]
Hole = tuple[bytes, int, str | None, bool]  # bytes from the hole before up to this one's length, tag, VR, whether the length has 4 bytes


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The file meta or the data set of a mould. rest: the bytes behind the last hole."""

    places: Mapping[int, Place]
    holes: tuple[Hole, ...]
    rest: bytes

    def spans(self, data: bytes, position: int, is_explicit: bool) -> tuple[list[Span], int] | None:
        """Where in a header the values of the holes lie, and where the part ends; None if it is of another mould."""
        found = []
        for before, tag, vr, is_long in self.holes:
            if not data.startswith(before, position):
                return None
            position += len(before)
            if is_long:
                length, position = _long(data, position)[0], position + 4
            else:
                length, position = _short(data, position)[0], position + 2
            end = end_in(data, position, (tag, vr), is_explicit) if length == UNDEFINED else position + length
            found.append((position, end))
            position = end
        return (found, position + len(self.rest)) if data.startswith(self.rest, position) else None


class Cast:
    """The elements of a file that a mould fits. asked: how often it was asked for the elements in its holes."""

    is_little_endian = True

    def __init__(self, part: Part, mould: "Mould", data: bytes, spans: list[Span]) -> None:
        self._places, self._mould, self._data = part.places, mould, data
        self._spans = {tag: span for (_, tag, _, _), span in zip(part.holes, spans, strict=True)}
        self.asked = dict.fromkeys(self._spans, 0)

    def __contains__(self, tag: int) -> bool:
        return tag in self._places

    def tags(self) -> Collection[int]:
        """All tags."""
        return self._places.keys()

    def element(self, tag: int) -> tuple[str | None, bytes] | None:
        """VR and bytes of an element, or None."""
        place = self._places.get(tag)
        if place is None:
            return None
        vr, start, length = place
        if span := self._spans.get(tag):
            self.asked[tag] += 1
            return vr, self._data[span[0] : span[1]]
        return vr, self._mould.header[start : start + length]

    def hole(self, tag: int) -> bytes:
        """The bytes of an element in a hole; this does not count as asking."""
        start, end = self._spans[tag]
        return self._data[start:end]

    def items(self, tag: int) -> Iterable[Walked]:
        """The items of a sequence."""
        found = self.element(tag)
        return items_of(*found, self._mould.is_explicit) if found else ()


@dataclass(frozen=True, slots=True, eq=False)
class Mould:
    """A header up to the VR of its pixels, and where it has holes."""

    header: bytes
    is_explicit: bool
    meta: Part
    top: Part


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A file that a mould fits: its header, the values of the holes, and where the announcement of its pixels begins."""

    mould: Mould
    data: bytes
    meta: list[Span]
    top: list[Span]
    pixels: int

    def casts(self) -> tuple[Cast, Cast]:
        """File meta and data set."""
        return Cast(self.mould.meta, self.mould, self.data, self.meta), Cast(self.mould.top, self.mould, self.data, self.top)


def fitted(mould: Mould, data: bytes) -> Fit | None:
    """The first bytes of a file in a mould; None if they are of another one, or too few."""
    if not data.startswith(_BEFORE_META, _PREAMBLE):
        return None
    try:
        meta = mould.meta.spans(data, META, is_explicit=True)
        if meta is None or meta[1] != META + _long(data, META - 4)[0]:
            return None
        top = mould.top.spans(data, meta[1], mould.is_explicit)
    except (UnusualError, struct.error):
        return None
    if top is None or top[1] + PIXEL_HEAD > len(data):
        return None
    return Fit(mould, data, meta[0], top[0], top[1] - PIXEL_HEAD)


@dataclass(slots=True)
class _Layout:
    """Elements in their order. holes: those that move within a series."""

    number: int
    holes: frozenset[int] = frozenset()


class Moulds(Generic[Kept]):
    """The moulds of the series that were read last, each with what is kept beside it."""

    def __init__(self, beside: Callable[[Mould], Kept]) -> None:
        self._beside = beside
        self._moulds: dict[tuple[int, bytes], tuple[Mould, Kept]] = {}  # by layout and series; the one that was used last comes last
        self._layouts: dict[Hashable, _Layout] = {}
        self._numbers = count()
        self.kept_bytes = 0

    def fit(self, handle: int, size: int) -> tuple[Fit, Kept] | None:
        """An open file of `size` bytes in the mould that fits it, if there is one."""
        data = b""
        for key, (mould, kept) in reversed(self._moulds.items()):
            if len(data) < min(size, len(mould.header)):
                data = os.pread(handle, len(mould.header) + SLACK, 0)
            if fit := fitted(mould, data):
                self._moulds[key] = self._moulds.pop(key)
                return fit, kept
        return None

    def learn(self, found: Found) -> tuple[Fit, Kept] | None:
        """Make a mould of a file that none fitted: with the holes that files of its layout had, and where it differs from its series."""
        header = found.header[: found.pixels + PIXEL_HEAD]
        if not header:
            return None
        layout, series = self._layout(found), found.top.element(_SERIES)
        key = layout.number, series[1] if series else b""
        if key in self._moulds:
            layout.holes |= _moving(self._forget(key), found, header)
        if CHARSET in layout.holes or (not found.top.is_explicit and next(iter(found.top.places)) in layout.holes):
            return None  # they were looked at while walking
        mould = _mould(found, header, layout.holes)
        fit = fitted(mould, found.header)
        if fit is None:
            return None
        kept = self._beside(mould)
        self._moulds[key] = mould, kept
        self.kept_bytes += len(header)
        while len(self._moulds) > MOST_MOULDS or self.kept_bytes > MOST_BYTES:
            self._forget(next(iter(self._moulds)))
        return fit, kept

    def _forget(self, key: tuple[int, bytes]) -> Mould:
        mould, _ = self._moulds.pop(key)
        self.kept_bytes -= len(mould.header)
        return mould

    def _layout(self, found: Found) -> _Layout:
        places = found.meta.places | found.top.places
        elements = found.top.is_explicit, tuple(places), tuple(place[0] for place in places.values())
        known = self._layouts.get(elements)
        if known is None:
            if len(self._layouts) >= MOST_LAYOUTS:
                self._layouts.clear()
            known = self._layouts[elements] = _Layout(next(self._numbers))
        return known


def _moving(before: Mould, found: Found, header: bytes) -> set[int]:
    """The elements that differ between two files of a layout."""
    pairs = zip(before.top.places.items(), found.top.places.values(), strict=True)
    return {tag for (tag, was), now in pairs if _whole(before.header, was) != _whole(header, now)}


def _whole(header: bytes, place: Place) -> bytes:
    """An element with what stands between its tag and its value."""
    vr, start, length = place
    return header[start - (8 if vr in LONG_VRS else 4) : start + length]


def _mould(found: Found, header: bytes, holes: Collection[int]) -> Mould:
    first = META + _long(header, META - 4)[0]
    meta = _part(found.meta, header[:first], META, (_SOP_OF_META,))
    return Mould(header, found.top.is_explicit, meta, _part(found.top, header, first, holes))


def _part(walked: Walked, header: bytes, start: int, holes: Collection[int]) -> Part:
    """The part of a header that begins at `start` and ends where the header does."""
    found: list[Hole] = []
    for tag, (vr, value, length) in walked.places.items():
        if tag in holes:
            is_long = not walked.is_explicit or vr in LONG_VRS
            found.append((header[start : value - (4 if is_long else 2)], tag, vr, is_long))
            start = value + length
    return Part(walked.places, tuple(found), header[start:])
