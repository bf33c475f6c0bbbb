"""Voxels of a plain NIfTI file – one volume of little-endian numbers without a scale – as they are stored.

ITK makes 0 of what is no number. Of a compressed file it stops reading at the last voxel, before the checksum (RFC 1952), and fills what
does not inflate with zeros: a flipped bit may leave a stream that inflates to other voxels. So of a plain file it is asked for the geometry
only; of any other it reads, and the file is looked at again (`wholeness`).
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from gyrus.data.nifti_header import LONGEST, header_of

GZIP: Final = b"\x1f\x8b"
WINDOW: Final = 31  # wbits: gzip, with its header and checksum
PIECE: Final = 1 << 20
MOST_VOXELS: Final = 2**31
SPOILT: Final[type[Exception]] = isal_zlib.error  # type: ignore[assignment] # its stubs take the class for one of its own


class Damaged(Exception):
    """A file that does not inflate to what its header and its checksum say."""


def plain_voxels(path: Path, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The voxels of a plain file, in the shape (slices, rows, columns); None of a file of another kind. Raises Damaged, OSError."""
    with path.open("rb") as file:
        if file.read(len(GZIP)) != GZIP:
            return _stored(file, shape)
        pieces = _inflated(file)
        first = b""
        while len(first) < LONGEST and (piece := next(pieces, b"")):
            first += piece
        layout = _layout(first, shape)
        if layout is None:
            return None
        kind, offset = layout
        found = np.empty(offset + int(np.prod(shape)) * kind.itemsize, np.uint8)
        _fill(found.data, chain([first], pieces))
    return found[offset:].view(kind).reshape(shape)


def _stored(file: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Of a file that is not compressed."""
    file.seek(0)
    layout = _layout(file.read(LONGEST), shape)
    if layout is None:
        return None
    kind, offset = layout
    file.seek(offset)
    found: NDArray[Any] = np.fromfile(file, kind, int(np.prod(shape)))
    if found.size < int(np.prod(shape)):
        raise Damaged("it is shorter than its header says")
    return found.reshape(shape)


def is_sound(path: Path, needed: int) -> bool:
    """Whether all of a compressed file inflates, its checksums included, and is long enough."""
    try:
        with path.open("rb") as file:
            return sum(map(len, _inflated(file))) >= needed
    except Damaged:
        return False


def _inflated(file: Any) -> Iterator[bytes]:
    """Piece by piece to its end; the checksum of each member is compared. What comes after the last one is passed over, as by gzip.

    Several members are one file (RFC 1952 section 2.2): bgzip writes them. Raises Damaged.
    """
    try:
        pending = GZIP
        file.seek(len(GZIP))
        while pending.startswith(GZIP):
            inflater = isal_zlib.decompressobj(WINDOW)
            while not inflater.eof:
                pending = pending or file.read(PIECE // 4)
                piece = inflater.decompress(pending, PIECE)
                if not (piece or pending or inflater.eof):  # it may still hold voxels when the file has been read
                    raise Damaged("it ends before its checksum")
                pending = inflater.unconsumed_tail
                if piece:
                    yield piece
            pending = inflater.unused_data
            pending += file.read(len(GZIP)) if len(pending) < len(GZIP) else b""
    except SPOILT as error:
        raise Damaged(str(error)) from None


def _layout(beginning: bytes, shape: tuple[int, ...]) -> tuple[np.dtype[Any], int] | None:
    """Type and offset of the voxels, if there is one volume of that shape, little-endian and without a scale."""
    said = header_of(beginning)
    if said is None or (said.version, said.order) != (1, "<") or (kind := said.kind) is None:
        return None
    is_one = said.lengths[:3] == shape[::-1] and set(said.lengths[3:]) <= {1}
    if not is_one or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
        return None
    if (said.has_scale and said.scale != (1.0, 0.0)) or not said.first <= said.offset <= PIECE:
        return None
    return kind, int(said.offset)


def _fill(into: memoryview, pieces: Iterable[bytes]) -> None:
    """With the beginning of what comes; the rest is compared with its checksum too. Raises Damaged."""
    at = 0
    for piece in pieces:
        end = min(at + len(piece), len(into))
        into[at:end] = piece[: end - at]
        at = end
    if at < len(into):
        raise Damaged("it is shorter than its header says")
