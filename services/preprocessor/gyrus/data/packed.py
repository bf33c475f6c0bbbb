"""Voxels of a compressed NIfTI file, inflated once and by their checksum: a flipped bit may leave a stream that inflates to other voxels.

ITK stops reading at the last voxel, before the checksum (RFC 1952), and fills what does not inflate with zeros. So of the plain file – one
volume of little-endian numbers without a scale – it is asked for the geometry only; of any other it reads, and the file is inflated again.
"""

import struct
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

GZIP: Final = b"\x1f\x8b"
WINDOW: Final = 31  # of zlib: gzip, with its header and checksum
PIECE: Final = 1 << 20
MOST_VOXELS: Final = 2**31
KINDS: Final = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 256: "i1", 512: "<u2", 768: "<u4"}  # NIfTI-1 data types


class Damaged(Exception):
    """A file that does not inflate to what its header and its checksum say."""


def plain_voxels(path: Path, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The voxels of a plain file, in the shape (slices, rows, columns); None of a file of another kind. Raises Damaged, OSError."""
    with path.open("rb") as file:
        if file.read(2) != GZIP:
            return None
        file.seek(0)
        inflater = zlib.decompressobj(WINDOW)
        try:
            first = inflater.decompress(file.read(PIECE), PIECE)
            layout = _layout(first, shape)
            if layout is None:
                return None
            kind, offset = layout
            found = np.empty(offset + int(np.prod(shape)) * kind.itemsize, np.uint8)
            _inflate(file, inflater, first, found.data)
        except zlib.error as error:
            raise Damaged(str(error)) from None
    return found[offset:].view(kind).reshape(shape)


def is_sound(path: Path, needed: int) -> bool:
    """Whether all of a compressed file inflates, its checksum included, and is long enough."""
    found = 0
    try:
        with path.open("rb") as file:
            pending = file.read(PIECE)
            while pending:
                inflater = zlib.decompressobj(WINDOW)  # one for each member
                while not inflater.eof:
                    if not pending and not (pending := file.read(PIECE)):
                        return False
                    found += len(inflater.decompress(pending, PIECE))
                    pending = inflater.unconsumed_tail
                pending = (inflater.unused_data or file.read(PIECE)).lstrip(b"\0")  # padding is allowed
    except zlib.error:
        return False
    return found >= needed


def _layout(header: bytes, shape: tuple[int, ...]) -> tuple[np.dtype[Any], int] | None:
    """Type and offset of the voxels, if there is one volume of that shape, little-endian and without a scale."""
    if len(header) < 352 or struct.unpack_from("<i", header)[0] != 348 or header[344:348] != b"n+1\0":
        return None
    dims, code = struct.unpack_from("<8h", header, 40), struct.unpack_from("<h", header, 70)[0]
    offset, slope, intercept = struct.unpack_from("<3f", header, 108)
    lengths = tuple(dims[1 : 1 + dims[0]]) if 3 <= dims[0] <= 7 else ()
    is_one = lengths[:3] == shape[::-1] and all(length <= 1 for length in lengths[3:])
    if code not in KINDS or not is_one or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
        return None
    if slope not in (0.0, 1.0) or intercept != 0.0 or not 352 <= offset <= PIECE:
        return None
    return np.dtype(KINDS[code]), int(offset)


def _inflate(file: Any, inflater: Any, first: bytes, into: memoryview) -> None:
    """To the end of the stream, where zlib compares the checksum; what comes after the last voxel is passed over."""
    at, piece = 0, first
    while True:
        end = min(at + len(piece), len(into))
        into[at:end] = piece[: end - at]
        at = end
        if inflater.eof:
            break
        pending = inflater.unconsumed_tail or file.read(PIECE // 4)
        if not pending:
            raise Damaged("it ends before its checksum")
        piece = inflater.decompress(pending, PIECE)
    if at < len(into):
        raise Damaged("it is shorter than its header says")
