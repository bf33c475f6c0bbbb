"""Processes that make the images of a cache: tasks come by standard input, answers go by standard output.

They do not import the program that started them, so that a plain script may call `build_cache(num_workers=8)`; and one that is killed
costs the image that it had in hand and no other. They end with whoever started them.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final

DIED: Final = "its worker process died (killed, or out of memory): build_cache() again, with fewer workers"


class Worker:
    """One process, started when it is first needed, and again after its death."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def answer(self, task: Any) -> Any:
        """What the process says of a task; DIED if it did not live to say it."""
        if self._process is None:
            self._process = _start()
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            pickle.dump(task, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)  # noqa: S301 - our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.close()
            return DIED

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with suppress(OSError):
                self._process.communicate()
            self._process = None


def in_workers(tasks: Sequence[Any], count: int) -> Iterator[Any]:
    """The answers to tasks, in their order, by `count` processes."""
    workers = [Worker() for _ in range(count)]
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def answer(task: Any) -> Any:
        worker = free.get()
        try:
            return worker.answer(task)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(count) as threads:
        yield from threads.map(answer, tasks)
    for worker in workers:
        worker.close()


def _start() -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "gyrus.data.worker"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603


def main() -> None:
    """The process itself: until its input ends."""
    from gyrus.data.cache import make  # noqa: PLC0415 - who starts workers imports them
    from gyrus.data.threads import use_one_thread  # noqa: PLC0415

    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # what a library prints is no answer
    use_one_thread()
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            pickle.dump(make(pickle.load(sys.stdin.buffer)), answers)  # noqa: S301 - who started us wrote it
            answers.flush()


if __name__ == "__main__":
    main()
