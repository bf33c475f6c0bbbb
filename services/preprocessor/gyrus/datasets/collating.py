"""From items to batches: padded to the longest by default, so that a plain DataLoader works; or end to end, with cumulative lengths."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch.utils.data._utils.collate import default_collate_fn_map

FILL: Final[Mapping[str, float]] = {"img": 0, "coords": 0, "filtered": 1}
"""What stands where an image has no token: black, at the origin, background."""
Batch = dict[str, Any]


class Item(dict[str, Any]):
    """One image of a data set. A DataLoader knows how to make batches of it (`pad`)."""


def pad(items: Sequence[Mapping[str, Any]]) -> Batch:
    """A batch of B images, each padded to the longest.

    img [B, N, 1024] (or [B, 1, D, H, W]), coords [B, N, 3] and filtered [B, N]; size [B, 3]; lengths int64 [B], the tokens that are the
    image's own; label a tensor where all are numbers; path, study, mode and window, and other labels, are lists. A batch from which images
    were left out says which and why in `failed`. Raises ValueError where none is left.
    """
    items, failed = _read(items)
    batch: Batch = {name: _padded([item[name] for item in items], fill) for name, fill in FILL.items()}
    return {**batch, **_about(items), **failed}


def concatenate(items: Sequence[Mapping[str, Any]]) -> Batch:
    """A batch of B images end to end, without padding: what attention over variable lengths takes.

    img [ΣN, 1024], coords [ΣN, 3], filtered [ΣN]; cu_seqlens int32 [B + 1], where each image begins and the last ends; max_seqlen; the
    rest as in `pad`. Raises ValueError for images that are no tokens.
    """
    items, failed = _read(items)
    if any(item["img"].dim() != 2 for item in items):
        raise ValueError("only tokens can be laid end to end: ImageDataset(…, tokenize=True)")
    batch: Batch = {name: torch.cat([item[name] for item in items]) for name in FILL}
    about = _about(items)
    cumulative = torch.zeros(len(items) + 1, dtype=torch.int32)
    torch.cumsum(about["lengths"], 0, out=cumulative[1:])
    return {**batch, **about, **failed, "cu_seqlens": cumulative, "max_seqlen": int(about["lengths"].max())}


def _read(items: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], Batch]:
    """The items that could be read, and what is said of the others. Raises ValueError where there is none."""
    failed = [item["failed"] for item in items if "failed" in item]
    if len(failed) == len(items):
        raise ValueError(f"no image of a batch can be read: {'; '.join(failed)}")
    return [item for item in items if "failed" not in item], {"failed": failed} if failed else {}


def _about(items: Sequence[Mapping[str, Any]]) -> Batch:
    texts = {name: [item[name] for item in items] for name in ("path", "study", "mode", "window")}
    return {
        "size": torch.stack([item["size"] for item in items]),
        "lengths": torch.tensor([len(item["filtered"]) for item in items]),
        "label": _labels([item["label"] for item in items]),
        **texts,
    }


def _labels(labels: list[Any]) -> Any:
    if all(isinstance(label, torch.Tensor) for label in labels):
        return torch.stack(labels)
    return torch.tensor(labels) if all(isinstance(label, (int, float)) for label in labels) else labels


def _padded(images: Sequence[torch.Tensor], fill: float) -> torch.Tensor:
    """All in one tensor, each in the corner of its place; fills only what no image covers."""
    shape = [max(lengths) for lengths in zip(*(image.shape for image in images), strict=True)]
    batch = images[0].new_empty((len(images), *shape))
    for place, image in zip(batch, images, strict=True):
        if image.shape != place.shape:
            place.fill_(fill)
        place[tuple(slice(length) for length in image.shape)] = image
    return batch


def _pad(items: Sequence[Item], *, collate_fn_map: object = None) -> Batch:
    """As torch calls it."""
    return pad(items)


default_collate_fn_map[Item] = _pad
