"""Batches of whole studies, dealt to ranks so that none waits for another."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch.distributed
from torch.utils.data import Sampler

from gyrus.datasets.epochs import check_seed

log = logging.getLogger("gyrus.datasets")


class Indexed(Protocol):
    """What a sampler needs of a data set: study and image of each item."""

    @property
    def image_index(self) -> Sequence[tuple[str, str]]: ...


class StudyAwareBatchSampler(Sampler[list[int]]):
    """One study a batch: all its images, whatever batch_size is, since a study is never torn apart.

    Every rank gets as many batches, of studies of its own; one that has fewer repeats one of its own. Over an epoch everything is seen.
    `set_epoch` shuffles anew, on every rank the same way, and tells the data set.

    Args:
        dataset: An ImageDataset, or anything with image_index.
        batch_size: With pack, how many images a batch has at most; without, only a warning follows from it.
        shuffle: Another order of the studies each epoch; else that of the data set.
        drop_last: Leave out what does not go evenly over the ranks, instead of repeating.
        num_replicas, rank: By default those of torch.distributed where it runs; else one rank.
        pack: Put small studies together, whole, until batch_size is reached.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the published signature
        self,
        dataset: Indexed,
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
        num_replicas: int | None = None,
        rank: int | None = None,
        *,
        pack: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}: at least 1")
        check_seed(seed)
        self.num_replicas, self.rank = _ranks(num_replicas, rank)
        self.dataset, self.batch_size, self.shuffle, self.seed, self.drop_last, self.pack = (
            dataset,
            batch_size,
            shuffle,
            seed,
            drop_last,
            pack,
        )
        self.epoch = 0
        self._studies = _by_study(dataset.image_index)
        largest = max(self._studies.items(), key=lambda study: len(study[1]), default=("", []))
        if len(largest[1]) > batch_size:
            log.warning("study %s has %d images, more than batch_size %d; they stay in one batch", largest[0], len(largest[1]), batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._own(self._batches()))

    def __len__(self) -> int:
        return len(self._own(self._batches()))

    @property
    def sampler(self) -> "StudyAwareBatchSampler":
        """Lightning tells the epoch to `batch_sampler.sampler`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Shuffle for this epoch, and let the data set draw for it."""
        self.epoch = epoch
        tell: Any = getattr(self.dataset, "set_epoch", None)
        if tell is not None:
            tell(epoch)

    def _batches(self) -> list[list[int]]:
        """Of all ranks."""
        studies = list(self._studies.values())
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(len(studies))
            studies = [studies[place] for place in order]
        return _packed(studies, self.batch_size) if self.pack else [list(images) for images in studies]

    def _own(self, batches: list[list[int]]) -> list[list[int]]:
        """This rank's share: every rank has as many."""
        if self.drop_last:
            return batches[self.rank :: self.num_replicas][: len(batches) // self.num_replicas]
        share = -(-len(batches) // self.num_replicas)
        own = batches[self.rank :: self.num_replicas] or batches[self.rank % max(1, len(batches)) :][:1]  # more ranks than studies
        return own + own[: share - len(own)]


def _by_study(index: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    studies: dict[str, list[int]] = {}
    for place, (study, _) in enumerate(index):
        studies.setdefault(study, []).append(place)
    return studies


def _packed(studies: Sequence[list[int]], size: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for images in studies:
        if batches and len(batches[-1]) + len(images) <= size:
            batches[-1] = [*batches[-1], *images]
        else:
            batches.append(list(images))
    return batches


def _ranks(replicas: int | None, rank: int | None) -> tuple[int, int]:
    runs = torch.distributed.is_available() and torch.distributed.is_initialized()
    replicas = replicas if replicas is not None else torch.distributed.get_world_size() if runs else 1
    rank = rank if rank is not None else torch.distributed.get_rank() if runs else 0
    if not 0 <= rank < replicas:
        raise ValueError(f"rank {rank} of {replicas}: ranks count from 0 to {replicas - 1}")
    return replicas, rank
