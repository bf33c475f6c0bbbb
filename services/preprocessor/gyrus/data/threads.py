"""One thread for arithmetic: volumes are made in several processes, or one after the other; more threads would only contend."""

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Within it the matrix products of numpy use one thread."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited


def use_one_thread() -> None:
    """For a process that makes volumes. The bytes do not depend on it."""
    import SimpleITK  # noqa: PLC0415 - seconds
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    processes: Any = SimpleITK.ProcessObject  # bears no types
    processes.SetGlobalDefaultNumberOfThreads(1)
