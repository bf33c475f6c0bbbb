"""Logs: one JSON object a line, a past-tense verb and numbers. At info and above no names, no paths, no UIDs."""

import json
import logging
import sys
import traceback
from typing import Any

_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "room": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if record.exc_info:
            kind, _, trace = record.exc_info
            line["trace"] = "".join(traceback.format_tb(trace)) + (kind.__name__ if kind else "")  # its words may name a file or a person
        return json.dumps(line, default=str)


def set_up(level: int = logging.INFO) -> None:
    """Everything of this process goes to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("nats", "faststream", "uvicorn.error", "uvicorn.access", "pymongo", "httpx", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING if noisy != "nats" else logging.CRITICAL)
