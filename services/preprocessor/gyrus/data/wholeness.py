"""Whether a NIfTI file holds all the voxels that its header announces: what is cut off or damaged, ITK fills with zeros without a word."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Final

from gyrus.data.packed import is_sound

HEADER: Final = 544  # bytes: the longer one, of NIfTI-2


def is_nifti(path: Path) -> bool:
    """By its suffix; `.gz` alone is taken for one too."""
    return path.name.lower().endswith((".nii", ".gz"))


def is_whole(path: Path) -> bool:
    """Whether nothing is missing and, of a compressed file, its checksum is right. A file that is no NIfTI is whole."""
    is_packed = _is_gzip(path)
    try:
        needed = _needed(_first(path, is_packed))
    except (EOFError, OSError, zlib.error):
        return False
    if needed is None:
        return True
    return is_sound(path, needed) if is_packed else path.stat().st_size >= needed


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _first(path: Path, is_packed: bool) -> bytes:
    if not is_packed:
        with path.open("rb") as file:
            return file.read(HEADER)
    with gzip.open(path) as packed:
        return packed.read(HEADER)


def _needed(header: bytes) -> int | None:
    """Bytes up to the last voxel; None of something else."""
    for order in "<>":
        length = struct.unpack_from(f"{order}i", header.ljust(4))[0]
        if length == 348 and header[344:348] == b"n+1\0":
            dims, bits = struct.unpack_from(f"{order}8h", header, 40), int(struct.unpack_from(f"{order}h", header, 72)[0])
            return int(struct.unpack_from(f"{order}f", header, 108)[0]) + _size(dims) * bits // 8
        if length == 540 and header[4:8] == b"n+2\0":
            dims, bits = struct.unpack_from(f"{order}8q", header, 16), int(struct.unpack_from(f"{order}h", header, 14)[0])
            return int(struct.unpack_from(f"{order}q", header, 168)[0]) + _size(dims) * bits // 8
    return None


def _size(dims: tuple[int, ...]) -> int:
    return math.prod(max(1, length) for length in dims[1 : 1 + max(0, min(7, dims[0]))])
