"""ImageDataset: one image an item, as tokens or as a volume, cropped and turned by chance that can be repeated."""

import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, Literal

import numpy as np
import torch
from torch.utils.data import Dataset

from gyrus.data.errors import ImageError
from gyrus.data.intensity import WINDOWS_HU
from gyrus.data.modes import mode_of
from gyrus.datasets import arranging
from gyrus.datasets.collating import Item
from gyrus.datasets.epochs import Epochs, check_seed
from gyrus.datasets.labels import Labels, labels_of
from gyrus.datasets.listing import ImageRef, images_in
from gyrus.datasets.reading import Grid, is_cached, read_cached, read_raw
from gyrus.datasets.selecting import Selection

log = logging.getLogger("gyrus.datasets")

WINDOW_PROBS: Final = (0.7, 0.15, 0.15)  # brain, blood, bone
MAX_CROP: Final = (20, 20, 20)
MOST_MAPPED: Final = 20_000  # files that a process looks into at once; Linux allows 65,530 mappings
Where = str | PathLike[str] | Selection
Transform = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Chance:
    """What is drawn for an item, and how."""

    window_probs: tuple[float, ...]
    crop_to: tuple[int, int, int] | None  #: largest crop in tokens; None: no crop
    augment: bool
    flip_axes: str
    swap_hw: bool

    def draws_for(self, mode: str) -> bool:
        """Whether anything is drawn for an image of this mode."""
        return mode == "ct" or self.augment or self.crop_to is not None


