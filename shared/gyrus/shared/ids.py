"""Identifiers: ULIDs for what happens, digests for what is."""

import hashlib
import json
from typing import Any

from ulid import ULID


def ulid() -> str:
    """A new identifier that sorts by the time of its making."""
    return str(ULID())


def canonical(value: Any) -> bytes:
    """One spelling of a plain value (text, numbers, bytes, lists, dicts), whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode("utf-8", "surrogatepass")


def digest(value: Any, size_bytes: int = 16) -> str:
    """Hexadecimal BLAKE2b digest of a plain value."""
    return hashlib.blake2b(canonical(value), digest_size=size_bytes).hexdigest()


def file_id(cohort: str, source: str, path: str) -> str:
    """The `_id` of a file's document: it stays the same when the file changes, and says nothing about its path."""
    return digest([cohort, source, path])


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": bytes(value).hex()}
    raise TypeError(f"{type(value).__name__} is not a plain value")
