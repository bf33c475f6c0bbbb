"""Named crash points: calls that do nothing unless a test arms them.

Killing at random does not find a wrong order of steps; killing, raising or stalling at each named step does. The points stand where
design §3 separates two steps, and bear the name of the step that follows. `GYRUS_CRASH_POINTS` arms them, as JSON:

    {"read.3": "kill"}                  SIGKILL to this process when the point is reached
    {"classify.2": "raise"}             an error, each time
    {"settle.4": "stall /tmp/x"}        once: writes /tmp/x.reached and waits until /tmp/x.go exists
    {"read.3": "kill 2"}                at the second time it is reached
    {"read.file": "obey"}               a worker process does what the name of the file in its hands ends with:
                                        `.dies` SIGKILL to itself alone, `.hangs` no more answer
"""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

_armed: dict[str, str] = {}
_hits: Counter[str] = Counter()
_victim = 0


class Armed(RuntimeError):
    """What an armed point raises."""


def arm(points: str, victim: int | None = None) -> None:
    """Arm the points of a JSON object; a kill goes to `victim` (this process by default) and to this process."""
    global _victim  # noqa: PLW0603 - one process, one plan
    _armed.clear()
    _armed.update(json.loads(points or "{}"))
    _victim = victim or os.getpid()


async def point(name: str) -> None:
    """A step is about to happen."""
    if name in _armed and (flag := _reached(name)):
        while not flag.with_suffix(".go").exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


def point_in_worker(name: str, file: str = "") -> None:
    """The same inside a worker process, with the file that it has in hand."""
    if _armed.get(name) == "obey":
        _obey(file)
    elif name in _armed and (flag := _reached(name)):
        while not flag.with_suffix(".go").exists():
            time.sleep(0.02)


def _obey(file: str) -> None:
    if file.endswith(".dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    while file.endswith(".hangs"):
        time.sleep(1)


def _reached(name: str) -> Path | None:
    action, _, argument = _armed[name].partition(" ")
    _hits[name] += 1
    if action == "raise":
        raise Armed(f"the point {name} is armed")
    if action == "kill" and _hits[name] == int(argument or 1):
        os.kill(_victim, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "stall" and _hits[name] == 1:
        flag = Path(argument)
        flag.with_suffix(".reached").touch()
        return flag
    return None
