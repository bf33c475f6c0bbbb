"""Batches: the plain DataLoader works as written; what is padding says so; end to end nothing is padding."""

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from datasets.small import N_IMAGES
from gyrus.datasets import ImageDataset, concatenate, pad

SHAPES = ("img", "coords", "filtered")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_plain_loader_makes_batches_of_images_of_different_size_and_mode(data_dir: Path, workers: int) -> None:
    dataset = ImageDataset(data_dir)

    batches = list(DataLoader(dataset, batch_size=4, num_workers=workers))

    for batch, start in zip(batches, (0, 4), strict=True):
        items = [dataset[index] for index in range(start, start + 4)]
        n = max(len(item["img"]) for item in items)
        assert [tuple(batch[name].shape) for name in (*SHAPES, "size")] == [(4, n, 1024), (4, n, 3), (4, n), (4, 3)]
        for place, item in enumerate(items):
            own = int(batch["lengths"][place])
            assert own == len(item["img"])
            assert item["mode"] == "ct" or all(torch.equal(batch[name][place, :own], item[name]) for name in SHAPES)
            assert not batch["img"][place, own:].any() and not batch["coords"][place, own:].any()
            assert bool((batch["filtered"][place, own:] == 1).all())
        assert batch["path"] == [item["path"] for item in items] and batch["label"] == [None] * 4
    assert [batch["window"][3] for batch in batches][1] is None and batches[0]["window"][3] in ("brain", "blood", "bone")


def test_volumes_are_padded_along_each_axis(data_dir: Path) -> None:
    batch = next(iter(DataLoader(ImageDataset(data_dir, tokenize=False), batch_size=N_IMAGES)))

    assert batch["img"].shape == (N_IMAGES, 1, 16, 64, 64)
    assert not batch["img"][0, 0, 12:].any() and not batch["img"][0, 0, :, 48:].any()


def test_whole_numbers_become_a_tensor_and_texts_a_list(data_dir: Path) -> None:
    numbers = {"001": 1, "002": 0, "003": 1, "004": 0, "1": 2}
    texts = {study: f"class {label}" for study, label in numbers.items()}

    assert next(iter(DataLoader(ImageDataset(data_dir, study_labels=numbers), batch_size=3)))["label"].tolist() == [1, 1, 0]
    assert next(iter(DataLoader(ImageDataset(data_dir, study_labels=texts), batch_size=2)))["label"] == ["class 1", "class 1"]


def test_end_to_end_each_image_lies_between_its_cumulative_lengths(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir, mode_filter="mri")

    batch = next(iter(DataLoader(dataset, batch_size=4, collate_fn=concatenate)))

    assert (batch["cu_seqlens"].dtype, batch["cu_seqlens"][0].item()) == (torch.int32, 0)
    assert batch["cu_seqlens"][-1].item() == len(batch["img"]) == len(batch["coords"]) == len(batch["filtered"])
    for place in range(4):
        start, end = batch["cu_seqlens"][place : place + 2].tolist()
        assert all(torch.equal(batch[name][start:end], dataset[place][name]) for name in SHAPES)
    assert batch["max_seqlen"] == int(batch["lengths"].max()) == 18


def test_volumes_cannot_be_laid_end_to_end(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="only tokens"):
        concatenate([ImageDataset(data_dir, tokenize=False)[0]])


def test_padding_by_name_is_what_the_plain_loader_does(data_dir: Path) -> None:
    dataset = ImageDataset(data_dir, mode_filter="mri")
    plain, named = (next(iter(DataLoader(dataset, 3, collate_fn=collate))) for collate in (None, pad))

    assert plain.keys() == named.keys()
    assert all(torch.equal(plain[name], named[name]) for name in (*SHAPES, "size", "lengths"))
