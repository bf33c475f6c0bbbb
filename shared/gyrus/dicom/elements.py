"""One data set or sequence item, read by tag: raw bytes become plain values here and nowhere else.

pydicom parses the file; its conversion of values is not used, since it costs more than the parsing and raises on what real
writers write. Private elements are found by their creator, never by a fixed block (PS3.5 section 7.8.1).
"""

import re
import struct
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from gyrus.dicom.field import Field, Private
from gyrus.dicom.values import CONVERTERS, Part, Value

SPECIFIC_CHARACTER_SET = 0x00080005
LONGEST_VALUE = 1 << 20  # bytes; a longer value of a field is not one that a person or a rule can use
MOST_ITEMS = 32_768  # of a sequence, so also frames of an object: 20 to 65 kB of memory each while they are read

_DEFAULT_ENCODING, _DEFAULT_TERMS = "iso8859", {"", "ISO IR 6", "ISO 2022 IR 6"}
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_BINARY = {"FD": "d", "FL": "f", "OD": "d", "OF": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_WHOLE_TEXT = {"LT", "ST", "UT", "UR"}  # a backslash is a letter in these
_CHARSET_TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"} | _CHARSET_TEXT


@lru_cache(maxsize=4096)
def _standard_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


class TooLarge(Exception):
    """The header holds more than we are ready to keep in memory, or to store. Its text says what, and names no patient."""


class Notes:
    """What holds for a whole file while it is read: its character set, its sign of pixels, and what was odd."""

    def __init__(self) -> None:
        self.flaws: Counter[str] = Counter()
        self.encodings: list[str] = ["iso8859"]
        self.is_default_charset = True
        self.is_signed = False

    def use_charset(self, terms: Sequence[str]) -> None:
        """Take (0008,0005); `ISO IR 100` and `ISO-IR 100` are repaired to the defined spelling. One that nobody knows is as none."""
        terms = [term.strip() for term in terms]
        try:
            encodings = convert_encodings(terms)
        except LookupError:
            encodings = []
        is_known = bool(encodings) and (encodings[0] != _DEFAULT_ENCODING or _spelled("".join(terms[:1])) in _DEFAULT_TERMS)
        if is_known and any(terms):
            self.encodings, self.is_default_charset = encodings, False

    def decode(self, raw: bytes) -> str:
        """Text of bytes: the declared character set, with a mark for what it does not have; else UTF-8, else Latin-1."""
        if raw.isascii() and b"\x1b" not in raw:
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
            return decode_bytes(raw, self.encodings, {0x0A, 0x0C, 0x0D, 0x09, 0x5C, 0x5E, 0x3D})
        except (UnicodeError, LookupError):
            return None


def _spelled(term: str) -> str:
    return re.sub(r"[ _-]+", " ", term).upper()


class Elements:
    """Tags of one data set or item as plain values. An element that is absent, empty or unreadable is None."""

    def __init__(self, dataset: Dataset, notes: Notes) -> None:
        self._dataset = dataset
        self._present = dataset.keys()
        self._notes = notes
        self._blocks: dict[tuple[int, str], list[int]] | None = None

    def __contains__(self, tag: int) -> bool:
        return tag in self._present

    def tags(self) -> set[int]:
        """All tags that are present."""
        return {int(tag) for tag in self._present}

    def value(self, tag: int, kind: str, name: str = "", vr: str = "") -> Value:
        """The value of one element, or None. `name` is the field that a flaw is counted under; `vr` helps where the file has none."""
        parts = self.parts(tag, vr)
        if not parts:
            return None
        value, flaw = CONVERTERS[kind](parts)
        if flaw and name:
            self._notes.flaws[f"{flaw}:{name}"] += 1
        return value

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
        for block in self._private_blocks().get((place.group, place.creator.upper()), ()):
            tag = place.group << 16 | block << 8 | place.element
            if tag in self._present:
                return tag
        return None

    def raw(self, tag: int) -> bytes | None:
        """The bytes of an element, whatever it is."""
        element = self._dataset.get_item(tag, keep_deferred=True)
        value = None if element is None else element.value
        return bytes(value) if isinstance(value, bytes | bytearray) else None

    def items(self, tag: int) -> list["Elements"]:
        """The items of a sequence; none if it is absent, empty or not a sequence. Raises TooLarge: none is left out silently."""
        if tag not in self._present:
            return []
        try:
            value = self._dataset[tag].value
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a sequence is parsed here, and a parser fed with hostile bytes fails in every way
            self._notes.flaws["value_invalid:sequence"] += 1
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            return []
        if len(value) > MOST_ITEMS:
            raise TooLarge(f"A sequence has {len(value)} items, at most {MOST_ITEMS}.")
        return [Elements(item, self._notes) for item in value if isinstance(item, Dataset)]

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
            if path[0] in self._present:
                value = self._joined(path, field) if field.joined else self.at(path, field.kind, field.name)
                if value is not None and value not in field.empty:
                    return value
        return None

    def _joined(self, path: tuple[int, ...], field: Field) -> Value:
        numbers = [self.at((*path, tag), "number", field.name) for tag in field.joined]
        return None if None in numbers else numbers

    def parts(self, tag: int, vr: str = "") -> Sequence[Part]:
        """The values of an element, as numbers for binary elements and as text for the others."""
        if tag not in self._present:  # most fields of a table are absent: they cost this look, and no more
            return ()
        element = self._dataset.get_item(tag, keep_deferred=True)
        if not isinstance(element, RawDataElement):
            return _parts_of_converted(element.value)
        if not isinstance(element.value, bytes) or not element.value or len(element.value) > LONGEST_VALUE:
            return ()
        known = element.VR if element.VR in _BINARY or element.VR in _TEXT else vr or _standard_vr(tag)
        if known == "US or SS":
            known = "SS" if self._notes.is_signed else "US"
        if known in _BINARY:
            return _unpacked(element.value, _BINARY[known], ">" if not element.is_little_endian else "<")
        return self._texts(element.value, known)

    def _texts(self, raw: bytes, vr: str) -> Sequence[str]:
        decoded = self._notes.decode(raw) if vr in _CHARSET_TEXT else raw.decode("latin-1")
        return [decoded] if vr in _WHOLE_TEXT else decoded.split("\\")

    def _private_blocks(self) -> dict[tuple[int, str], list[int]]:
        """Blocks by group and creator, ascending: some creators reserve several."""
        if self._blocks is None:
            self._blocks = {}
            for tag in sorted(self.tags()):
                if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
                    creator = str(next(iter(self.parts(tag, "LO")), "")).strip(" \0")
                    self._blocks.setdefault((tag >> 16, creator.upper()), []).append(tag & 0xFF)  # old Philips writes its own in capitals
        return self._blocks


def _scaled(value: Value, scale: float) -> Value:
    if scale == 1 or value is None:
        return value
    return [number * scale for number in value] if isinstance(value, list) else value * scale


def _unpacked(raw: bytes, letter: str, order: str) -> Sequence[Part]:
    size = struct.calcsize(letter)
    return struct.unpack_from(f"{order}{len(raw) // size}{letter}", raw)


def _parts_of_converted(value: Any) -> Sequence[Part]:
    """Values of an element that pydicom converted while parsing (file meta, character set)."""
    if value is None or isinstance(value, Dataset | bytes):
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [part if isinstance(part, int | float) else str(part) for part in value if not isinstance(part, Dataset)]
    return [value if isinstance(value, int | float) else str(value)]
