"""Which epoch it is: the one that was told, or else how often each item was drawn before – counted for all workers together."""

from typing import Any

import numpy as np
import torch

UNTOLD = -1


def check_seed(seed: Any) -> None:
    """Raise ValueError for what numpy takes for no seed, and would say only where something is drawn."""
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed is {seed!r}; it is a whole number, not below 0")


class Epochs:
    """Lies in memory that a DataLoader's workers share, so that workers that live on hear of a new epoch."""

    def __init__(self, items: int) -> None:
        self._told = torch.full((1,), UNTOLD, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        self._drawn = torch.zeros(items, dtype=torch.int32).share_memory_()  # type: ignore[no-untyped-call]

    def set(self, epoch: int) -> None:
        """Say which epoch it is. Raises ValueError below 0."""
        if epoch < 0:
            raise ValueError(f"epoch {epoch}: epochs count from 0")
        self._told[0] = epoch

    def of(self, index: int) -> int:
        """The epoch of an item that is now drawn."""
        told = int(self._told[0])
        if told != UNTOLD:
            return told
        before = int(self._drawn[index])
        self._drawn[index] = before + 1
        return before
