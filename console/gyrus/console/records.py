"""A stack as it is printed, online and offline alike: first the keys that both share, in one order, then what only one knows."""

from collections.abc import Mapping
from typing import Any

from gyrus.shared.documents import stack_record
from gyrus.shared.ids import digest

Document = dict[str, Any]

KEYS = tuple(stack_record({}, None))
HANDLE = 8  # hexadecimal digits
NO_CODE = "files lie in folders to which the subject rules give no code; their subject comes from PatientID, or from their study"


def record_of(stack: Mapping[str, Any]) -> Document:
    """The shared keys of a stack."""
    return {key: stack[key] for key in KEYS}


def ordered(stack: Mapping[str, Any]) -> Document:
    """The shared keys, then the rest."""
    return {**record_of(stack), **{key: value for key, value in stack.items() if key not in KEYS}}


def handle_of(stack_id: str) -> str:
    """A short name of a stack, the same on every machine: what tables show and `gyrus show` takes."""
    return digest(stack_id, HANDLE // 2)
