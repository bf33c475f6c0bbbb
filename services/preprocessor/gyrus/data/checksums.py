"""Whether a .pt file is what was written: it is a zip archive with a CRC-32 of each part (APPNOTE.TXT 4.4.7).

torch.load compares them with nothing, so that a flipped bit would be another voxel. All of a file is read: about 0.1 ms a MB.
"""

import os
import struct
import zipfile
from pickle import UnpicklingError
from typing import BinaryIO, Final

from isal import isal_zlib

FOLDER: Final = 0x10  # of a part's attributes: torch gives a part with it whatever lies in memory
HEADER, LENGTHS = 30, "<26xHH"  # of a part: bytes before its name, and where they say how long name and extra field are (4.3.7)
PIECE: Final = 1 << 16  # bytes that are read at once
NO_ARCHIVE: Final = (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, struct.error)
UNREADABLE: Final = (*NO_ARCHIVE, OSError, UnpicklingError, LookupError, TypeError, AttributeError)
"""What torch.load raises of a file that is cut short or no .pt file, and we of one that is damaged or holds something else."""


def compare(file: BinaryIO) -> None:
    """Raises BadZipFile for a file that is not what its checksums say."""
    if not is_undamaged(file):
        raise zipfile.BadZipFile


def is_undamaged(file: BinaryIO) -> bool:
    """Whether all parts are there and agree with their checksums. Leaves the file at its beginning. Raises OSError."""
    try:
        with zipfile.ZipFile(file) as archive:
            return all(_agrees(file, part) for part in archive.infolist())
    except NO_ARCHIVE:
        return False
    finally:
        file.seek(0)


def _agrees(file: BinaryIO, part: zipfile.ZipInfo) -> bool:
    """torch packs no part: it lies there as it is."""
    file.seek(part.header_offset)
    file.seek(sum(struct.unpack(LENGTHS, file.read(HEADER))), os.SEEK_CUR)
    left, found = part.file_size, 0
    while piece := file.read(min(left, PIECE)):
        left, found = left - len(piece), isal_zlib.crc32(piece, found)
    return left == 0 and found == part.CRC and not part.external_attr & FOLDER
