"""A volume through the samplings of its three axes, in float64 and in pieces that fit a cache. Pure.

Integers are clamped to their type and truncated toward zero, as ITK does; what is nearer to a whole number than `WHOLE` is that number,
since there truncation would follow the noise of the arithmetic.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.data.splines import Sampling
from gyrus.data.threads import one_thread

WHOLE: Final = 1e-8
PIECE_BYTES: Final = 2**21

Values = NDArray[np.float64]


def resampled(array: NDArray[Any], samplings: Sequence[Sampling]) -> NDArray[Any]:
    """The samples of a 3-D array, one sampling an axis, in the array's own type and axis order."""
    shares = [sampling.share(length) for sampling, length in zip(samplings, array.shape, strict=True)]
    array = array[tuple(sampling.choice for sampling in samplings)]
    blocked = [axis for axis in range(3) if samplings[axis].blocks]
    if not blocked:
        return array
    # pieces are taken along slices or rows: along columns each voxel would lie elsewhere in memory
    along = max((0, 1), key=lambda axis: (axis not in blocked, shares[axis]))
    first = sorted((axis for axis in blocked if axis != along), key=lambda axis: shares[axis])  # what shrinks most
    with one_thread():
        return _in_pieces(array, samplings, first, along)


def _in_pieces(array: NDArray[Any], samplings: Sequence[Sampling], first: Sequence[int], along: int) -> NDArray[Any]:
    """The axes of `first` are done piece by piece along another one, which comes last."""
    is_whole = not samplings[along].blocks
    sizes = [array.shape[axis] if axis == along or not samplings[axis].blocks else samplings[axis].size for axis in range(3)]
    between = np.empty(sizes, array.dtype if is_whole else np.float64)
    for piece in _pieces(array.shape, along):
        values = array[piece].astype(np.float64, order="C")
        for axis in first:
            values = sampled(values, axis, samplings[axis])
        between[piece] = typed(values, array.dtype) if is_whole else values
    return between if is_whole else _last(between, along, samplings[along], array.dtype)


def _last(between: Values, axis: int, sampling: Sampling, kind: np.dtype[Any]) -> NDArray[Any]:
    made = np.empty([sampling.size if one == axis else size for one, size in enumerate(between.shape)], kind)
    for piece in _pieces(between.shape, 0 if axis else 1):
        made[piece] = typed(sampled(np.ascontiguousarray(between[piece]), axis, sampling), kind)
    return made


def _pieces(shape: Sequence[int], axis: int) -> list[tuple[slice, ...]]:
    """The whole array as pieces along an axis."""
    each = 8 * int(np.prod(shape, dtype=np.int64)) // shape[axis]
    step = max(1, PIECE_BYTES // each)
    return [(slice(None),) * axis + (slice(at, at + step),) for at in range(0, shape[axis], step)]


def sampled(values: Values, axis: int, sampling: Sampling) -> Values:
    """C-contiguous values, sampled along one axis."""
    made = np.empty([sampling.size if one == axis else size for one, size in enumerate(values.shape)])
    before = int(np.prod(values.shape[:axis]))
    source, target = (one.reshape(before, one.shape[axis], -1) for one in (values, made))
    for block in sampling.blocks:
        rows, columns = block.matrix.shape
        samples, voxels = slice(block.first, block.first + rows), slice(block.column, block.column + columns)
        if axis == 2:
            np.matmul(source[:, voxels, 0], block.matrix.T, out=target[:, samples, 0])
        else:
            np.matmul(block.matrix, source[:, voxels], out=target[:, samples])
    return made


def typed(values: Values, kind: np.dtype[Any]) -> NDArray[Any]:
    """Values in a type; `values` may be overwritten."""
    if kind.kind == "f":
        return values.astype(kind)
    limits = np.iinfo(kind)
    values += WHOLE if limits.min == 0 else np.copysign(WHOLE, values)
    return np.clip(values, limits.min, limits.max, out=values).astype(kind)
