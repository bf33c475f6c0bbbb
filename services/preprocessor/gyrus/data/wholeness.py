"""Whether a NIfTI file holds what its header announces: where it does not, ITK goes on without a word.

What is cut off or damaged it fills with zeros, of what is no number it makes 0, and of a step of 0 mm it makes 1 mm.
"""

import gzip
import math
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from gyrus.data.nifti_header import FIRST_VOXEL, LONGEST, Header, header_of
from gyrus.data.packed import GZIP, is_sound

PAIR: Final = (".img", ".hdr")
SAME_STEP: Final = 0.01  # of the step
PIECE: Final = 1 << 20


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
    if said is None or (kind := said.kind) is None or kind.kind != "f":
        return True
    each, n = math.prod(said.lengths[:3]) * kind.itemsize, math.prod(said.lengths[3:])
    with _opened(_one_of(path, ".img")) as file:
        file.seek(int(said.offset) + volume % n * each)
        pieces = (file.read(min(PIECE, each - at)) for at in range(0, each, PIECE))
        return all(bool(np.isfinite(np.frombuffer(piece, kind)).all()) for piece in pieces)


def is_second(path: Path) -> bool:
    """Whether a file is NIfTI-2, which ITK does not read."""
    with suppress(EOFError, OSError, zlib.error):
        said = _announced(path)
        return said is not None and said.version == 2
    return False


def inflates(path: Path) -> bool:
    """Whether a file, if it is compressed, inflates to its end."""
    return not _is_gzip(path) or is_sound(path, 0)


def added_to(path: Path) -> tuple[float, "np.dtype[np.generic]"] | None:
    """What ITK adds to the voxels of a whole file that has no scale, and their type: it takes the intercept without the slope."""
    said = _announced(path)
    if said is None or said.has_scale or said.kind is None or not math.isfinite(said.scale[1]) or not said.scale[1]:
        return None
    return said.scale[1], said.kind.newbyteorder("=")


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
        return file.read(2) == GZIP


def _opened(path: Path) -> BinaryIO:
    """Its bytes, inflated where they are compressed."""
    return cast("BinaryIO", gzip.open(path)) if _is_gzip(path) else path.open("rb")


def _one_of(path: Path, suffix: str) -> Path:
    """The header or the voxels of a pair; the file itself, where it has both."""
    return path.with_suffix(suffix) if path.suffix.lower() in PAIR else path


def _announced(path: Path) -> Header | None:
    """The header of a NIfTI file; None of something else. Raises EOFError, OSError, zlib.error for one that does not inflate."""
    path = _one_of(path, ".hdr")
    with _opened(path) as file:
        return header_of(file.read(LONGEST), 0 if path.suffix.lower() in PAIR else FIRST_VOXEL)
