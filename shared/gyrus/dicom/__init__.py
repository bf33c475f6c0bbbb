"""Reading DICOM: header, fields, vendors, frames, stacks, geometry. Pure: no bus, no database, no clock.

Names are loaded when they are asked for, so that who groups stored headers into stacks does not load pydicom.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gyrus.dicom.field import Field, Table
    from gyrus.dicom.fields import STANDARD
    from gyrus.dicom.geometry import order
    from gyrus.dicom.members import members_of
    from gyrus.dicom.merge import disagreements, merged, most_frequent
    from gyrus.dicom.reader import Header, Rejected, read
    from gyrus.dicom.rejects import REJECT_REASONS, RETRYABLE
    from gyrus.dicom.stacks import describe, kind_of, stack_key

_HOME = {
    "describe": "stacks",
    "Field": "field",
    "Table": "field",
    "STANDARD": "fields",
    "order": "geometry",
    "members_of": "members",
    "disagreements": "merge",
    "merged": "merge",
    "most_frequent": "merge",
    "Header": "reader",
    "Rejected": "reader",
    "read": "reader",
    "REJECT_REASONS": "rejects",
    "RETRYABLE": "rejects",
    "kind_of": "stacks",
    "stack_key": "stacks",
}

__all__ = [
    "REJECT_REASONS",
    "RETRYABLE",
    "STANDARD",
    "Field",
    "Header",
    "Rejected",
    "Table",
    "describe",
    "disagreements",
    "kind_of",
    "members_of",
    "merged",
    "most_frequent",
    "order",
    "read",
    "stack_key",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gyrus.dicom' has no name '{name}'; it has {', '.join(__all__)}.")
    return getattr(import_module(f"gyrus.dicom.{_HOME[name]}"), name)
