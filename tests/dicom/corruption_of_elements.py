"""Damage that knows where the elements of a header lie: it gets past the first look more often than a flipped byte does.

Explicit little endian only (PS3.5 section 7.1.2); of other headers no element is found, and bytes are damaged anywhere.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from dicom.corruption import AFTER_PREAMBLE, DAMAGES

UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
ITEMS = (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD)
HOW_MANY = (1, 1, 1, 2, 3, 6)  # damages at once
DEEPEST = 6
SHORTEST = AFTER_PREAMBLE + 32  # bytes; what is cut to less is damaged no more

_LENGTHS = (0, 1, 2, 3, 4, 7, 8, 16, 0x7F, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, UNDEFINED)
_VALUES = (b"", b"\0", b"1", b"1 ", b"-0", b"1e309 ", b"nan ", b"1\\2\\3\\", b"\\", b"\xe9\xe8", b"\x1b$B\x1b(B", b"20200230", b"9" * 66)
_CHARSETS = (b"ISO_IR 192", b"ISO_IR 100", b"ISO 2022 IR 87\\ISO 2022 IR 149 ", b"\\ISO 2022 IR 58 ", b"GB18030 ", b"ISO_IR 999")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Spot:
    """An element or an item's mark: the first byte of its head and of its value, and the value's length (as far as it is there)."""

    tag: int
    vr: bytes
    head: int
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def is_inner(self) -> bool:
        """Whether damage here meets what is private, an item, or a sequence."""
        return bool(self.tag >> 16 & 1) or self.tag in ITEMS or self.vr == b"SQ"


@lru_cache(maxsize=4096)
def spots_of(header: bytes) -> tuple[Spot, ...]:
    """All elements and items, as deep as they lie, up to the first sign of something else."""
    return tuple(_spots(header, AFTER_PREAMBLE, len(header), 0))


def _spots(header: bytes, position: int, end: int, depth: int) -> Iterator[Spot]:
    while position + 12 <= end and depth <= DEEPEST:
        group, element, vr, short = struct.unpack_from("<HH2sH", header, position)
        tag, start, length = group << 16 | element, position + 8, short
        if tag in ITEMS:
            vr, length = b"", _LENGTH.unpack_from(header, position + 4)[0]
        elif vr in LONG_VRS:
            start, length = position + 12, _LENGTH.unpack_from(header, position + 8)[0]
        elif not vr.isalpha():
            return
        holds = tag == ITEMS[0] or vr == b"SQ"  # what it holds is found next, whether it has a length or not
        yield Spot(tag, vr, position, start, 0 if length == UNDEFINED else min(length, end - start))
        position = start if holds or length == UNDEFINED else start + length


# ── damages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_length(header: bytearray, spot: Spot, length: int) -> None:
    if spot.start - spot.head == 8 and spot.tag not in ITEMS:
        struct.pack_into("<H", header, spot.head + 6, length & 0xFFFF)
    else:
        _LENGTH.pack_into(header, spot.start - 4, length & UNDEFINED)


def _with_value(header: bytearray, spot: Spot, value: bytes) -> None:
    _write_length(header, spot, len(value))
    header[spot.start : spot.end] = value


def _other_length(rng: random.Random, header: bytearray, spot: Spot) -> None:
    by_chance = (spot.length + rng.randrange(-8, 9), len(header) - spot.start, rng.randrange(1 << 16))
    _write_length(header, spot, rng.choice(_LENGTHS + by_chance))


def _other_value(rng: random.Random, header: bytearray, spot: Spot) -> None:
    values = _CHARSETS if spot.tag == 0x00080005 else _VALUES
    _with_value(header, spot, rng.choice((*values, rng.randbytes(rng.randrange(40)))))


def _longer_or_shorter(rng: random.Random, header: bytearray, spot: Spot) -> None:
    value = bytes(header[spot.start : spot.end])
    _with_value(header, spot, rng.choice((value[:-1], value[:-2], value + b" ", value + b"\0\0", value * 2, value[: len(value) // 2])))


def _other_digits(rng: random.Random, header: bytearray, spot: Spot) -> None:
    for place in range(spot.start, min(spot.end, len(header))):
        if 0x30 <= header[place] <= 0x39:
            header[place] = rng.randrange(0x30, 0x3A)


def _bytes_within(rng: random.Random, header: bytearray, spot: Spot) -> None:
    if spot.length:
        for _ in range(rng.randrange(1, 5)):
            place = min(spot.start + rng.randrange(spot.length), len(header) - 1)
            header[place] = rng.choice((rng.randrange(256), header[place] ^ 1 << rng.randrange(8), 0, 0xFF))


def _numbers_within(rng: random.Random, header: bytearray, spot: Spot) -> None:
    """Of a private block: counts, lengths and tags that are inside the value."""
    if spot.length >= 4:
        place = spot.start + rng.randrange(spot.length // 4) * 4
        _LENGTH.pack_into(header, min(place, len(header) - 4), rng.choice((*_LENGTHS, 0xCD, 0x4D, 1 << 20)))


def _other_vr(rng: random.Random, header: bytearray, spot: Spot) -> None:
    if spot.vr:
        header[spot.head + 4 : spot.head + 6] = rng.choice((b"UN", b"SQ", b"OB", b"LO", b"CS", b"DS", b"US", b"FD", b"UI", b"UT", b"XX"))


def _other_tag(rng: random.Random, header: bytearray, spot: Spot) -> None:
    group, element = spot.tag >> 16, spot.tag & 0xFFFF
    others = ((group, element ^ 1 << rng.randrange(16)), (group ^ 1 << rng.randrange(16), element), (group, element + 0x100))
    others += ((0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD), (0x7FE0, 0x0010), (0x0008, 0x0005), (0x0028, 0x0103), (0x5200, 0x9230))
    struct.pack_into("<HH", header, spot.head, *(part & 0xFFFF for part in rng.choice(others)))


def _removed(rng: random.Random, header: bytearray, spot: Spot) -> None:
    del header[spot.head : spot.end]


def _repeated(rng: random.Random, header: bytearray, spot: Spot) -> None:
    header[spot.end : spot.end] = header[spot.head : spot.end]


def _moved(rng: random.Random, header: bytearray, spot: Spot) -> None:
    element = header[spot.head : spot.end]
    del header[spot.head : spot.end]
    place = min(len(header), max(AFTER_PREAMBLE, spot.head + rng.choice((-8, 0, 8, rng.randrange(-200, 200)))))
    header[place:place] = element


def _mark_before(rng: random.Random, header: bytearray, spot: Spot) -> None:
    header[spot.head : spot.head] = struct.pack("<HHI", 0xFFFE, rng.choice(ITEMS) & 0xFFFF, rng.choice((0, 8, UNDEFINED)))


def _cut_here(rng: random.Random, header: bytearray, spot: Spot) -> None:
    del header[spot.start + rng.randrange(-8, 8) :]


OF_ELEMENTS: tuple[Callable[[random.Random, bytearray, Spot], None], ...] = (
    _other_length, _other_value, _other_value, _longer_or_shorter, _other_digits, _other_digits, _bytes_within, _numbers_within, _other_vr,
    _other_tag, _removed, _removed, _repeated, _moved, _mark_before, _cut_here,
)  # fmt: skip


def damaged_in_every_way(whole: bytes, rng: random.Random) -> bytes:
    """A header with one or several damages, to bytes or elements; every other one meets private elements, items or sequences."""
    header, spots = bytearray(whole), spots_of(whole)
    if rng.random() < 0.5:
        spots = tuple(spot for spot in spots if spot.is_inner) or spots
    for _ in range(rng.choice(HOW_MANY)):
        spot = rng.choice(spots) if spots and rng.random() < 0.9 else None
        if len(header) <= SHORTEST:
            break
        if spot and spot.end <= len(header) and rng.random() < 0.7:  # what an earlier damage moved is not there now: as good a place
            rng.choice(OF_ELEMENTS)(rng, header, spot)
        else:
            place = rng.randrange(spot.head, spot.end + 1) if spot else rng.randrange(AFTER_PREAMBLE, len(header))
            rng.choice(DAMAGES)(rng, header, min(place, len(header) - 1))
    return bytes(header)
