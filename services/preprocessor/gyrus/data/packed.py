"""Voxels of a plain NIfTI file – one volume of little-endian numbers without a scale – as they are stored.

ITK makes 0 of what is no number. Of a compressed file it stops reading at the last voxel, before the checksum (RFC 1952), and fills what
does not inflate with zeros: a flipped bit may leave a stream that inflates to other voxels. So of a plain file it is asked for the geometry
only; of any other it reads, and the file is looked at again (`wholeness`).
"""

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

GZIP: Final = b"\x1f\x8b"
HEADER: Final = 352  # bytes of NIfTI-1 before the first voxel, at least
WINDOW: Final = 31  # wbits: gzip, with its header and checksum
PIECE: Final = 1 << 20
MOST_VOXELS: Final = 2**31
SPOILT: Final[type[Exception]] = isal_zlib.error  # type: ignore[assignment] # its stubs take the class for one of its own
KINDS: Final = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 256: "i1", 512: "<u2", 768: "<u4"}  # NIfTI-1 data types


class Damaged(Exception):
    """A file that does not inflate to what its header and its checksum say."""


def plain_voxels(path: Path, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The voxels of a plain file, in the shape (slices, rows, columns); None of a file of another kind. Raises Damaged, OSError."""
    with path.open("rb") as file:
        if file.read(2) != GZIP:
            return _stored(file, shape)
        file.seek(0)
        inflater = isal_zlib.decompressobj(WINDOW)
        try:
            first = inflater.decompress(file.read(PIECE), PIECE)
            layout = _layout(first, shape)
            if layout is None:
                return None
            kind, offset = layout
            found = np.empty(offset + int(np.prod(shape)) * kind.itemsize, np.uint8)
            _inflate(file, inflater, first, found.data)
        except SPOILT as error:
            raise Damaged(str(error)) from None
    return found[offset:].view(kind).reshape(shape)


def _stored(file: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Of a file that is not compressed."""
    file.seek(0)
    layout = _layout(file.read(HEADER), shape)
    if layout is None:
        return None
    kind, offset = layout
    found: NDArray[Any] = np.fromfile(file, kind, int(np.prod(shape)), offset=offset - HEADER)
    if found.size < int(np.prod(shape)):
        raise Damaged("it is shorter than its header says")
    return found.reshape(shape)


def is_sound(path: Path, needed: int) -> bool:
    """Whether all of a compressed file inflates, its checksum included, and is long enough."""
    found = 0
    try:
        with path.open("rb") as file:
            pending = file.read(PIECE)
            while pending:
                inflater = isal_zlib.decompressobj(WINDOW)  # one for each member
                while not inflater.eof:
                    pending = pending or file.read(PIECE)
                    length = len(inflater.decompress(pending, PIECE))
                    if not (length or pending or inflater.eof):
                        return False
                    found, pending = found + length, inflater.unconsumed_tail
                pending = (inflater.unused_data or file.read(PIECE)).lstrip(b"\0")  # padding is allowed
    except SPOILT:
        return False
    return found >= needed


def _layout(header: bytes, shape: tuple[int, ...]) -> tuple[np.dtype[Any], int] | None:
    """Type and offset of the voxels, if there is one volume of that shape, little-endian and without a scale."""
    if len(header) < HEADER or struct.unpack_from("<i", header)[0] != 348 or header[344:348] != b"n+1\0":
        return None
    dims, code = struct.unpack_from("<8h", header, 40), struct.unpack_from("<h", header, 70)[0]
    offset, slope, intercept = struct.unpack_from("<3f", header, 108)
    lengths = tuple(dims[1 : 1 + dims[0]]) if 3 <= dims[0] <= 7 else ()
    is_one = lengths[:3] == shape[::-1] and all(length <= 1 for length in lengths[3:])
    if code not in KINDS or not is_one or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
        return None
    if slope not in (0.0, 1.0) or intercept != 0.0 or not HEADER <= offset <= PIECE:
        return None
    return np.dtype(KINDS[code]), int(offset)


def _inflate(file: Any, inflater: Any, first: bytes, into: memoryview) -> None:
    """To the end of the stream, where the checksum is compared; what comes after the last voxel is passed over."""
    at, piece = 0, first
    while True:
        end = min(at + len(piece), len(into))
        into[at:end] = piece[: end - at]
        at = end
        if inflater.eof:
            break
        pending = inflater.unconsumed_tail or file.read(PIECE // 4)
        piece = inflater.decompress(pending, PIECE)
        if not (piece or pending or inflater.eof):  # it may still hold voxels when the file has been read
            raise Damaged("it ends before its checksum")
    if at < len(into):
        raise Damaged("it is shorter than its header says")
