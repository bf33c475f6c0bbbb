"""A quick walk through the header of an ordinary file: where each element lies, without a look at what it means.

It takes what PS3.10 section 7 and PS3.5 section 7 call well-formed, in little endian: preamble, file meta with its length, tags ascending,
known VRs, lengths that end within the file, undefined lengths only of sequences, pixels at the end. At the first sign of anything else it
raises UnusualError, and pydicom reads the file. So it may be strict: a guard too many costs time, never a value.
"""

import os
import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

from gyrus.dicom.dictionary import standard_vr
from gyrus.dicom.errors import UnusualError

WINDOW = 1 << 14  # bytes that are read at once
LONGEST_KEPT = 1 << 18  # bytes; of longer headers elements that are not wanted are jumped over
UNDEFINED = 0xFFFFFFFF
DEEPEST = 8  # sequences within sequences
META = 144  # where the file meta begins, behind its length
CHARSET = 0x00080005

Read = Callable[[int, int], bytes]
Place = tuple[str | None, int, int]  # VR (None in implicit files), first byte of the value, its length

_LITTLE_EXPLICIT = "1.2.840.10008.1.2.1"
_IMPLICIT = "1.2.840.10008.1.2"
_ENCAPSULATED = "1.2.840.10008.1.2.4."  # JPEG, JPEG-LS, JPEG 2000, HTJ2K, MPEG
_RLE = "1.2.840.10008.1.2.5"
_SYNTAX = 0x00020010
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

# PS3.5 table 7.1-1 and 7.1-2: these have a length of 4 bytes behind 2 reserved ones, the others one of 2 bytes.
LONG_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_SHORT_VRS = frozenset(
    ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US")
)
_VRS = {vr.encode(): (vr, vr in LONG_VRS) for vr in LONG_VRS | _SHORT_VRS}

_explicit = struct.Struct("<HH2sH").unpack_from
_implicit = struct.Struct("<HHI").unpack_from
_length = struct.Struct("<I").unpack_from


@dataclass(slots=True)
class Walked:
    """The elements of a data set or item: where they lie."""

    places: dict[int, Place]
    read: Read
    is_explicit: bool
    is_little_endian: ClassVar[bool] = True

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def tags(self) -> Collection[int]:
        """All tags."""
        return self.places.keys()

    def element(self, tag: int) -> tuple[str | None, bytes] | None:
        """VR and bytes of an element, or None."""
        place = self.places.get(tag)
        return (place[0], self.read(place[1], place[2])) if place else None

    def items(self, tag: int) -> Iterator["Walked"]:
        """The items of a sequence."""
        vr, start, length = self.places[tag]
        return items_of(vr, self.read(start, length), self.is_explicit)


class _Piece:
    """Bytes in memory that are read like a file."""

    def __init__(self, data: bytes) -> None:
        self.data, self.base, self.size = data, 0, len(data)

    def at(self, position: int, count: int) -> int:
        """The index in `data` from which `count` bytes lie. Raises UnusualError where there are not so many."""
        if position + count > self.size:
            raise UnusualError("cut")
        return position

    def read(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]


