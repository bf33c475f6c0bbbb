"""From prepared images to batches: data sets, samplers, labels, splits. Needs files only; `select` asks a gateway which.

Names are loaded when they are asked for. A cache is read without SimpleITK; images that are in none need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gyrus.datasets.collating import concatenate, pad
    from gyrus.datasets.dataset import ImageDataset
    from gyrus.datasets.labels import LabelError, Labels, read_labels
    from gyrus.datasets.listing import ImageRef
    from gyrus.datasets.module import ImageDataModule
    from gyrus.datasets.sampling import StudyAwareBatchSampler
    from gyrus.datasets.selecting import Selection, Wanted, select
    from gyrus.datasets.splitting import Split, split_by_subject

_HOME = {
    "ImageDataModule": "module",
    "ImageDataset": "dataset",
    "ImageRef": "listing",
    "LabelError": "labels",
    "Labels": "labels",
    "Selection": "selecting",
    "Split": "splitting",
    "StudyAwareBatchSampler": "sampling",
    "Wanted": "selecting",
    "concatenate": "collating",
    "pad": "collating",
    "read_labels": "labels",
    "select": "selecting",
    "split_by_subject": "splitting",
}

__all__ = [
    "ImageDataModule",
    "ImageDataset",
    "ImageRef",
    "LabelError",
    "Labels",
    "Selection",
    "Split",
    "StudyAwareBatchSampler",
    "Wanted",
    "concatenate",
    "pad",
    "read_labels",
    "select",
    "split_by_subject",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gyrus.datasets' has no name '{name}'; it has {', '.join(__all__)}.")
    return getattr(import_module(f"gyrus.datasets.{_HOME[name]}"), name)
