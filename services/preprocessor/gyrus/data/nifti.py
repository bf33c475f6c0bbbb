"""NIfTI-1: the stored voxels of a stack and where they lie (NIfTI-1.1 header, nifti1.h of 2007). Pure but for zlib.

Conventions: axes are RAS. Rows are written from the last to the first, so that a picture stands upright with its first voxel below, as
in files of dcm2niix; columns and slices keep their order. The affine (sform) is exact, shear of a tilted gantry included; the quaternion
(qform) is its nearest rigid form. Directions of diffusion are those of FSL: along the axes of the voxels, x reversed if the affine has
a positive determinant.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
CODES: Final = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
MM_AND_S: Final = 2 | 8
SCANNER: Final = 1
LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0])
LEVEL: Final = 6


@dataclass(frozen=True, eq=False, slots=True)
class Nifti:
    """An image as it is written."""

    voxels: NDArray[Any]  #: (columns, rows, slices) or with volumes as a fourth axis, first axis fastest in the file
    affine: Matrix  #: 3 × 4, voxel indices to mm, RAS
    slope: float = 1.0
    intercept: float = 0.0
    repetition_time_s: float = 0.0  #: between volumes


def affine_of(columns_lps: Matrix, rows: int) -> Matrix:
    """The affine (3 × 4, RAS) of voxels whose rows are turned round; columns_lps: steps of column, row, slice, and origin, 3 × 4, LPS."""
    made = LPS_TO_RAS @ columns_lps
    made[:, 3] += made[:, 1] * (rows - 1)
    made[:, 1] *= -1
    return made


def directions(vectors_lps: Matrix, affine: Matrix) -> Matrix:
    """Unit vectors (n × 3, patient axes LPS) along the axes of the voxels, as FSL wants them; zero stays zero."""
    return signed(vectors_lps @ LPS_TO_RAS @ _rigid(affine), affine)


def signed(vectors: Matrix, affine: Matrix) -> Matrix:
    """Vectors along the axes of the voxels, x reversed if the affine has a positive determinant."""
    turned = vectors.copy()
    if np.linalg.det(affine[:, :3]) > 0:
        turned[:, 0] *= -1
    return turned + 0.0


def as_text(rows: Sequence[Sequence[float]]) -> bytes:
    """Numbers as .bval and .bvec have them: one row a line."""
    return "".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in rows).encode()


def encoded(image: Nifti) -> bytes:
    """The bytes of a .nii.gz; equal images give equal bytes."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    voxels = image.voxels.astype(image.voxels.dtype.newbyteorder("<"), copy=False)
    parts = [packer.compress(_header(image)), packer.compress(voxels.tobytes(order="F")), packer.flush()]
    return b"".join(parts)


def _header(image: Nifti) -> bytes:
    shape, kind = image.voxels.shape, image.voxels.dtype
    steps = np.linalg.norm(image.affine[:, :3], axis=0)
    rigid = _rigid(image.affine)
    qfac = -1.0 if np.linalg.det(rigid) < 0 else 1.0
    sizes = [qfac, *steps, image.repetition_time_s, 0.0, 0.0, 0.0]
    made = bytearray(352)
    struct.pack_into("<i", made, 0, 348)
    struct.pack_into("<8h", made, 40, len(shape), *shape, *(1 for _ in range(7 - len(shape))))
    struct.pack_into("<hh", made, 70, CODES[kind.str[1:]], kind.itemsize * 8)
    struct.pack_into("<8f", made, 76, *sizes)
    struct.pack_into("<fff", made, 108, 352.0, image.slope, image.intercept)
    struct.pack_into("<B", made, 123, MM_AND_S)
    struct.pack_into("<hh", made, 252, SCANNER, SCANNER)
    struct.pack_into("<6f", made, 256, *_quaternion(rigid * [1, 1, qfac]), *image.affine[:, 3])
    struct.pack_into("<12f", made, 280, *image.affine.ravel())
    made[344:348] = b"n+1\0"
    return bytes(made)


def _rigid(affine: Matrix) -> Matrix:
    """The orthogonal matrix nearest to the axes of an affine (polar decomposition); columns are unit axes."""
    left, _, right = np.linalg.svd(affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0))
    nearest: Matrix = left @ right
    return nearest


def _quaternion(rotation: Matrix) -> tuple[float, float, float]:
    """b, c and d of the unit quaternion of a rotation, with a ≥ 0: its eigenvector (Bar-Itzhack 2000)."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    b, c, d, a = np.linalg.eigh(symmetric)[1][:, -1]
    sign = -1.0 if a < 0 else 1.0
    return float(sign * b), float(sign * c), float(sign * d)
