"""Whether a NIfTI file holds what its header announces: where it does not, ITK goes on without a word.

What is cut off or damaged it fills with zeros, of what is no number it makes 0, and of a step of 0 mm it makes 1 mm.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gyrus.data.packed import is_sound

HEADER: Final = 544  # bytes: the longer one, of NIfTI-2
FIELDS: Final[Mapping[int, Mapping[str, tuple[str, int]]]] = {  # form and place, by version (nifti1.h, nifti2.h)
    1: {
        "dims": ("8h", 40),
        "code": ("h", 70),
        "bits": ("h", 72),
        "pixdim": ("4f", 76),
        "offset": ("f", 108),
        "forms": ("2h", 252),
        "sform": ("12f", 280),
    },
    2: {
        "dims": ("8q", 16),
        "code": ("h", 12),
        "bits": ("h", 14),
        "pixdim": ("4d", 104),
        "offset": ("q", 168),
        "forms": ("2i", 344),
        "sform": ("12d", 400),
    },
}
FIRST_VOXEL: Final = 352  # bytes; no voxel comes before
PAIR: Final = (".img", ".hdr")
FLOATS: Final = {16: "f4", 64: "f8"}  # codes of types
SAME_STEP: Final = 0.01  # of the step
PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Announced:
    """What a header says of the voxels."""

    order: str  #: of bytes
    lengths: tuple[int, ...]
    code: int  #: of the type
    bits: int
    offset: float  #: of the first voxel, bytes
    first: int  #: where it may lie at the earliest
    steps_mm: tuple[float, ...]  #: along the first three axes, in the unit of the file
    sform_mm: tuple[float, ...]  #: the same by the sform, where that alone says where voxels lie


def is_nifti(path: Path) -> bool:
    """By its suffix; `.gz` alone is taken for one too, and so is the pair of files that Analyze had."""
    return path.name.lower().endswith((".nii", ".gz", *PAIR))


def is_whole(path: Path) -> bool:
    """Whether nothing is missing and, of a compressed file, its checksum is right. A file that is no NIfTI is whole."""
    try:
        said = _announced(path)
    except (EOFError, OSError, zlib.error):
        return False
    if said is None:
        return True
    if not (math.isfinite(said.offset) and said.offset >= said.first):
        return False
    needed, voxels = int(said.offset) + math.prod(said.lengths) * said.bits // 8, _one_of(path, ".img")
    return is_sound(voxels, needed) if _is_gzip(voxels) else voxels.stat().st_size >= needed


def is_finite(path: Path, volume: int) -> bool:
    """Whether all stored numbers of one volume (from 0, or from -1 backwards) of a whole file are finite."""
    said = _announced(path)
    if said is None or said.code not in FLOATS:
        return True
    kind = np.dtype(said.order + FLOATS[said.code])
    each, n = math.prod(said.lengths[:3]) * kind.itemsize, math.prod(said.lengths[3:])
    voxels = _one_of(path, ".img")
    with gzip.open(voxels) if _is_gzip(voxels) else voxels.open("rb") as file:
        file.seek(int(said.offset) + volume % n * each)
        pieces = (file.read(min(PIECE, each - at)) for at in range(0, each, PIECE))
        return all(bool(np.isfinite(np.frombuffer(piece, kind)).all()) for piece in pieces)


def odd_steps(path: Path) -> str | None:
    """What is wrong with the steps between voxels: ITK takes pixdim, makes 1 mm of 0, and passes over an sform that says other steps.

    With a qform too, the sform may be of another space (a template's), and is not compared.
    """
    with suppress(EOFError, OSError, zlib.error):
        said = _announced(path)
        if said is None:
            return None
        asked = [axis for axis, length in enumerate(said.lengths[:3]) if length > 1]
        if not all(math.isfinite(said.steps_mm[axis]) and said.steps_mm[axis] > 0 for axis in asked):
            return f"the steps between voxels (pixdim) are {_listed(said.steps_mm)}"
        if said.sform_mm and not all(math.isclose(said.steps_mm[axis], said.sform_mm[axis], rel_tol=SAME_STEP) for axis in asked):
            return f"the steps between voxels are {_listed(said.steps_mm)} by pixdim, {_listed(said.sform_mm)} by the sform"
    return None


def _listed(steps: Iterable[float]) -> str:
    return " x ".join(f"{step:g}" for step in steps)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _one_of(path: Path, suffix: str) -> Path:
    """The header or the voxels of a pair; the file itself, where it has both."""
    return path.with_suffix(suffix) if path.suffix.lower() in PAIR else path


def _announced(path: Path) -> Announced | None:
    """The header of a NIfTI file; None of something else. Raises EOFError, OSError, zlib.error for one that does not inflate."""
    path = _one_of(path, ".hdr")
    with gzip.open(path) if _is_gzip(path) else path.open("rb") as file:
        header = file.read(HEADER).ljust(HEADER, b"\0")
    is_pair = path.suffix.lower() in PAIR  # one of Analyze bears no magic word
    for order in "<>":
        length = struct.unpack_from(f"{order}i", header)[0]
        if length == 348 and (is_pair or header[344:348] == b"n+1\0"):
            return _read(header, order, FIELDS[1], 0 if is_pair else FIRST_VOXEL)
        if length == 540 and header[4:8] == b"n+2\0":
            return _read(header, order, FIELDS[2], FIRST_VOXEL)
    return None


def _read(header: bytes, order: str, fields: Mapping[str, tuple[str, int]], first: int) -> Announced:
    said = {name: struct.unpack_from(order + form, header, at) for name, (form, at) in fields.items()}
    n = max(0, min(7, said["dims"][0]))
    lengths = tuple(max(1, int(length)) for length in said["dims"][1 : 1 + n])
    is_alone = bool(first) and said["forms"][1] > 0 and said["forms"][0] <= 0
    columns = np.linalg.norm(np.reshape(said["sform"], (3, 4))[:, :3], axis=0) if is_alone else ()
    (code,), (bits,), (offset,) = said["code"], said["bits"], said["offset"]
    return Announced(order, lengths, code, bits, offset, first, said["pixdim"][1:], tuple(map(float, columns)))
