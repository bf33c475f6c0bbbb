"""How training reads were made before: one file of the image and one of its mask, both [D, H, W], tokenised at each read.

From the facts of the published pipeline, for comparison: torch.load of each, uint8 to float32 in [0, 1], tokens of 4 x 16 x 16 by
rearranging, a token filtered where any of its voxels is background, coordinates made anew; the same nine keys.
"""

from pathlib import Path
from typing import Any

import torch

PATCH = (4, 16, 16)


def write(folder: Path, name: str, volume: torch.Tensor, background: torch.Tensor) -> None:
    """Both files: uint8 [D, H, W]."""
    saved = {"data": volume, "view": 0, "shape": tuple(volume.shape), "spacing": (1.0, 1.0, 4.0), "mode": "mri", "window": None}
    torch.save(saved, folder / f"{name}.pt")
    torch.save(background, folder / f"{name}_mask.pt")


def read(folder: Path, name: str) -> dict[str, Any]:
    """One item."""
    saved = torch.load(folder / f"{name}.pt", weights_only=False)
    image = saved["data"].float() / 255
    foreground = torch.load(folder / f"{name}_mask.pt", weights_only=False) == 0
    size = [length // step for length, step in zip(image.shape, PATCH, strict=True)]
    places = torch.meshgrid(*(torch.arange(length, dtype=torch.int32) for length in size), indexing="ij")
    return {
        "img": _tokens(image, size),
        "coords": torch.stack(places, -1).reshape(-1, 3),
        "filtered": (~_tokens(foreground, size)).any(1).to(torch.uint8),
        "size": torch.tensor(size, dtype=torch.int32),
        "path": f"study/{name}",
        "label": None,
        "study": "study",
        "mode": saved["mode"],
        "window": saved["window"],
    }


def _tokens(volume: torch.Tensor, size: list[int]) -> torch.Tensor:
    d, h, w = size
    blocks = volume.reshape(d, PATCH[0], h, PATCH[1], w, PATCH[2]).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(d * h * w, -1)
