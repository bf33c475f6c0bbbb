"""What the header of a NIfTI file says of its voxels (nifti1.h, nifti2.h). Pure."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gyrus.data.nifti import CODES

LONGEST: Final = 544  # bytes, of NIfTI-2
FIRST_VOXEL: Final = 352  # bytes; no voxel of a file that holds its header comes before
KINDS: Final = {code: kind for kind, code in CODES.items()}
FIELDS: Final[Mapping[int, Mapping[str, tuple[str, int]]]] = {  # form and place, by version
    1: {
        "dims": ("8h", 40),
        "code": ("h", 70),
        "bits": ("h", 72),
        "pixdim": ("4f", 76),
        "offset": ("f", 108),
        "scale": ("2f", 112),
        "forms": ("2h", 252),
        "sform": ("12f", 280),
    },
    2: {
        "dims": ("8q", 16),
        "code": ("h", 12),
        "bits": ("h", 14),
        "pixdim": ("4d", 104),
        "offset": ("q", 168),
        "scale": ("2d", 176),
        "forms": ("2i", 344),
        "sform": ("12d", 400),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a header says of the voxels."""

    version: int  #: of NIfTI; Analyze counts as 1
    order: str  #: of bytes: < or >
    lengths: tuple[int, ...]
    code: int  #: of the type
    bits: int
    offset: float  #: of the first voxel, bytes
    first: int  #: where it may lie at the earliest
    scale: tuple[float, float]  #: slope and intercept as they are written
    steps_mm: tuple[float, ...]  #: along the first three axes, in the unit of the file
    sform_mm: tuple[float, ...]  #: the same by the sform, where that alone says where voxels lie

    @property
    def kind(self) -> "np.dtype[np.generic] | None":
        """The type of whole and real numbers; None of others."""
        return np.dtype(self.order + KINDS[self.code]) if self.code in KINDS else None

    @property
    def has_scale(self) -> bool:
        """Whether the slope is one: with one of 0 the voxels are what is stored, whatever the intercept (nifti1.h)."""
        return math.isfinite(self.scale[0]) and self.scale[0] != 0


def header_of(beginning: bytes, first: int = FIRST_VOXEL) -> Header | None:
    """The header with which a file begins; None of something else.

    first: where its first voxel may lie; 0 where that is another file: such a header need not bear the magic word (Analyze).
    """
    beginning = beginning[:LONGEST].ljust(LONGEST, b"\0")
    for order in "<>":
        length = struct.unpack_from(f"{order}i", beginning)[0]
        if length == 348 and (first == 0 or beginning[344:348] == b"n+1\0"):
            return _read(beginning, order, 1, first)
        if length == 540 and beginning[4:8] == b"n+2\0":
            return _read(beginning, order, 2, FIRST_VOXEL)
    return None


def _read(header: bytes, order: str, version: int, first: int) -> Header:
    said = {name: struct.unpack_from(order + form, header, at) for name, (form, at) in FIELDS[version].items()}
    n = max(0, min(7, said["dims"][0]))
    is_alone = bool(first) and said["forms"][1] > 0 and said["forms"][0] <= 0
    columns = np.linalg.norm(np.reshape(said["sform"], (3, 4))[:, :3], axis=0) if is_alone else ()
    return Header(
        version=version,
        order=order,
        lengths=tuple(max(1, int(length)) for length in said["dims"][1 : 1 + n]),
        code=said["code"][0],
        bits=said["bits"][0],
        offset=said["offset"][0],
        first=first,
        scale=said["scale"],
        steps_mm=said["pixdim"][1:],
        sform_mm=tuple(map(float, columns)),
    )
