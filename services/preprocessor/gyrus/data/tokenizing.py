"""Tokens of what `prepare_for_inference` and `CacheManager.load_image` give, numpy or torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gyrus.data.errors import told
from gyrus.data.images import from_image, is_image
from gyrus.data.modes import mode_of
from gyrus.data.preparing import load_image, prepared
from gyrus.data.tokens import PATCH, Three, coordinates, size_of, tokens_of
from gyrus.dicom.refused import Refused


def tokenize_volume(img_arr: Any, mask_arr: Any, patch_size: Three = PATCH, remove_background: bool = False) -> tuple[Any, Any, Any]:
    """Tokens [N, voxels], coords int64 [N, 3] (slice, row, column) and filtered uint8 [N], 1 = a token with background in it.

    img_arr: [D, H, W] or [1, D, H, W]. mask_arr: voxels of that shape, bool, True = foreground, or tokens [N], 1 = background, as
    `prepare_for_inference` gives them. remove_background: leave such tokens out; `filtered` is then empty. The answer is torch where
    img_arr is. Raises ValueError for shapes that do not go together, and for numbers as a mask of voxels: those of
    `CacheManager.load_mask` say 1 = background.
    """
    if len(patch_size) != 3 or not all(isinstance(length, (int, np.integer)) and length > 0 for length in patch_size):
        raise ValueError(f"patch_size is {patch_size!r}: three whole numbers of voxels, at least 1 along slices, rows and columns")
    image, mask = _volume(img_arr), _array(mask_arr)
    size = size_of(image.shape, patch_size)
    tokens, coords = tokens_of(image, patch_size), coordinates(size)
    filtered = _filtered(mask, image.shape, patch_size)
    if remove_background:
        kept = filtered == 0
        tokens, coords, filtered = tokens[kept], coords[kept], filtered[:0]
    if not hasattr(img_arr, "detach"):
        return tokens, coords, filtered
    import torch  # noqa: PLC0415 - seconds

    return torch.from_numpy(np.ascontiguousarray(tokens)), torch.from_numpy(coords), torch.from_numpy(filtered)


def foreground_mask(img_sitk: Any, mode: str, z_dim: int | None = None) -> NDArray[np.bool_]:
    """The foreground of an image voxel by voxel, [D, H, W], True = foreground: what the token mask is made from."""
    image = img_sitk if is_image(img_sitk) else load_image(img_sitk)
    try:
        foreground: NDArray[np.bool_] = prepared(from_image(image), mode_of(mode), z_dim).background == 0
    except Refused as refused:
        raise told(refused, None) from None
    return foreground


def _filtered(mask: NDArray[Any], shape: tuple[int, ...], patch: Three) -> NDArray[np.uint8]:
    n = int(np.prod(size_of(shape, patch)))
    if mask.shape == (n,):
        return np.asarray(mask != 0, np.uint8)
    while mask.ndim == 4 and len(mask) == 1:
        mask = mask[0]
    if mask.shape != shape:
        raise ValueError(f"a mask of shape {mask.shape} does not go with an image of {shape}: voxels of that shape, or {n} tokens")
    if mask.dtype != np.bool_:
        raise ValueError(
            f"a mask of voxels is bool, True = foreground; this is {mask.dtype}, of which 1 may mean either."
            " Of CacheManager.load_mask: load_mask(…) == 0"
        )
    return np.asarray((~tokens_of(mask, patch)).any(axis=1), np.uint8)


def _array(one: Any) -> NDArray[Any]:
    return np.asarray(one.detach().cpu() if hasattr(one, "detach") else one)


def _volume(one: Any) -> NDArray[Any]:
    array = _array(one)
    array = array[0] if array.ndim == 4 and len(array) == 1 else array
    if array.ndim != 3:
        raise ValueError(f"an image of shape {array.shape} is neither [D, H, W] nor [1, D, H, W]")
    return array
