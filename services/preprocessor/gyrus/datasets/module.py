"""ImageDataModule: the parts of a split as Lightning takes them. Lightning is optional; without it this module says so."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch.utils.data import DataLoader

from gyrus.datasets.dataset import ImageDataset, Where
from gyrus.datasets.sampling import StudyAwareBatchSampler
from gyrus.datasets.splitting import Split

NEEDED = "ImageDataModule needs Lightning. Type: pip install 'gyrus[lightning]'"


def _lightning() -> Any:
    for name in ("lightning.pytorch", "pytorch_lightning"):
        try:
            return import_module(name).LightningDataModule
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(NEEDED)


class Loaders:
    """The loaders of a split's parts. Only training crops, augments and shuffles.

    Args:
        data_dir: As of ImageDataset.
        split: Which studies train, validate and test.
        batch_size: Images a batch; with by_study, see StudyAwareBatchSampler.
        by_study: A batch is a study. Under DDP then say Trainer(use_distributed_sampler=False): the sampler deals to the ranks itself.
        num_workers, seed: As they are called.
        training: Arguments of ImageDataset for the part `train` only, e.g. {"augment": True}.
        options: Arguments of ImageDataset for all parts, e.g. {"study_labels": "labels.csv"}.
    """

    def __init__(  # noqa: PLR0913 - what a loader is made of
        self,
        data_dir: Where,
        split: Split,
        batch_size: int = 4,
        *,
        by_study: bool = False,
        num_workers: int = 0,
        seed: int = 0,
        training: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.data_dir, self.split, self.batch_size, self.by_study = data_dir, split, batch_size, by_study
        self.num_workers, self.seed = num_workers, seed
        self.training, self.options = dict(training or {}), dict(options or {})

    def dataset(self, part: str) -> ImageDataset:
        """The images of a part."""
        more = self.training if part == "train" else {}
        return ImageDataset(self.data_dir, studies=self.split[part], seed=self.seed, **{**self.options, **more})

    def loader(self, part: str) -> DataLoader[Any]:
        """The batches of a part."""
        dataset, shuffle = self.dataset(part), part == "train"
        if not self.by_study:
            return DataLoader(dataset, self.batch_size, shuffle=shuffle, num_workers=self.num_workers)
        sampler = StudyAwareBatchSampler(dataset, self.batch_size, shuffle=shuffle, seed=self.seed)
        return DataLoader(dataset, batch_sampler=sampler, num_workers=self.num_workers)


def _module_class() -> Any:
    class ImageDataModule(_lightning()):  # type: ignore[misc]  # a base that may not be there
        """The loaders of a split as a LightningDataModule; arguments are those of Loaders."""

        def __init__(self, data_dir: Where, split: Split, batch_size: int = 4, **more: Any) -> None:
            super().__init__()
            self.loaders = Loaders(data_dir, split, batch_size, **more)

        def train_dataloader(self) -> DataLoader[Any]:
            return self.loaders.loader("train")

        def val_dataloader(self) -> DataLoader[Any]:
            return self.loaders.loader("val")

        def test_dataloader(self) -> DataLoader[Any]:
            return self.loaders.loader("test")

    ImageDataModule.__qualname__ = "ImageDataModule"  # where pickle finds it
    return ImageDataModule


def __getattr__(name: str) -> Any:
    if name != "ImageDataModule":
        raise AttributeError(f"module 'gyrus.datasets.module' has no name '{name}'")
    globals()[name] = _module_class()
    return globals()[name]
