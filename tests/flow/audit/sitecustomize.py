"""Put on PYTHONPATH of a service: notes every file below AUDIT_BELOW that the process, or a worker of it, opens."""

import os
import sys

_below, _log = os.environ.get("AUDIT_BELOW", ""), os.environ.get("AUDIT_LOG", "")


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(_below + "/"):
        handle = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, arguments[0].encode() + b"\n")
        os.close(handle)


if _below:
    sys.addaudithook(_note)
