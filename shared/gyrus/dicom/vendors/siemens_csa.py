"""The image header of classic Siemens files: named entries of text in one block of bytes.

Element: (0029,xx10) OB of "SIEMENS CSA HEADER". Little endian. The newer form starts with `SV10`; the number of entries follows at
byte 8, the first entry at byte 16. The older form has the number at byte 0 and the first entry at byte 8. An entry: name (64 bytes up to
a NUL), multiplicity (u32), VR (4 bytes), a type (u32), number of items (u32), 77 or 205 (u32). An item: four u32, of which the second is
the length of its text (older form: the first, less the number of items of the very first entry), then the text, padded to four bytes.

Seen in real files: the newer form. By description only: the older one.
"""

import contextlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import number_of

SOURCE = "siemens_csa"
LARGEST_BLOCK = 1 << 20  # bytes; real ones have 11,000
MOST_ENTRIES = 1024  # real ones have 56 to 101

_IMAGE_HEADER = Private(0x0029, "SIEMENS CSA HEADER", 0x10, "OB", SOURCE)
_ENTRY = struct.Struct("<I4sIII")  # after the name
_ITEM = struct.Struct("<II8x")
_NAME_LENGTH = 64
_CHECKS = (77, 205)
_NEWER = b"SV10"
_WANTED = frozenset(
    {
        "NumberOfImagesInMosaic",
        "SliceNormalVector",
        "B_value",
        "DiffusionDirectionality",
        "DiffusionGradientDirection",
        "B_matrix",
        "PhaseEncodingDirectionPositive",
        "BandwidthPerPixelPhaseEncode",
        "MosaicRefAcqTimes",
    }
)

Csa = dict[str, Sequence[str]]
LengthOf = Callable[[int, int], int]
Excerpt = tuple[tuple[str, tuple[str, ...]], ...]


def csa_of(elements: Elements) -> Csa:
    """The entries of an image's header that we use; none where it has no such header."""
    tag = elements.private_tag(_IMAGE_HEADER)
    return dict(elements.told(tag, excerpt)) if tag is not None else {}


def excerpt(block: bytes) -> Excerpt:
    """The entries that we use, and their texts."""
    return _frozen(csa_texts(block, _WANTED))


def _frozen(texts: Csa) -> Excerpt:
    return tuple((name, tuple(values)) for name, values in texts.items())


def csa_numbers(csa: Csa, name: str) -> list[float]:
    """The numbers of an entry; none if it is absent, empty or no number."""
    values = [number_of(text) for text in csa.get(name, ())]
    return [value for value in values if value is not None] if None not in values else []


def csa_texts(block: bytes, wanted: frozenset[str]) -> Csa:
    """The wanted entries: name to its texts. A block that contradicts itself gives what was read before."""
    found: Csa = {}
    with contextlib.suppress(struct.error, ValueError):
        for _, name, values in _entries(block, _beginning(block), wanted):
            if name:
                found[name] = values
    return found


class _Entries(NamedTuple):
    """So many entries from an offset on. length_of: how the first two numbers of an item give the length of its text."""

    number: int
    offset: int
    length_of: LengthOf


def _beginning(block: bytes) -> _Entries:
    """The entries that a block announces."""
    if len(block) > LARGEST_BLOCK:
        raise ValueError("too long")
    is_newer = block.startswith(_NEWER)
    offset = 8 if is_newer else 0
    (count,) = struct.unpack_from("<I", block, offset)
    offset += 8
    base = 0 if is_newer else _ENTRY.unpack_from(block, offset + _NAME_LENGTH)[3]
    length_of: LengthOf = (lambda first, second: second) if is_newer else (lambda first, second: first - base)
    return _Entries(count if count <= MOST_ENTRIES else 0, offset, length_of)


def _entries(block: bytes, entries: _Entries, wanted: frozenset[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Of each entry: where the next one starts; of a wanted one its name and texts. Raises where the block contradicts itself."""
    count, offset, length_of = entries
    for _ in range(count):
        name = block[offset : offset + _NAME_LENGTH].split(b"\0", 1)[0].decode("latin-1")
        is_wanted = name in wanted
        values, offset = _items(block, offset + _NAME_LENGTH, length_of, keep=is_wanted)
        yield offset, name if is_wanted else "", values


def _items(block: bytes, offset: int, length_of: LengthOf, *, keep: bool) -> tuple[list[str], int]:
    """The texts of the entry whose numbers are at `offset`, and where the next entry starts."""
    multiplicity, _, _, items, check = _ENTRY.unpack_from(block, offset)
    if check not in _CHECKS:
        raise ValueError("no entry starts here")
    offset += _ENTRY.size
    values = []
    for _ in range(items):
        length = length_of(*_ITEM.unpack_from(block, offset))
        offset += _ITEM.size
        if not 0 <= length <= len(block) - offset:
            raise ValueError("an item runs past its block")
        if keep and length:
            values.append(block[offset : offset + length].split(b"\0", 1)[0].decode("latin-1").strip())
        offset += (length + 3) // 4 * 4
    return [value for value in values if value][: multiplicity or None], offset


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Entries one behind the other: how many, their bytes – none where those change –, and the wanted ones among them."""

    count: int
    content: bytes
    texts: Csa


class Excerpts:
    """Reads the excerpts of the blocks of one series. Entries whose bytes are as they were in the block before are not read again."""

    def __init__(self) -> None:
        self._pieces: list[tuple[bytes, str, list[str]]] = []
        self._moving: set[int] = set()
        self._stretches: list[_Stretch] = []

    def __call__(self, block: bytes) -> Excerpt:
        """The same as `excerpt`."""
        if not block.startswith(_NEWER):
            return excerpt(block)
        found = self._known(block)
        if found is None:
            self._learn(block)
            return excerpt(block)
        return _frozen(found)

    def _known(self, block: bytes) -> Csa | None:
        """The wanted entries; None if others than those that change have changed, or their number has."""
        found: Csa = {}
        with contextlib.suppress(struct.error, ValueError):
            count, offset, length_of = _beginning(block)
            if count != len(self._pieces):
                return None
            for stretch in self._stretches:
                if not stretch.content:
                    for end, name, values in _entries(block, _Entries(stretch.count, offset, length_of), _WANTED):
                        offset = end
                        found |= {name: values} if name else {}
                elif block.startswith(stretch.content, offset):
                    offset += len(stretch.content)
                    found |= stretch.texts
                else:
                    return None
        return found

    def _learn(self, block: bytes) -> None:
        """Take a block as the one before, and what differs between the two as what changes."""
        before, self._pieces = self._pieces, _pieces(block)
        if len(before) != len(self._pieces):
            self._moving = set()
        else:
            self._moving |= {number for number, (one, other) in enumerate(zip(before, self._pieces, strict=True)) if one != other}
        self._stretches = []
        for is_moving, group in groupby(enumerate(self._pieces), lambda piece: piece[0] in self._moving):
            pieces = [piece for _, piece in group]
            content = b"" if is_moving else b"".join(bytes_ for bytes_, _, _ in pieces)
            self._stretches.append(_Stretch(len(pieces), content, {name: values for _, name, values in pieces if name}))


def _pieces(block: bytes) -> list[tuple[bytes, str, list[str]]]:
    """The bytes of each entry, with name and texts of the wanted ones; none of a block that does not end with its last entry, or later."""
    found = []
    try:
        entries = _beginning(block)
        start = entries.offset
        for end, name, values in _entries(block, entries, _WANTED):
            found.append((block[start:end], name, values))
            start = end
    except (struct.error, ValueError):
        return []
    return found if start <= len(block) else []
