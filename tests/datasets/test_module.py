"""Lightning is optional: loaders work without it, the module says what is missing, and with it a trainer takes it."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import gyrus.datasets
from datasets.small import MODES
from gyrus.datasets import ImageDataset, split_by_subject
from gyrus.datasets.module import Loaders

LIGHTNING = importlib.util.find_spec("lightning") or importlib.util.find_spec("pytorch_lightning")
PARTS = {"train": 0.6, "val": 0.2, "test": 0.2}


def loaders(data_dir: Path, **more: Any) -> Loaders:
    return Loaders(data_dir, split_by_subject(ImageDataset(data_dir).subjects(), PARTS), 2, **more)


def test_the_parts_are_loaded_and_only_training_is_changed_by_chance(data_dir: Path) -> None:
    made = loaders(data_dir, training={"augment": True}, options={"mode_filter": "mri"})

    seen = {part: {study for batch in made.loader(part) for study in batch["study"]} for part in PARTS}

    assert all(seen[part] <= set(made.split[part]) for part in PARTS)
    assert [made.dataset(part).chance.augment for part in PARTS] == [True, False, False]
    assert set().union(*seen.values()) == {study for study, mode in MODES.items() if mode == "mri"}


def test_a_batch_may_be_a_study(data_dir: Path) -> None:
    for batch in loaders(data_dir, by_study=True).loader("train"):
        assert len(set(batch["study"])) == 1


@pytest.mark.skipif(LIGHTNING is not None, reason="Lightning is installed")
def test_without_lightning_the_module_says_what_to_type() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'gyrus\[lightning\]'"):
        gyrus.datasets.ImageDataModule  # noqa: B018


@pytest.mark.skipif(LIGHTNING is None, reason="Lightning is not installed: pip install 'gyrus[lightning]'")
def test_a_lightning_module_has_the_same_loaders(data_dir: Path) -> None:
    module = gyrus.datasets.ImageDataModule(data_dir, loaders(data_dir).split, 2)

    assert [len(one()) for one in (module.train_dataloader, module.val_dataloader, module.test_dataloader)] == [
        len(loaders(data_dir).loader(part)) for part in PARTS
    ]


@pytest.mark.skipif(LIGHTNING is None, reason="Lightning is not installed: pip install 'gyrus[lightning]'")
def test_the_block_of_the_documentation_runs(data_dir: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    [block] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "ImageDataModule" in block]

    known: dict[str, Any] = {}
    exec(block.replace("'/data'", repr(str(data_dir))), known)

    assert next(iter(known["module"].val_dataloader()))["img"].shape[-1] == 1024
