"""How many threads the heavy libraries may use."""

from typing import Any

import SimpleITK
import torch


def use_one_thread() -> None:
    """One stack a process: more threads would only contend. The bytes do not depend on it."""
    torch.set_num_threads(1)
    processes: Any = SimpleITK.ProcessObject  # bears no types
    processes.SetGlobalDefaultNumberOfThreads(1)
