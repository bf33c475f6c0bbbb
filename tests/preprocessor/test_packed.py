"""Compressed voxels are inflated as they are, wherever the pieces in which they are read begin and end."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from gyrus.data import packed
from gyrus.data.nifti_header import FIRST_VOXEL

sitk: Any = SimpleITK
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 24), st.integers(1, 24))
DEEPEST = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packed")


def written(folder: Path, values: np.ndarray, level: int) -> Path:
    """A compressed file of these voxels."""
    sitk.WriteImage(sitk.GetImageFromArray(values), str(folder / "x.nii"))
    path = folder / "x.nii.gz"
    path.write_bytes(gzip.compress((folder / "x.nii").read_bytes(), level))
    return path


@given(SHAPES, st.integers(0, DEEPEST), st.integers(0, 9), st.integers(400, 5000), st.integers(0, 99))
def test_every_voxel_is_read_whatever_the_file_is_compressed_to(
    folder: Path, shape: tuple[int, int, int], depth: int, level: int, piece: int, seed: int
) -> None:
    """depth: bits of the noise in them, from nothing at all to hardly compressible."""
    values = np.random.default_rng(seed).integers(0, 1 << depth, shape).astype(np.int16)
    path = written(folder, values, level)

    with patch.object(packed, "PIECE", piece):
        found = packed.plain_voxels(path, shape)
        needed = FIRST_VOXEL + values.nbytes

        assert found is not None and np.array_equal(found, values)
        assert packed.is_sound(path, needed) and not packed.is_sound(path, needed + 1)


@given(SHAPES, st.integers(0, DEEPEST), st.integers(1, 40), st.integers(400, 5000))
def test_a_file_that_lacks_its_last_bytes_is_damaged(folder: Path, shape: tuple[int, int, int], depth: int, lacks: int, piece: int) -> None:
    values = np.random.default_rng(depth).integers(0, 1 << depth, shape).astype(np.int16)
    path = written(folder, values, 6)
    path.write_bytes(path.read_bytes()[:-lacks])

    with patch.object(packed, "PIECE", piece):
        assert not packed.is_sound(path, 0)
        try:
            found = packed.plain_voxels(path, shape)
        except packed.Damaged:
            return
        assert found is None  # not even a header was left


@given(
    SHAPES,
    st.integers(0, DEEPEST),
    st.lists(st.integers(0, 3000), max_size=6),
    st.integers(400, 5000),
    st.sampled_from([b"", b"\0" * 9, b"x"]),
)
def test_a_file_of_several_members_is_one_file_wherever_they_end(
    folder: Path, shape: tuple[int, int, int], depth: int, ends: list[int], piece: int, after: bytes
) -> None:
    """As bgzip writes it; the last member may be empty, and what comes after it is nothing."""
    values = np.random.default_rng(depth).integers(0, 1 << depth, shape).astype(np.int16)
    written(folder, values, 1)
    content, marks = (folder / "x.nii").read_bytes(), [0, *sorted(ends), None]
    path = folder / "x.nii.gz"
    members = b"".join(gzip.compress(content[start:end]) for start, end in pairwise(marks)) + gzip.compress(b"")
    path.write_bytes(members + after)

    with patch.object(packed, "PIECE", piece):
        found = packed.plain_voxels(path, shape)
        assert found is not None and np.array_equal(found, values)
        assert packed.is_sound(path, len(content))

        path.write_bytes(members[:-30])
        assert not packed.is_sound(path, 0)
