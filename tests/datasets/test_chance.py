"""What is drawn depends on seed, epoch and index only – not on workers, order, or what was drawn before."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from datasets.small import N_IMAGES
from gyrus.datasets import ImageDataset, StudyAwareBatchSampler

RANDOM: dict[str, Any] = {"random_crop": True, "augment": True, "max_crop_size": (2, 2, 2)}


def first(items: Any) -> Any:
    return items[0]


def told(item: Any) -> tuple[Any, ...]:
    """What can be drawn: window, size and voxels."""
    return item["path"], item["window"], tuple(item["size"].tolist()), item["img"].sum().item(), tuple(item["img"][0, :40].tolist())


def epoch_of(dataset: ImageDataset, epoch: int | None, workers: int, **more: Any) -> list[Any]:
    if epoch is not None:
        dataset.set_epoch(epoch)
    return [told(item) for item in DataLoader(dataset, 1, num_workers=workers, collate_fn=first, **more)]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # of a machine with two cores
def test_the_number_of_workers_changes_nothing(data_dir: Path, workers: int) -> None:
    alone, together = (ImageDataset(data_dir, seed=5, **RANDOM) for _ in range(2))

    for epoch in (0, 1, 7):
        assert epoch_of(together, epoch, workers) == epoch_of(alone, epoch, 0)


def test_workers_that_live_on_hear_of_a_new_epoch(data_dir: Path) -> None:
    alone, together = (ImageDataset(data_dir, **RANDOM) for _ in range(2))
    loader = DataLoader(together, 1, num_workers=2, persistent_workers=True, collate_fn=first)

    for epoch in (3, 4):
        together.set_epoch(epoch)
        assert [told(item) for item in loader] == epoch_of(alone, epoch, 0)


@pytest.mark.parametrize("workers", [0, 2])
def test_without_word_of_epochs_each_pass_draws_anew_and_can_be_repeated(data_dir: Path, workers: int) -> None:
    dataset, again, told_so = (ImageDataset(data_dir, **RANDOM) for _ in range(3))

    passes = [epoch_of(dataset, None, workers) for _ in range(3)]

    assert passes == [epoch_of(again, None, 0) for _ in range(3)] == [epoch_of(told_so, epoch, 0) for epoch in range(3)]
    assert passes[0] != passes[1] != passes[2]


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.lists(st.integers(0, N_IMAGES - 1), min_size=1, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_order_and_repetition_change_nothing(data_dir: Path, seed: int, epoch: int, order: list[int]) -> None:
    dataset = ImageDataset(data_dir, seed=seed, **RANDOM)
    dataset.set_epoch(epoch)
    torch.manual_seed(epoch)
    drawn = [told(dataset[index]) for index in order]

    other = pickle.loads(pickle.dumps(ImageDataset(data_dir, seed=seed, **RANDOM)))
    other.set_epoch(epoch)
    assert [told(other[index]) for index in reversed(order)] == drawn[::-1]


def test_seeds_epochs_and_items_draw_differently(data_dir: Path) -> None:
    draws = {
        (seed, epoch): tuple(one[2:] for one in epoch_of(ImageDataset(data_dir, seed=seed, **RANDOM), epoch, 0))
        for seed in range(3)
        for epoch in range(3)
    }

    assert len(set(draws.values())) == 9


def test_an_index_from_the_end_draws_as_the_same_item(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir, **RANDOM)
    dataset.set_epoch(2)

    assert told(dataset[-1]) == told(dataset[N_IMAGES - 1])


def test_a_sampler_that_is_told_the_epoch_tells_the_data_set(data_dir: Path) -> None:
    dataset, other = (ImageDataset(data_dir, **RANDOM) for _ in range(2))
    sampler = StudyAwareBatchSampler(dataset, 8)
    sampler.set_epoch(6)
    other.set_epoch(6)

    assert told(dataset[0]) == told(other[0])


def test_an_epoch_below_0_is_refused(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="epochs count from 0"):
        ImageDataset(data_dir).set_epoch(-1)
