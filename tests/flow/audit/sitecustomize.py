"""Put on PYTHONPATH of a service: notes which files below AUDIT_BELOW the process, or a worker of it, opens, when, in which function."""

import os
import sys
import time

_below, _log = os.environ.get("AUDIT_BELOW", ""), os.environ.get("AUDIT_LOG", "")


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(_below + "/"):
        line = f"{time.monotonic_ns()}\t{sys._getframe(1).f_code.co_name}\t{arguments[0]}\n"
        handle = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, line.encode())
        os.close(handle)


if _below:
    sys.addaudithook(_note)
