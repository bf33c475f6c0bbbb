"""The image header of classic Siemens files: named entries of text in one block of bytes.

Element: (0029,xx10) OB of "SIEMENS CSA HEADER". Little endian. The newer form starts with `SV10`; the number of entries follows at
byte 8, the first entry at byte 16. The older form has the number at byte 0 and the first entry at byte 8. An entry: name (64 bytes up to
a NUL), multiplicity (u32), VR (4 bytes), a type (u32), number of items (u32), 77 or 205 (u32). An item: four u32, of which the second is
the length of its text (older form: the first, less the number of items of the very first entry), then the text, padded to four bytes.

Seen in real files: the newer form. By description only: the older one.
"""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import number_of

SOURCE = "siemens_csa"
LARGEST_BLOCK = 1 << 20  # bytes; real ones have 11,000
MOST_ENTRIES = 1024  # real ones have 56 to 101

IMAGE_HEADER = Private(0x0029, "SIEMENS CSA HEADER", 0x10, "OB", SOURCE)
_ENTRY = struct.Struct("<I4sIII")  # after the name
_ITEM = struct.Struct("<II8x")
_NAME_LENGTH = 64
_CHECKS = (77, 205)
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


def csa_of(elements: Elements) -> Csa:
    """The entries of an image's header that we use; none where it has no such header."""
    tag = elements.private_tag(IMAGE_HEADER)
    block = elements.raw(tag) if tag is not None else None
    return dict(excerpt(block)) if block else {}


@lru_cache(maxsize=4)
def excerpt(block: bytes) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The entries that we use, and their texts."""
    return tuple((name, tuple(texts)) for name, texts in csa_texts(block, _WANTED).items())


def csa_numbers(csa: Csa, name: str) -> list[float]:
    """The numbers of an entry; none if it is absent, empty or no number."""
    values = [number_of(text) for text in csa.get(name, ())]
    return [value for value in values if value is not None] if None not in values else []


def csa_texts(block: bytes, wanted: frozenset[str]) -> Csa:
    """The wanted entries: name to its texts. A block that contradicts itself gives what was read before."""
    found: Csa = {}
    if len(block) > LARGEST_BLOCK:
        return found
    is_newer = block[:4] == b"SV10"
    offset = 8 if is_newer else 0
    try:
        (count,) = struct.unpack_from("<I", block, offset)
        offset += 8
        base = None if is_newer else _ENTRY.unpack_from(block, offset + _NAME_LENGTH)[3]
        for _ in range(count if 1 <= count <= MOST_ENTRIES else 0):
            name = block[offset : offset + _NAME_LENGTH].split(b"\0", 1)[0].decode("latin-1")
            values, offset = _items(block, offset + _NAME_LENGTH, _length_of(base), keep=name in wanted)
            if name in wanted:
                found[name] = values
    except (struct.error, ValueError):
        pass
    return found


def _length_of(base: int | None) -> Callable[[int, int], int]:
    """How the first two numbers of an item give the length of its text."""
    return (lambda first, second: second) if base is None else (lambda first, second: first - base)


def _items(block: bytes, offset: int, length_of: Callable[[int, int], int], *, keep: bool) -> tuple[list[str], int]:
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
