"""Tokens: blocks of 4 slices × 16 rows × 16 columns, in reading order – slice, row, column, columns fastest. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PATCH: Final = (4, 16, 16)  #: slices, rows, columns of one token
VOXELS: Final = 1024  #: of one token
Three = tuple[int, int, int]


def tokens_of(volume: NDArray[Any], patch: Three = PATCH) -> NDArray[Any]:
    """(D, H, W) to (N, voxels of a token); inside a token slices, rows, columns. Raises ValueError for parts of tokens."""
    slices, rows, columns = size_of(volume.shape, patch)
    blocks = volume.reshape(slices, patch[0], rows, patch[1], columns, patch[2])
    return blocks.transpose(0, 2, 4, 1, 3, 5).reshape(slices * rows * columns, patch[0] * patch[1] * patch[2])


def volume_of(tokens: NDArray[Any], size: Sequence[int], patch: Three = PATCH) -> NDArray[Any]:
    """The volume (D, H, W) of tokens in reading order; size: tokens along slices, rows, columns."""
    slices, rows, columns = (int(length) for length in size)
    blocks = tokens.reshape(slices, rows, columns, *patch)
    return blocks.transpose(0, 3, 1, 4, 2, 5).reshape(slices * patch[0], rows * patch[1], columns * patch[2])


def size_of(shape: Sequence[int], patch: Three = PATCH) -> Three:
    """Tokens along slices, rows and columns of a volume. Raises ValueError for parts of tokens."""
    slices, rows, columns = shape
    if slices % patch[0] or rows % patch[1] or columns % patch[2] or not min(shape):
        raise ValueError(f"a volume of {slices} x {rows} x {columns} voxels is not whole tokens of {' x '.join(map(str, patch))}")
    return slices // patch[0], rows // patch[1], columns // patch[2]


def coordinates(size: Sequence[int]) -> NDArray[np.int64]:
    """(N, 3): slice, row and column of each token."""
    return np.indices(tuple(size)).reshape(3, -1).T.copy()


def background_tokens(values: NDArray[Any], background: float) -> NDArray[np.uint8]:
    """(N,): 1 for each token of a volume (D, H, W) in which any value is not above `background`."""
    slices, rows, columns = size_of(values.shape)
    least = values.reshape(slices, PATCH[0], -1).min(axis=1)
    least = least.reshape(slices, rows, PATCH[1], -1).min(axis=2)
    least = least.reshape(slices, rows, columns, PATCH[2]).min(axis=3)
    filtered: NDArray[np.uint8] = (least.ravel() <= background).astype(np.uint8)
    return filtered
