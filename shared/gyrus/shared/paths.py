"""Paths as text: relative to their source, bytes that are not UTF-8 percent-escaped.

A `%` that is followed by two hexadecimal digits is escaped too, so that each path has exactly one text and each text one path.
"""

import os
import re

_ESCAPABLE = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_UNDECODABLE = re.compile("[\udc80-\udcff]")  # how Python names a byte that is not UTF-8 (PEP 383)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def to_text(path: str) -> str:
    """The text of a path as the operating system names it."""
    return _UNDECODABLE.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", _ESCAPABLE.sub("%25", path))


def from_text(text: str) -> str:
    """The path that `to_text` wrote, as the operating system names it."""
    return os.fsdecode(_ESCAPED.sub(lambda byte: bytes([int(byte[1], 16)]), text.encode("utf-8")))
