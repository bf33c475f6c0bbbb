"""The bytes of one open file become the parts of a header: by a walk where the file is ordinary, else by pydicom."""

import io
from functools import lru_cache

from gyrus.dicom.announce import pixels_at
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.elements import Elements, Notes
from gyrus.dicom.errors import TooLarge, UnusualError
from gyrus.dicom.field import Table
from gyrus.dicom.judging import Failure, Parsed, judged
from gyrus.dicom.runs import Runs
from gyrus.dicom.walk import walk
from gyrus.dicom.walked_elements import WalkedElements

MISMATCH, FAULT = "mismatch", "fault"  # causes that there must not be


def parse(raw: io.FileIO, size: int, table: Table) -> Parsed | Failure:
    """Read the header of an open file of `size` bytes."""
    if size == 0:
        return Failure("empty_file")
    try:
        found = read_by_walk(raw, size, table)
        if isinstance(found, Parsed):
            return found
        unusual = found.reason
    except UnusualError as error:
        unusual = error.cause
    except TooLarge:
        unusual = "too_large"
    except (OSError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - a fault of the walk must cost time, not a file; it is counted
        unusual = FAULT
    return read_by_pydicom(raw, size, table, unusual)


def parse_twice(raw: io.FileIO, size: int, table: Table) -> Parsed | Failure:
    """Read the header in both ways. Where they differ, pydicom's word counts, and the cause is MISMATCH."""
    first = parse(raw, size, table)
    if not isinstance(first, Parsed) or first.unusual:
        return first
    second = read_by_pydicom(raw, size, table)
    return first if first == second else read_by_pydicom(raw, size, table, MISMATCH)


def read_by_walk(raw: io.FileIO, size: int, table: Table) -> Parsed | Failure:
    """Read the header of an ordinary file. Raises UnusualError and TooLarge."""
    runs, notes = runs_of(table), Notes()
    meta, dataset, position = walk(raw.fileno(), size, runs)
    top = WalkedElements(dataset, notes, table, runs)
    return judged(Elements(meta, notes), top, pixels_at(raw, position, size, "<"), table)


@lru_cache(maxsize=4)
def runs_of(table: Table) -> Runs:
    """What this process learned of files that were read into a table."""
    moving = frozenset(field.tag for field in table.fields if field.level == "image" and field.tag)
    return Runs(table.by_tag.keys() - moving, moving, table.by_sequence.keys())
