"""From images to what models take: load, prepare, tokenise, keep. Importable without servers.

Names are loaded when they are asked for, so that who only names them does not load torch and SimpleITK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gyrus.data.cache import CacheManager
    from gyrus.data.errors import ImageError
    from gyrus.data.metadata import DatasetMetadata
    from gyrus.data.preparing import load_image, prepare_for_inference
    from gyrus.data.sources import ImageSource, find_stacks
    from gyrus.data.tokenizing import foreground_mask, tokenize_volume
    from gyrus.data.uptake import suv_factor

_HOME = {
    "CacheManager": "cache",
    "DatasetMetadata": "metadata",
    "ImageError": "errors",
    "ImageSource": "sources",
    "find_stacks": "sources",
    "foreground_mask": "tokenizing",
    "load_image": "preparing",
    "prepare_for_inference": "preparing",
    "suv_factor": "uptake",
    "tokenize_volume": "tokenizing",
}

__all__ = [
    "CacheManager",
    "DatasetMetadata",
    "ImageError",
    "ImageSource",
    "find_stacks",
    "foreground_mask",
    "load_image",
    "prepare_for_inference",
    "suv_factor",
    "tokenize_volume",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gyrus.data' has no name '{name}'; it has {', '.join(__all__)}.")
    return getattr(import_module(f"gyrus.data.{_HOME[name]}"), name)
