"""Rooms that are forked from a process which has imported already what they import.

A test of the flow starts four services and their worker processes, again and again; most of its time went into imports, not into what it
claims. All else is as in `python -m gyrus.ROOM`: a process and a session of its own, its environment, its log, its signals. Benchmarks,
soaks, and whoever starts a room under another command or with other modules get a new interpreter.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import json
import multiprocessing.util
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from gyrus.console.servers import PR_SET_PDEATHSIG

TESTS = Path(__file__).parents[1]
ROOMS = ("watcher", "extractor", "classifier", "preprocessor", "gateway")
PACKET = 1 << 18


def importing_tests() -> dict[str, str]:
    """What lets an interpreter import what stands beside tests."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))}


class Forked:
    """A room's process, with the part of subprocess.Popen that tests use."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.code_of(self.pid, 0)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if (left := deadline - time.monotonic()) <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self.returncode = self._nursery.code_of(self.pid, left)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Nursery:
    """The tests' end of the process that forks rooms. It ends with the tests, and its rooms with it."""

    def __init__(self) -> None:
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [sys.executable, "-m", "flow.nursery", str(its.fileno())]
        environment = {**os.environ, **importing_tests()}
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()], env=environment)
        its.close()
        self._codes: dict[int, int] = {}

    def fork(self, room: str, log: Path, environment: Mapping[str, str]) -> Forked:
        self._socket.send(json.dumps({"room": room, "log": str(log), "environment": dict(environment)}).encode())
        while (born := self._told(60)) is None:
            assert self._process.poll() is None, "the nursery ended"
        return Forked(self, born)

    def code_of(self, pid: int, patience_s: float) -> int | None:
        """How a room ended, as subprocess says it; None where it runs."""
        self._told(0 if pid in self._codes else patience_s)
        return self._codes.get(pid)

    def _told(self, patience_s: float) -> int | None:
        """Take what the nursery has to tell: the pid of a room that was born; who ended is noted."""
        while select.select([self._socket], [], [], patience_s)[0]:
            told = json.loads(self._socket.recv(PACKET))
            if "born" in told:
                return int(told["born"])
            self._codes[told["ended"]] = told["code"]
            patience_s = 0
        return None


@functools.cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


# ── in the nursery ───────────────────────────────────────────────────────────────────────────────────────────────────


def main(tests: socket.socket) -> None:
    """Fork what is asked for and tell who ended, until the tests are gone."""
    for room in ROOMS:
        for module in _preload(room):
            importlib.import_module(module)
    gc.freeze()
    ended, end = os.pipe()
    os.set_blocking(end, False)
    signal.set_wakeup_fd(end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([tests, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            for told in _reaped():
                tests.send(json.dumps(told).encode())
        if tests in ready:
            asked = tests.recv(PACKET)
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                tests.detach()
                _live(**json.loads(asked))
                return
            tests.send(json.dumps({"born": pid}).encode())


def _preload(room: str) -> Sequence[str]:
    """What the worker processes of a room import first; nothing where it has none."""
    return getattr(importlib.import_module(f"gyrus.{room}.service"), "PRELOAD", ())


def _reaped() -> list[dict[str, int]]:
    found = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append({"ended": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})
    return found


def _live(room: str, log: str, environment: dict[str, str]) -> None:
    """What a new process does instead of `python -m gyrus.ROOM`."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.closerange(3, 4096)
    os.environ.clear()
    os.environ.update(environment)
    if _preload(room):
        multiprocessing.util.spawnv_passfds = _fork_with
        forkserver.ensure_running()  # now, while there is one thread
    sys.argv = [f"gyrus.{room}"]
    runpy.run_module(f"gyrus.{room}", run_name="__main__", alter_sys=True)


def _fork_with(path: Any, argv: Sequence[Any], fds: Sequence[int]) -> int:
    """What multiprocessing runs in a new interpreter, `-c` and a line, in a fork that has only these files open."""
    pid = os.fork()
    if pid == 0:
        try:
            kept = sorted({0, 1, 2, *fds})
            for low, high in zip(kept, [*kept[1:], 4096], strict=True):
                os.closerange(low + 1, high)
            exec(argv[-1], {})  # multiprocessing's own line
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