class ImageDataset(Dataset[Item]):
    """The images of a directory or a selection; an item is a dict of img, coords, filtered, size, path, label, study, mode, window.

    Args:
        data_dir: A directory with metadata.json, one with prepared images only, or what `select` found.
        use_cache: Read prepared images. An image that is not in the cache, or of a source that changed since, counts as not cached.
        fallback_to_raw: Prepare anew what is not cached (seconds an image); else such an item raises FileNotFoundError.
        mode_filter: `ct` or `mri`: only images of this mode.
        transform: Called with each image, float32 [1, D, H, W] in [0, 1], cropped and augmented; must keep its shape.
        ct_window_probs: How often brain, blood and bone are drawn for a CT.
        random_crop: A box of tokens instead of the whole image, at most max_crop_size tokens along slices, rows, columns.
        augment: Rows and columns exchanged, and each axis flipped, half of the time.
        tokenize: img is [N, 1024]; else [1, D, H, W].
        use_original_labels: Labels as they were written; else their number in class_to_idx.
        class_to_idx: Numbers by label; without it, labels are numbered in their order.
        study_labels: A CSV or JSON file, or labels by study. None: no labels.
        studies: Only these studies, e.g. a part of a Split.
        unlabelled: Studies without a label are an `error`, stay with the label None (`keep`), or are left out (`drop`).
        blank_labels: A blank in one of several columns is an `error`, or `nan`.
        failures: An image that cannot be read is raised (`raise`), or left out of its batch, which names it under `failed` (`skip`).
        flip_axes: The patient's axes along which augment may flip: x left and right, y front and back, z head and foot.
        swap_hw: Whether augment may exchange rows and columns.
        seed: What is drawn depends on it, the epoch and the index of the item only. Epochs are told by `set_epoch`; where they are
            not, the n-th time that an item is drawn counts as its epoch n.

    Raises FileNotFoundError without images or labels, ValueError (LabelError) for arguments and labels that do not fit.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the published signature
        self,
        data_dir: Where,
        use_cache: bool = True,
        fallback_to_raw: bool = True,
        mode_filter: str | None = None,
        transform: Transform | None = None,
        ct_window_probs: Sequence[float] | None = None,
        random_crop: bool = False,
        augment: bool = False,
        max_crop_size: Sequence[int] = MAX_CROP,
        tokenize: bool = True,
        use_original_labels: bool = True,
        class_to_idx: Mapping[Any, int] | None = None,
        study_labels: str | PathLike[str] | Mapping[str, Any] | None = None,
        *,
        studies: Collection[str] | None = None,
        unlabelled: Literal["error", "keep", "drop"] = "error",
        blank_labels: Literal["error", "nan"] = "error",
        failures: Literal["raise", "skip"] = "raise",
        flip_axes: str = "xyz",
        swap_hw: bool = True,
        seed: int = 0,
    ) -> None:
        if not (use_cache or fallback_to_raw):
            raise ValueError("neither use_cache nor fallback_to_raw: there is nothing to read images from")
        if set(flip_axes) - set("xyz"):
            raise ValueError(f"flip_axes is {flip_axes!r}; it names the patient's axes: x, y, z or several, e.g. 'yz'")
        for name, given, allowed in (
            ("unlabelled", unlabelled, ("error", "keep", "drop")),
            ("blank_labels", blank_labels, ("error", "nan")),
            ("failures", failures, ("raise", "skip")),
        ):
            if given not in allowed:
                raise ValueError(f"{name} is {given!r}; it is one of {', '.join(allowed)}")
        check_seed(seed)
        crop_to = _three(max_crop_size) if random_crop else None
        probs = _probabilities(WINDOW_PROBS if ct_window_probs is None else ct_window_probs)
        self.failures = failures
        self.chance = Chance(window_probs=probs, crop_to=crop_to, augment=augment, flip_axes=flip_axes, swap_hw=swap_hw)
        self.use_cache, self.fallback_to_raw, self.transform, self.tokenize, self.seed = (
            use_cache,
            fallback_to_raw,
            transform,
            tokenize,
            seed,
        )
        listed = list(data_dir.images) if isinstance(data_dir, Selection) else images_in(data_dir)
        self.labels = labels_of(study_labels, blank_labels)
        self.unmatched_labels = _unmatched(self.labels, listed)  #: ids of labels that no study bears
        self.images = _wanted(listed, mode_filter, studies)
        self.unlabelled: list[str] = []  #: studies without a label
        if self.labels is not None:
            self._match(self.labels, unlabelled)
        self.class_to_idx = self.labels.numbers(class_to_idx) if self.labels is not None else {}
        if self.labels is not None and not use_original_labels:
            self.labels = self.labels.numbered(class_to_idx)
        if not self.images:
            log.warning("no image is left of %d: look at mode_filter, studies and unlabelled", len(listed))
        self.image_index = [(ref.study, ref.image) for ref in self.images]  #: study and image of each item
        self.epochs = Epochs(len(self.images))
        self._mapped: dict[tuple[int, str | None], Grid] = {}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        """One item; with failures='skip' of an image that cannot be read only `failed`. Raises ImageError, OSError, IndexError."""
        ref = self.images[index]
        try:
            return self._item(ref, index % len(self.images))
        except (ImageError, OSError) as error:
            if self.failures == "raise":
                raise
            log.error("%s is left out: %s", ref.path, error)
            return Item(failed=f"{ref.path}: {error}")

    def _item(self, ref: ImageRef, index: int) -> Item:
        chance = self._chance(index) if self.chance.draws_for(ref.mode) else None
        window = _draw_window(self.chance.window_probs, chance) if ref.mode == "ct" and chance is not None else None
        grid = self._read(ref, index, window)
        grid = grid if chance is None else self._arranged(grid, chance)
        about = {"path": ref.path, "label": self.label_of(ref), "study": ref.study, "mode": ref.mode, "window": window}
        return Item(self._finished(arranging.as_tokens(grid), grid.size), **about)

    def set_epoch(self, epoch: int) -> None:
        """From now on draw for this epoch, in every worker."""
        self.epochs.set(epoch)

    def label_of(self, ref: ImageRef) -> Any:
        """A label as a plain number or text, a float32 tensor [K] where there are several; None without."""
        return None if self.labels is None else self.labels.of(ref.labelled_as)

    def subjects(self) -> dict[str, str]:
        """The subject of each study, for `split_by_subject`."""
        return {ref.study: ref.of_subject for ref in self.images}

    def _chance(self, index: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.epochs.of(index), index])

    def _match(self, labels: Labels, unlabelled: str) -> None:
        without = {ref.study for ref in self.images if ref.labelled_as not in labels.by_study}
        self.unlabelled = sorted(without)
        if without and unlabelled == "error":
            raise labels.lacking(self.unlabelled, self.unmatched_labels)
        if unlabelled == "drop":
            self.images = [ref for ref in self.images if ref.study not in without]
        if self.unmatched_labels:
            log.warning("%d labels belong to no study here: %s", len(self.unmatched_labels), ", ".join(self.unmatched_labels[:20]))

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which looks into the files itself."""
        return {**self.__dict__, "_mapped": {}}

    def _read(self, ref: ImageRef, index: int, window: str | None) -> Grid:
        """The image; one of the cache is looked up once in a process, and stays what it was then."""
        grid = self._mapped.get((index, window))
        if grid is None and self.use_cache and is_cached(ref):
            if len(self._mapped) >= MOST_MAPPED:
                self._mapped.clear()
            grid = self._mapped[index, window] = read_cached(ref, window)
        if grid is not None:
            return grid
        if not self.fallback_to_raw:
            raise FileNotFoundError(f"{ref.path} is not in the cache, or its source changed since: CacheManager(…).build_cache() makes it")
        return read_raw(ref, window)

    def _arranged(self, grid: Grid, chance: np.random.Generator) -> Grid:
        if self.chance.crop_to is not None:
            grid = arranging.cropped(grid, arranging.draw_crop(grid.filtered, self.chance.crop_to, chance))
        if self.chance.augment:
            grid = arranging.turned(grid, arranging.draw_turn(grid.axes, self.chance.flip_axes, self.chance.swap_hw, chance))
        return grid

    def _finished(self, item: dict[str, torch.Tensor], size: tuple[int, int, int]) -> dict[str, torch.Tensor]:
        if self.tokenize and self.transform is None:
            return item
        image = arranging.volume(item["img"], size)
        if self.transform is not None:
            shape, image = image.shape, self.transform(image)
            if image.shape != shape:
                raise ValueError(f"transform made {list(image.shape)} of {list(shape)}; it must keep the shape of an image")
        return {**item, "img": arranging.tokens(image, size) if self.tokenize else image}


