"""One data set or sequence item, read by tag: raw bytes become plain values here and nowhere else.

pydicom parses the file; its conversion of values is not used, since it costs more than the parsing and raises on what real
writers write. Private elements are found by their creator, never by a fixed block (PS3.5 section 7.8.1).
"""

import re
import struct
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar, cast

from pydicom.charset import convert_encodings, decode_bytes

from gyrus.dicom.dataset import DataSet
from gyrus.dicom.dictionary import is_creator, standard_vr
from gyrus.dicom.errors import TooLarge, UnusualError
from gyrus.dicom.field import Field, Private, Table
from gyrus.dicom.silence import silence
from gyrus.dicom.values import CONVERTERS, Converted, Part, Value

Told = TypeVar("Told", bound=Hashable)
Blocks = dict[tuple[int, str], list[int]]  # by group and creator, in capitals

SPECIFIC_CHARACTER_SET = 0x00080005
LONGEST_VALUE = 1 << 20  # bytes; a longer value of a field is not one that a person or a rule can use
LONGEST_KEPT = 64  # bytes; longer values are converted anew each time
MOST_ITEMS = 32_768  # of a sequence, so also frames of an object: 20 to 65 kB of memory each while they are read

_DEFAULT_ENCODING, _DEFAULT_TERMS = "iso8859", {"", "ISO IR 6", "ISO 2022 IR 6"}
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_BINARY = {"FD": "d", "FL": "f", "OD": "d", "OF": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_WHOLE_TEXT = {"LT", "ST", "UT", "UR"}  # a backslash is a letter in these
CHARSET_TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"} | CHARSET_TEXT


def is_plain(raw: bytes) -> bool:
    """Whether a text says the same in every character set: no letter beyond ASCII, and no escape to another set."""
    return raw.isascii() and b"\x1b" not in raw


class Notes:
    """What holds for a whole file while it is read: its character set, its sign of pixels, and what was odd."""

    def __init__(self) -> None:
        self.flaws: Counter[str] = Counter()
        self.encodings: list[str] = ["iso8859"]
        self.is_default_charset = True
        self.is_signed = False

    def use_charset(self, terms: Sequence[str]) -> None:
        """Take (0008,0005); `ISO IR 100` and `ISO-IR 100` are repaired to the defined spelling. One that nobody knows is as none."""
        encodings = _encodings_of(tuple(term.strip(" \0") for term in terms))
        if encodings:
            self.encodings, self.is_default_charset = list(encodings), False

    def decode(self, raw: bytes) -> str:
        """Text of bytes: the declared character set, with a mark for what it does not have; else UTF-8, else Latin-1."""
        if is_plain(raw):
            return raw.decode("ascii")
        text = self._declared(raw)
        if text is not None and _REPLACED not in text:
            return text
        self.flaws["charset_fallback"] += 1
        if text is not None and self.encodings[0] != "UTF8":
            return text
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def _declared(self, raw: bytes) -> str | None:
        """The text by the declared set, with a mark where it has no such sign; None if nothing is declared that helps."""
        if self.is_default_charset:
            return None
        try:
            with silence():
                return decode_bytes(raw, self.encodings, {0x0A, 0x0C, 0x0D, 0x09, 0x5C, 0x5E, 0x3D})
        except (UnicodeError, LookupError):
            return None


@lru_cache(maxsize=256)
def _encodings_of(terms: tuple[str, ...]) -> tuple[str, ...]:
    """The encodings of character sets by their defined terms; none where nothing is declared, or nothing that anybody knows."""
    try:
        with silence():
            encodings = convert_encodings(list(terms))
    except (LookupError, ValueError):
        return ()
    is_known = bool(encodings) and (encodings[0] != _DEFAULT_ENCODING or _spelled("".join(terms[:1])) in _DEFAULT_TERMS)
    return tuple(encodings) if is_known and any(terms) else ()


def _spelled(term: str) -> str:
    return re.sub(r"[ _-]+", " ", term).upper()


class Elements:
    """Tags of one data set or item as plain values. An element that is absent, empty or unreadable is None."""

    def __init__(self, dataset: DataSet, notes: Notes) -> None:
        self._dataset = dataset
        self.notes = notes
        self._order = "<" if dataset.is_little_endian else ">"
        self._blocks: Blocks | None = None
        self._sequences: dict[int, list[Elements]] = {}

    def __contains__(self, tag: int) -> bool:
        return tag in self._dataset

    def tags(self) -> Collection[int]:
        """All tags that are present."""
        return self._dataset.tags()

    def value(self, tag: int, kind: str, name: str = "", vr: str = "") -> Value:
        """The value of one element, or None. `name` is the field that a flaw is counted under; `vr` helps where the file has none."""
        element = self._dataset.element(tag)
        if element is None:
            return None
        known, raw = self._vr(tag, element[0], vr), element[1]
        if type(raw) is bytes and _is_short(known, raw):
            value, flaw = _converted(kind, known, raw, self._order)
        else:
            value, flaw = CONVERTERS[kind](self._parts(raw, known))
        if flaw and name:
            self.notes.flaws[f"{flaw}:{name}"] += 1
        return value

    def by_tag(self, table: Table) -> dict[str, Value]:
        """The fields whose own tag has a value here."""
        return self._fields_of(self.tags(), table)

    def sequences(self, table: Table) -> Collection[int]:
        """The tags of sequences that are here and in which a field may have its place."""
        return table.by_sequence.keys() & self.tags()

    def _fields_of(self, tags: Iterable[int], table: Table) -> dict[str, Value]:
        known: dict[str, Value] = {}
        for tag in tags:
            if field := table.by_tag.get(tag):
                value = self.value(tag, field.kind, field.name)
                if value is not None and value not in field.empty:
                    known[field.name] = value
        return known

    def private(self, place: Private, kind: str, name: str = "") -> Value:
        """The value of a private element, or of the part of it that its pattern finds, in the unit of the field."""
        tag = self.private_tag(place)
        if tag is None:
            return None
        if not place.pattern:
            return _scaled(self.value(tag, kind, name, place.vr), place.scale)
        text = "\\".join(str(part) for part in self.parts(tag, place.vr))
        match = re.search(place.pattern, text)
        return CONVERTERS[kind]([match[1]])[0] if match else None

    def private_tag(self, place: Private) -> int | None:
        """The tag at which this data set holds a private element."""
        for block in self.private_blocks().get((place.group, place.creator.upper()), ()):
            tag = place.group << 16 | block << 8 | place.element
            if tag in self._dataset:
                return tag
        return None

    def raw(self, tag: int) -> bytes | None:
        """The bytes of an element, whatever it is."""
        element = self._dataset.element(tag)
        return element[1] if element is not None and isinstance(element[1], bytes) else None

    def told(self, tag: int, reader: Callable[[bytes], Told]) -> Told:
        """What a reader, a pure function, makes of the bytes of an element. It reads what is wanted of a long one."""
        return reader(self.raw(tag) or b"")

    def items(self, tag: int) -> list["Elements"]:
        """The items of a sequence; none if it is absent, empty or not a sequence. Raises TooLarge: none is left out silently."""
        if tag not in self._sequences:
            self._sequences[tag] = self._parsed_items(tag) if tag in self._dataset else []
        return self._sequences[tag]

    def _parsed_items(self, tag: int) -> list["Elements"]:
        try:
            items = [Elements(item, self.notes) for item in islice(self._dataset.items(tag), MOST_ITEMS + 1)]
        except (MemoryError, UnusualError):
            raise
        except Exception:  # noqa: BLE001 - a sequence is parsed here, and a parser fed with hostile bytes fails in every way
            self.notes.flaws["value_invalid:sequence"] += 1
            return []
        if len(items) > MOST_ITEMS:
            raise TooLarge(f"A sequence has more than {MOST_ITEMS} items.")
        return items

    def at(self, path: tuple[int, ...], kind: str, name: str = "") -> Value:
        """The value at the end of a path of sequences, through the first item of each."""
        found: Elements = self
        for tag in path[:-1]:
            items = found.items(tag)
            if not items:
                return None
            found = items[0]
        return found.value(path[-1], kind, name)

    def nested(self, field: Field) -> Value:
        """The first value that a nested place of a field has and that is not empty."""
        for path in field.nested:
            if path[0] in self._dataset:
                value = self._joined(path, field) if field.joined else self.at(path, field.kind, field.name)
                if value is not None and value not in field.empty:
                    return value
        return None

    def _joined(self, path: tuple[int, ...], field: Field) -> Value:
        numbers = [self.at((*path, tag), "number", field.name) for tag in field.joined]
        return None if None in numbers else numbers

    def parts(self, tag: int, vr: str = "") -> Sequence[Part]:
        """The values of an element, as numbers for binary elements and as text for the others."""
        element = self._dataset.element(tag)
        return () if element is None else self._parts(element[1], self._vr(tag, element[0], vr))

    def _vr(self, tag: int, written: str | None, otherwise: str) -> str:
        known = _vr_of(tag, written, otherwise)
        if known == "US or SS":
            return "SS" if self.notes.is_signed else "US"
        return known

    def _parts(self, raw: Any, vr: str) -> Sequence[Part]:
        if not isinstance(raw, bytes):
            return cast(Sequence[Part], raw)
        if not raw or len(raw) > LONGEST_VALUE:
            return ()
        if vr in CHARSET_TEXT:
            decoded = self.notes.decode(raw)
            return [decoded] if vr in _WHOLE_TEXT else decoded.split("\\")
        return _plain_parts(raw, vr, self._order)

    def private_blocks(self) -> Blocks:
        """The blocks that each creator has reserved, ascending: some reserve several (PS3.5 section 7.8.1)."""
        if self._blocks is None:
            self._blocks = {}
            for tag in sorted(filter(is_creator, self.tags())):
                self._blocks.setdefault((tag >> 16, creator_of(self.parts(tag, "LO"))), []).append(tag & 0xFF)
        return self._blocks


def creator_of(parts: Sequence[Part]) -> str:
    """A creator as it is looked for: in capitals, since old Philips writes its own so."""
    return str(next(iter(parts), "")).strip(" \0").upper()


def _vr_of(tag: int, written: str | None, otherwise: str) -> str:
    """The VR that an element is read by: its own, where that is one of a value."""
    return written if written in _BINARY or written in _TEXT else otherwise or standard_vr(tag)


def plain_vr(tag: int, written: str | None, otherwise: str) -> str:
    """The same, and none if it depends on what else stands in the file."""
    vr = _vr_of(tag, written, otherwise)
    return vr if vr in _BINARY or vr in _TEXT else ""


def _is_short(vr: str, raw: bytes) -> bool:  # and says the same in every character set
    return len(raw) <= LONGEST_KEPT and (vr not in CHARSET_TEXT or is_plain(raw))


def plain_value(kind: str, vr: str, raw: bytes, scale: float) -> Converted:
    """A short value that needs no character set, of a little-endian file, times a number; None for any other."""
    value, flaw = _converted(kind, vr, raw, "<") if _is_short(vr, raw) else (None, "")
    return _scaled(value, scale), flaw


@lru_cache(maxsize=1 << 16)
def _converted(kind: str, vr: str, raw: bytes, order: str) -> Converted:
    """A short value, and what was wrong with it; most values of a file were in the file before."""
    if not raw:
        return None, ""
    return CONVERTERS[kind](_plain_parts(raw, vr, order))


def _scaled(value: Value, scale: float) -> Value:
    if scale == 1 or value is None:
        return value
    return [number * scale for number in value] if isinstance(value, list) else value * scale


def _plain_parts(raw: bytes, vr: str, order: str) -> Sequence[Part]:
    """The values of an element that needs no character set."""
    if vr in _BINARY:
        letter = _BINARY[vr]
        return struct.unpack_from(f"{order}{len(raw) // struct.calcsize(letter)}{letter}", raw)
    text = raw.decode("latin-1")
    return [text] if vr in _WHOLE_TEXT else text.split("\\")
