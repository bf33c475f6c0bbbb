"""The `gyrus` command, called as a person calls it, within this process; and to wait for one that is a process of its own."""

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

from gyrus.console.main import main


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def gyrus(*words: object) -> Answer:
    """Call `gyrus WORDS …`."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["gyrus", *(str(word) for word in words)]
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.object(sys, "argv", argv):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Answer(code, out.getvalue(), err.getvalue())


def until(ready: Callable[[], object]) -> None:
    """Wait until something is so, a minute at most."""
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)
