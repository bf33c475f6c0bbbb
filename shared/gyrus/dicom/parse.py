"""The bytes of one open file become the parts of a header: by a walk where the file is ordinary, else by pydicom."""

import io
from functools import lru_cache

from gyrus.dicom.announce import pixels_at
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.elements import Elements, Notes
from gyrus.dicom.errors import TooLarge, UnusualError
from gyrus.dicom.field import Table
from gyrus.dicom.judging import Failure, Parsed, judged
from gyrus.dicom.moulds import Moulds
from gyrus.dicom.remembered import Remembered
from gyrus.dicom.walk import walk

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
    moulds = moulds_of(table)
    fitting = moulds.fit(raw.fileno(), size)
    if fitting is None:
        found = walk(raw.fileno(), size)
        fitting = moulds.learn(found)
        if fitting is None:
            notes = Notes()
            return judged(Elements(found.meta, notes), Elements(found.top, notes), pixels_at(raw, found.pixels, size, "<"), table)
    fit, remembered = fitting
    pixels = pixels_at(raw, fit.pixels, size, "<")
    if pixels is None:
        raise UnusualError("cut")
    return remembered.answer(fit, pixels)


@lru_cache(maxsize=4)
def moulds_of(table: Table) -> Moulds[Remembered]:
    """What this process learned of files that were read into a table."""
    return Moulds(lambda mould: Remembered(mould, table))
