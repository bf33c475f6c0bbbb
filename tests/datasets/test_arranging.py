"""Laws of cropping and turning: whatever is done to an image, each token still says where its voxels are."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from gyrus.data.tokens import PATCH, background_tokens, tokens_of, volume_of
from gyrus.datasets.arranging import Turn, as_tokens, cropped, draw_crop, draw_turn, tokens, turned, volume
from gyrus.datasets.reading import Grid

SIZES = st.tuples(*[st.integers(1, 4)] * 3)
SEEDS = st.integers(0, 2**32 - 1)
TURNS = st.builds(Turn, st.booleans(), st.sets(st.integers(0, 2)).map(lambda flips: tuple(sorted(flips))))


def an_image(size: tuple[int, ...], seed: int) -> tuple[np.ndarray, Grid]:
    """A volume of noise with dark corners, and its tokens in their places."""
    image = np.random.default_rng(seed).integers(1, 256, [n * step for n, step in zip(size, PATCH, strict=True)]).astype(np.uint8)
    image[np.random.default_rng(seed + 1).random(image.shape) < 1 / 2048] = 0
    filtered = torch.from_numpy(background_tokens(image, 0)).view(size)
    return image, Grid(torch.from_numpy(tokens_of(image)).view(*size, -1), filtered, "zyx")


def as_volume(item: dict[str, torch.Tensor]) -> np.ndarray:
    """The bytes of an item, each token put where its coordinates say."""
    tokens = np.rint(item["img"].numpy() * 255).astype(np.uint8).reshape(-1, *PATCH)
    made = np.zeros([n * step for n, step in zip(item["size"].tolist(), PATCH, strict=True)], np.uint8)
    for token, place in zip(tokens, item["coords"].tolist(), strict=True):
        made[tuple(slice(at * step, (at + 1) * step) for at, step in zip(place, PATCH, strict=True))] = token
    return made


def check(item: dict[str, torch.Tensor], wanted: np.ndarray) -> None:
    assert np.array_equal(as_volume(item), wanted)
    assert np.array_equal(item["filtered"].numpy(), background_tokens(wanted, 0))
    assert (item["size"] * torch.tensor(PATCH)).tolist() == list(wanted.shape)
    assert np.array_equal(volume_of(item["img"].numpy(), item["size"].tolist()), wanted.astype(np.float32) / 255)


@given(SIZES, SEEDS, TURNS)
def test_a_turned_image_is_the_turned_volume_voxel_by_voxel(size: tuple[int, ...], seed: int, turn: Turn) -> None:
    image, grid = an_image(size, seed)

    made = as_tokens(turned(grid, turn))

    image = image.swapaxes(1, 2) if turn.swap else image
    check(made, np.flip(image, turn.flips))


@given(SIZES, SEEDS, st.data())
def test_a_crop_is_that_part_of_the_volume(size: tuple[int, ...], seed: int, data: Any) -> None:
    image, grid = an_image(size, seed)
    box = []
    for n in size:
        start = data.draw(st.integers(0, n - 1))
        box.append(slice(start, data.draw(st.integers(start + 1, n))))

    made = as_tokens(cropped(grid, box))

    check(made, image[tuple(slice(one.start * step, one.stop * step) for one, step in zip(box, PATCH, strict=True))])


@given(SIZES, SIZES, SEEDS)
def test_a_crop_lies_in_the_image_and_is_no_larger_than_allowed(size: tuple[int, ...], largest: Any, seed: int) -> None:
    _, grid = an_image(size, seed)

    box = draw_crop(grid.filtered, largest, np.random.default_rng(seed))

    for side, n, limit in zip(box, size, largest, strict=True):
        assert 0 <= side.start < side.stop <= n and side.stop - side.start <= limit


@given(SEEDS)
def test_where_hardly_anything_is_foreground_the_best_of_the_tries_is_taken_not_the_whole(seed: int) -> None:
    filtered = torch.ones(9, 9, 9, dtype=torch.uint8)
    filtered[4, 4, 4] = 0

    box = draw_crop(filtered, (2, 2, 2), np.random.default_rng(seed))

    assert all(side.stop - side.start <= 2 for side in box)


@given(SEEDS, st.sampled_from(["zyx", "yzx", "xyz"]), st.booleans())
def test_left_stays_left_where_it_must(seed: int, axes: str, swap: bool) -> None:
    turn = draw_turn(axes, "yz", swap, np.random.default_rng(seed))

    assert swap or not turn.swap
    now = axes[0] + axes[2] + axes[1] if turn.swap else axes
    assert now.index("x") not in turn.flips


def test_each_turn_comes_half_of_the_time() -> None:
    drawn = [draw_turn("zyx", "xyz", True, np.random.default_rng(seed)) for seed in range(2000)]

    assert abs(sum(turn.swap for turn in drawn) - 1000) < 150
    assert all(abs(sum(axis in turn.flips for turn in drawn) - 1000) < 150 for axis in range(3))


@given(SIZES, SEEDS)
def test_a_volume_becomes_the_same_tokens_again(size: Any, seed: int) -> None:
    image, grid = an_image(size, seed)
    flat = grid.blocks.reshape(-1, 1024)

    assert np.array_equal(volume(flat, size)[0].numpy(), image)
    assert torch.equal(tokens(volume(flat, size), size), flat)
