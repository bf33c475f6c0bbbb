"""The cached tensors of one prepared volume, in the layout that the training library reads.

Plain Python numbers beside the tensors, so that torch.load(weights_only=True) opens the files and nothing in them is ever run.
"""

import io
from typing import Any

import torch

from .prepare import Prepared


def tensors(prepared: Prepared) -> dict[str, Any]:
    """What is saved, by the end of its file name.

    MRI "" and CT "_brain", "_blood", "_bone": a dict with data uint8 [D, H, W], view, shape (D, H, W), spacing (x, y, z in mm), mode,
    window. "_mask": uint8 [D, H, W], 1 = background, one for all windows.
    """
    saved: dict[str, Any] = {_ending(window): _image(prepared, window) for window in prepared.images}
    return saved | {"_mask": torch.from_numpy(prepared.background)}


def encoded(saved: Any) -> bytes:
    """The bytes of a .pt file; equal for equal content, since the archive inside bears no name of a file and no date."""
    buffer = io.BytesIO()
    torch.save(saved, buffer)
    return buffer.getvalue()


def _ending(window: str) -> str:
    return f"_{window}" if window else ""


def _image(prepared: Prepared, window: str) -> dict[str, Any]:
    return {
        "data": torch.from_numpy(prepared.images[window]),
        "view": prepared.view,
        "shape": prepared.shape,
        "spacing": prepared.spacing_mm,
        "mode": prepared.mode,
        "window": window or None,
    }