def _draw_window(probabilities: Sequence[float], chance: np.random.Generator) -> str:
    return str(chance.choice(list(WINDOWS_HU), p=probabilities))


def _three(sizes: Sequence[int]) -> tuple[int, int, int]:
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"max_crop_size is {tuple(sizes)}: three numbers of tokens, at least 1 along slices, rows and columns")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _probabilities(given: Sequence[float]) -> tuple[float, ...]:
    total = float(sum(given))
    if len(given) != len(WINDOWS_HU) or not min(given) >= 0 or not 0 < total < math.inf:
        raise ValueError(f"ct_window_probs is {list(given)}: one number, not below 0, for each of {', '.join(WINDOWS_HU)}")
    return tuple(float(one) / total for one in given)


def _wanted(images: Sequence[ImageRef], mode: str | None, studies: Collection[str] | None) -> list[ImageRef]:
    if isinstance(studies, str):
        raise ValueError(f"studies is {studies!r}; it is a list of studies, e.g. [{studies!r}]")
    known = {ref.study for ref in images}
    if studies is not None and (strangers := sorted(set(studies) - known)):
        raise ValueError(f"{len(strangers)} of the wanted studies are not here: {', '.join(strangers[:20])}")
    only_mode = None if mode is None else mode_of(mode)
    chosen = known if studies is None else set(studies)
    return [ref for ref in images if ref.study in chosen and only_mode in (None, ref.mode)]


def _unmatched(labels: Labels | None, images: Sequence[ImageRef]) -> list[str]:
    return [] if labels is None else sorted(set(labels.by_study) - {ref.labelled_as for ref in images})
