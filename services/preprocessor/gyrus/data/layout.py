"""The files of one prepared image: the one layout of CacheManager, the service and `gyrus preprocess`.

Below a study's folder: `<image>.pt` (CT: `_brain.pt`, `_blood.pt`, `_bone.pt`), `<image>_mask.pt`, `<image>_metadata.json`. An image file
is a dict of plain values and tensors, so that torch.load(weights_only=True) opens it and nothing in it is ever run. Its voxels lie in token
order: training reads whole tokens, and a volume comes back by the inverse reshape (`volume_of`).
"""

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from gyrus.data.intensity import WINDOWS_HU

if TYPE_CHECKING:  # who only reads a cache needs no SimpleITK
    from gyrus.data.preparing import Prepared

VERSION: Final = "2.0"
METADATA: Final = "_metadata.json"
MASK: Final = "_mask"


def endings(mode: str) -> list[str]:
    """How the names of the image files of a mode end, before .pt."""
    return [f"_{window}" for window in WINDOWS_HU] if mode == "ct" else [""]


def tensors(prepared: "Prepared") -> dict[str, Any]:
    """What is saved, by the end of its file name.

    An image: data uint8 [N, 1024] in token order, filtered uint8 [N] (1 = a token with background in it), size in tokens, shape (D, H, W),
    spacing (x, y, z in mm), view, mode, window. "_mask": uint8 [D, H, W], 1 = background, one for all windows.
    """
    filtered = torch.from_numpy(prepared.filtered)
    saved: dict[str, Any] = {}
    for window, tokens in prepared.tokens.items():
        saved[f"_{window}" if window else ""] = {
            "data": torch.from_numpy(tokens),
            "filtered": filtered,
            "size": prepared.size,
            "shape": prepared.shape,
            "spacing": prepared.spacing_mm,
            "view": prepared.view,
            "mode": prepared.mode,
            "window": window or None,
        }
    return saved | {MASK: torch.from_numpy(prepared.background)}


def described(prepared: "Prepared", more: Mapping[str, Any]) -> dict[str, Any]:
    """What `_metadata.json` says of an image; more: where it came from."""
    shape = {"shape": prepared.shape, "spacing": prepared.spacing_mm, "view": prepared.view}
    said: dict[str, Any] = {"version": VERSION, "mode": prepared.mode, **shape, **more}
    if prepared.mode == "ct":
        said["windows"] = {name: {"width": width, "level": level} for name, (width, level) in WINDOWS_HU.items()}
    return said


def encoded(saved: Any) -> bytes:
    """The bytes of a .pt file; equal for equal content, since the archive inside bears no name of a file and no date."""
    buffer = io.BytesIO()
    torch.save(saved, buffer)
    return buffer.getvalue()


def as_json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"
