"""The extractor with pydicom in place of the walk, and nothing else changed: what the walk is measured against.

Run as a module it is that service. Its worker processes get `read_file` by name, as they get the extractor's own.
"""

import io

from gyrus.dicom import reader
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.field import Field, Table
from gyrus.dicom.judging import Failure, Parsed
from gyrus.extractor import opening
from gyrus.extractor.files import Said
from gyrus.extractor.service import make
from gyrus.shared.service import main

BY = "bench"  # why pydicom had to read a file, in the extractor's metrics


def parse(raw: io.FileIO, size: int, table: Table) -> Parsed | Failure:
    """Read the header of an open file of `size` bytes."""
    return read_by_pydicom(raw, size, table, BY) if size else Failure("empty_file")


read_by_extractor = opening.read_file


def read_file(path: str, cohort: str, subject_key: bytes, site: tuple[Field, ...] = ()) -> Said:
    """Read a header, in a worker process."""
    reader.parse = reader.parse_twice = parse
    return read_by_extractor(path, cohort, subject_key, site)


if __name__ == "__main__":
    opening.read_file = read_file
    main(make)
