"""What stands where the pixels begin: their offset, their length, and whether the file is long enough to hold them. No pixel is read."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

UNDEFINED = 0xFFFFFFFF
ENCAPSULATED = -1  # the length of pixel data that are cut into fragments

_PIXEL_TAGS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_LONG_VRS = {b"OB", b"OW", b"OF", b"OD", b"OV", b"UN"}
_MOST_FRAGMENTS = 100_000


@dataclass(frozen=True, slots=True)
class PixelsAt:
    """Pixel data from byte `offset` on; `length` in bytes, -1 if encapsulated."""

    offset: int
    length: int
    is_truncated: bool


def pixels_at(file: BinaryIO, position: int, size: int, order: str) -> PixelsAt | None:
    """Read the announcement of the pixel data at `position`. order: `<` or `>`, the byte order of the data set."""
    file.seek(position)
    head = file.read(12)
    if len(head) < 8 or struct.unpack_from(f"{order}HH", head) not in _PIXEL_TAGS:
        return None
    if head[4:6] in _LONG_VRS and len(head) == 12:
        offset, length = position + 12, struct.unpack_from(f"{order}I", head, 8)[0]
    else:
        offset, length = position + 8, struct.unpack_from(f"{order}I", head, 4)[0]
    if length != UNDEFINED:
        return PixelsAt(offset, length, offset + length > size)
    return PixelsAt(offset, ENCAPSULATED, _fragments_break_off(file, offset, size))


def _fragments_break_off(file: BinaryIO, offset: int, size: int) -> bool:
    """Whether a fragment runs past the end of the file. A missing delimiter after whole fragments is forgiven."""
    for _ in range(_MOST_FRAGMENTS):
        file.seek(offset)
        head = file.read(8)
        if len(head) < 8:
            return False
        group, element, length = struct.unpack("<HHI", head)
        if (group, element) != (0xFFFE, 0xE000):
            return False
        offset += 8 + length
        if offset > size:
            return True
    return False
