"""Cropping, flipping and exchanging rows with columns: tokens and the voxels in them move together. Pure; chance is drawn elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import torch

from gyrus.data.tokens import PATCH, coordinates
from gyrus.datasets.reading import Grid

TRIES: Final = 5
LEAST_FOREGROUND: Final = 0.1  # of the tokens of a crop
Three = tuple[int, int, int]


@dataclass(frozen=True)
class Turn:
    """How an image is turned: rows exchanged with columns first, then flipped along these axes (0 slices, 1 rows, 2 columns)."""

    swap: bool = False
    flips: tuple[int, ...] = ()


def draw_crop(filtered: torch.Tensor, largest: Three, chance: np.random.Generator) -> tuple[slice, ...]:
    """A box of tokens, each side 1 to `largest` long and anywhere, of which more than a tenth is foreground; else the best of five."""
    foreground = (filtered == 0).numpy()
    best: tuple[slice, ...] = ()
    most = -1.0
    for _ in range(TRIES):
        lengths = [int(chance.integers(1, min(limit, n), endpoint=True)) for limit, n in zip(largest, foreground.shape, strict=True)]
        starts = [int(chance.integers(0, n - length, endpoint=True)) for length, n in zip(lengths, foreground.shape, strict=True)]
        box = tuple(slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
        share = float(foreground[box].mean())
        if share > most:
            best, most = box, share
        if share > LEAST_FOREGROUND:
            break
    return best


def draw_turn(axes: str, flip_axes: str, swap_hw: bool, chance: np.random.Generator) -> Turn:
    """Rows for columns, and each axis flipped, half of the time; flipped only along the patient's axes of flip_axes.

    axes: the patient's axes along slices, rows, columns, before the exchange. What is not allowed is drawn too, and left.
    """
    swap = bool(chance.random() < 0.5) and swap_hw
    now = axes[0] + axes[2] + axes[1] if swap else axes
    coins = chance.random(3) < 0.5
    return Turn(swap, tuple(axis for axis in range(3) if coins[axis] and now[axis] in flip_axes))


def cropped(grid: Grid, box: Sequence[slice]) -> Grid:
    """A box of tokens; what lies outside is not read."""
    return grid.with_(grid.blocks[tuple(box)], grid.filtered[tuple(box)])


def turned(grid: Grid, turn: Turn) -> Grid:
    """The image turned as a whole, voxel by voxel."""
    blocks = grid.blocks.reshape(*grid.size, *PATCH)
    filtered, axes = grid.filtered, grid.axes
    if turn.swap:
        blocks, filtered = blocks.permute(0, 2, 1, 3, 5, 4), filtered.transpose(1, 2)
        axes = axes[0] + axes[2] + axes[1]
    if turn.flips:
        blocks = blocks.flip(*turn.flips, *(axis + 3 for axis in turn.flips))
        filtered = filtered.flip(*turn.flips)
    return grid.with_(blocks.flatten(3), filtered, axes)


def volume(tokens: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """[1, D, H, W] of tokens in reading order."""
    d, h, w = size
    blocks = tokens.view(d, h, w, *PATCH).permute(0, 3, 1, 4, 2, 5)
    return blocks.reshape(1, d * PATCH[0], h * PATCH[1], w * PATCH[2])


def tokens(image: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """[N, 1024] of a volume [1, D, H, W]."""
    d, h, w = size
    blocks = image.view(d, PATCH[0], h, PATCH[1], w, PATCH[2]).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(d * h * w, -1)


@lru_cache(maxsize=256)
def _places(size: Three) -> torch.Tensor:
    return torch.from_numpy(coordinates(size).astype(np.int32))


def places(size: Three) -> torch.Tensor:
    """int32 [N, 3]: slice, row and column of each token, columns fastest; a copy of its own."""
    return _places(size).clone()


def as_tokens(grid: Grid) -> dict[str, torch.Tensor]:
    """img float32 [N, 1024] in [0, 1], coords int32 [N, 3], filtered uint8 [N] and size int32 [3] of a grid."""
    n = grid.filtered.numel()
    return {
        "img": grid.blocks.to(torch.float32).div_(255).reshape(n, -1),
        "coords": places(grid.size),
        "filtered": grid.filtered.reshape(n).clone(),
        "size": torch.tensor(grid.size, dtype=torch.int32),
    }