class _File:
    """The beginning of a file, which grows as it is read, and behind `LONGEST_KEPT` a window that moves."""

    def __init__(self, handle: int, size: int) -> None:
        self._handle, self.size = handle, size
        self.data, self.base = os.pread(handle, WINDOW, 0), 0
        self._before: list[tuple[int, bytes]] = []

    def at(self, position: int, count: int) -> int:
        """The index in `data` from which `count` bytes lie; more is read where they are not in it."""
        index = position - self.base
        if 0 <= index <= len(self.data) - count:
            return index
        if self.base == 0 and position + count <= LONGEST_KEPT:
            self.data += os.pread(self._handle, max(position + count, 4 * len(self.data)) - len(self.data), len(self.data))
        else:
            self._before.append((self.base, self.data))
            self.data, self.base = os.pread(self._handle, WINDOW, position), position
        if len(self.data) < position - self.base + count:
            raise UnusualError("cut")
        return position - self.base

    def read(self, start: int, length: int) -> bytes:
        index = start - self.base
        if 0 <= index <= len(self.data) - length:
            return self.data[index : index + length]
        for base, data in self._before:
            if base <= start <= base + len(data) - length:
                return data[start - base : start - base + length]
        value = os.pread(self._handle, length, start)
        if len(value) < length:
            raise UnusualError("cut")
        return value


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. pixels: where their announcement begins. header: the bytes up to there and somewhat further, if they are few."""

    meta: Walked
    top: Walked
    pixels: int
    header: bytes


def walk(handle: int, size: int) -> Found:
    """The elements of an open file of `size` bytes. Raises UnusualError."""
    file = _File(handle, size)
    meta, start = _meta(file)
    is_explicit = _is_explicit(meta)
    look = file.at(start, 12)
    if not is_explicit and file.data[look + 4 : look + 6] in _VRS:
        raise UnusualError("syntax_contradicted")
    places, pixels = _top(file, start, is_explicit)
    top = Walked(places, file.read, is_explicit)
    charset = top.element(CHARSET)
    if charset is not None:
        _check_charset(*charset)
    return Found(meta, top, pixels, file.data if file.base == 0 else b"")


def _meta(file: _File) -> tuple[Walked, int]:
    """The file meta, whose length must be right to the byte, and where it ends (PS3.10 section 7.1)."""
    file.at(0, META)
    if file.data[128:132] != b"DICM":
        raise UnusualError("no_preamble")
    if _explicit(file.data, 132) != (2, 0, b"UL", 4):
        raise UnusualError("no_meta_length")
    end = META + _length(file.data, META - 4)[0]
    if end > min(file.size, WINDOW):
        raise UnusualError("meta_length")
    places, _ = _item(_Piece(file.data[:end]), META, end - META, is_explicit=True, depth=0)
    if any(tag >> 16 != 2 for tag in places) or _SYNTAX not in places:
        raise UnusualError("meta")
    return Walked(places, file.read, is_explicit=True), end


def _is_explicit(meta: Walked) -> bool:
    found = meta.element(_SYNTAX)
    syntax = found[1].rstrip(b"\0 ").decode("latin-1") if found and found[0] == "UI" else ""
    if syntax == _IMPLICIT:
        return False
    if syntax in (_LITTLE_EXPLICIT, _RLE) or syntax.startswith(_ENCAPSULATED):
        return True
    raise UnusualError("transfer_syntax")


def _top(file: _File, position: int, is_explicit: bool) -> tuple[dict[int, Place], int]:
    """The elements of the top level, and where the pixels are announced."""
    places: dict[int, Place] = {}
    last = 0x0007FFFF
    while True:
        tag, vr, start, length = _head(file, position, is_explicit)
        if tag >= _PIXELS[0]:
            break
        if tag <= last:
            raise UnusualError("order")
        last = tag
        position = _end_of_sequence(file, start, (tag, vr), is_explicit, 1) if length == UNDEFINED else start + length
        if position > file.size:
            raise UnusualError("length")
        places[tag] = (vr, start, position - start)
    if tag not in _PIXELS:
        raise UnusualError("after_pixels")
    return places, position


def _head(source: _File | _Piece, position: int, is_explicit: bool) -> tuple[int, str | None, int, int]:
    """Tag, VR, start and length of the value of the element at a position."""
    index = source.at(position, 8)
    if not is_explicit:
        group, element, length = _implicit(source.data, index)
        return group << 16 | element, None, position + 8, length
    group, element, letters, length = _explicit(source.data, index)
    known = _VRS.get(letters)
    if known is None:
        if group == 0xFFFE:
            return group << 16 | element, None, position + 8, _length(source.data, index + 4)[0]
        raise UnusualError("vr")
    if known[1]:
        index = source.at(position, 12)
        return group << 16 | element, known[0], position + 12, _length(source.data, index + 8)[0]
    return group << 16 | element, known[0], position + 8, length


def _end_of_sequence(source: _File | _Piece, position: int, what: tuple[int, str | None], is_explicit: bool, depth: int) -> int:
    """Where a sequence of undefined length ends, behind its delimiter (PS3.5 section 7.5.2). Its items are walked through.

    what: tag and VR; in implicit files only the dictionary knows what is a sequence.
    """
    tag, vr = what
    if (vr or standard_vr(tag)) != "SQ" or depth > DEEPEST:
        raise UnusualError("undefined_length")
    while True:
        tag, length = _delimiter(source, position)
        position += 8
        if tag == _SEQUENCE_END and length == 0:
            return position
        if tag != _ITEM:
            raise UnusualError("delimiter")
        _, position = _item(source, position, length, is_explicit, depth)


def _item(source: _File | _Piece, position: int, length: int, is_explicit: bool, depth: int) -> tuple[dict[int, Place], int]:
    """The elements of an item, or of the file meta, and where it ends; behind its delimiter if its length is undefined."""
    end = source.size if length == UNDEFINED else position + length
    if end > source.size:
        raise UnusualError("length")
    places: dict[int, Place] = {}
    last = -1
    while length == UNDEFINED or position < end:
        tag, vr, start, size = _head(source, position, is_explicit)
        if tag == _ITEM_END and length == UNDEFINED and size == 0:
            return places, start
        if tag <= last or tag >> 16 >= 0xFFFC:
            raise UnusualError("order")
        if tag == CHARSET and size != UNDEFINED:
            _check_charset(vr, source.read(start, size))
        last = tag
        position = _end_of_sequence(source, start, (tag, vr), is_explicit, depth + 1) if size == UNDEFINED else start + size
        if position > end:
            raise UnusualError("length")
        places[tag] = (vr, start, position - start)
    return places, position


def _check_charset(vr: str | None, value: bytes) -> None:
    """A character set is asked for while a file is parsed, so one that is no text changes what follows (PS3.3 C.12.1.1.2)."""
    text = value.rstrip(b"\0 ")
    if vr not in ("CS", None) or not text.isascii() or not text.decode("ascii").isprintable():
        raise UnusualError("charset")


def _delimiter(source: _File | _Piece, position: int) -> tuple[int, int]:
    index = source.at(position, 8)  # before `data`, which it may replace
    group, element, length = _implicit(source.data, index)
    return group << 16 | element, length


def end_in(data: bytes, start: int, what: tuple[int, str | None], is_explicit: bool) -> int:
    """Where a sequence of undefined length at the top level ends, whose items begin at `start` of `data`. Raises UnusualError."""
    return _end_of_sequence(_Piece(data), start, what, is_explicit, 1)


def items_of(vr: str | None, value: bytes, is_explicit: bool) -> Iterator[Walked]:
    """The items in the bytes of a sequence, whose delimiter may be among them. Raises UnusualError."""
    if vr not in ("SQ", None):
        raise UnusualError("sequence_vr")
    piece, position = _Piece(value), 0
    while position < piece.size:
        tag, length = _delimiter(piece, position)
        position += 8
        if tag == _SEQUENCE_END and length == 0 and position == piece.size:
            return
        if tag != _ITEM:
            raise UnusualError("delimiter")
        places, position = _item(piece, position, length, is_explicit, 1)
        yield Walked(places, piece.read, is_explicit)
