"""Worker processes: heavy work runs there, never in the event loop, where heartbeats would stop.

A worker dies with its service, however that ends. When one breaks, the pool is made anew and the work that was in it raises.
"""

import asyncio
import contextlib
import multiprocessing
import os
import select
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from gyrus.shared import crash

P = ParamSpec("P")
T = TypeVar("T")


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its work."""


class Workers:
    """A pool of `count` processes; `preload` names modules that they import once, before they are asked."""

    def __init__(self, count: int, preload: list[str], crash_points: str = "") -> None:
        self._count, self._points = count, crash_points
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(preload)
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._count, self._context, initializer=_begin, initargs=(os.getpid(), self._points))

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(*args)` in a worker. Raises what it raised, or WorkerDied."""
        assert not kwargs, "a worker takes positional arguments"
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *args)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = self._make()
            raise WorkerDied("a worker process died (killed, out of memory, or by what it read)") from error

    def close(self) -> None:
        """End the workers, whatever they do."""
        for process in list(self._pool._processes.values()):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _begin(service: int, crash_points: str) -> None:
    threading.Thread(target=_die_with, args=(service,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    crash.arm(crash_points, victim=service)


def _die_with(service: int) -> None:
    """The parent of a worker is the fork server, which lives as long as its workers do: so each watches the service itself."""
    try:
        handle = os.pidfd_open(service)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGKILL)
    select.select([handle], [], [])
    os.kill(os.getpid(), signal.SIGKILL)
