"""A digest of the pixel bytes of a file, for files that claim to be the same instance."""

import hashlib
import os
import stat
from collections.abc import Mapping
from typing import Any, BinaryIO

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian

from gyrus.dicom.announce import ENCAPSULATED, pixels_at
from gyrus.dicom.reader import NOT_THERE, OPEN_FLAGS

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
PIECE = 1 << 20  # bytes
Stamp = tuple[int | None, int | None]
Place = tuple[int, int]  # offset and length in bytes


def place_of(image: Mapping[str, Any]) -> Place | None:
    """Where the pixels of an image lie, by the fields of its header; None where they are packed or in fragments."""
    offset, length = image.get("pixel_offset", -1), image.get("pixel_length", ENCAPSULATED)
    return (offset, length) if offset >= 0 and length >= 0 else None


def pixel_digest(path: str, expected: Stamp, place: Place | None = None) -> tuple[Stamp, str | None]:
    """Size and mtime of the file as it was opened (None, None where there is no regular file), and the BLAKE2b digest of its pixel bytes.

    place: where they lie, by the header that was read when the file was as `expected`; where it is not known the header is read again.
    The bytes are compared as they are stored: another transfer syntax is another encoding, and a field that differs. The digest is None
    where the pixels cannot be read, or the file is not as `expected`.
    """
    try:
        handle = os.open(path, OPEN_FLAGS)
    except OSError as error:
        return ((None, None) if error.errno in NOT_THERE else expected), None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        return (None, None), None
    with os.fdopen(handle, "rb") as file:
        stamp = (status.st_size, status.st_mtime_ns)
        if stamp != expected:
            return stamp, None
        try:
            return stamp, _digest(file, place) if place else _digest_by_header(file, status.st_size)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a broken file may raise anything; its header was read before
            return stamp, None


def digest_one(file: tuple[str, Stamp, Place | None]) -> tuple[Stamp, str | None]:
    """`pixel_digest` of path, stamp and place together, for workers: what they run must not make them import a service."""
    return pixel_digest(*file)


def _digest(file: BinaryIO, place: Place) -> str:
    """Piece by piece: the pixels lie in the file as they are."""
    made = hashlib.blake2b(digest_size=16)
    offset, left = place
    file.seek(offset)
    while left > 0 and (piece := file.read(min(left, PIECE))):
        made.update(piece)
        left -= len(piece)
    return made.hexdigest()


def _digest_by_header(file: BinaryIO, size: int) -> str:
    """Whole where the pixels are packed or in fragments, and thus smaller."""
    dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    is_deflated = dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    order = ">" if dataset.original_encoding[1] is False else "<"
    pixels = None if is_deflated else pixels_at(file, file.tell(), size, order)
    if pixels is not None and pixels.length != ENCAPSULATED:
        return _digest(file, (pixels.offset, pixels.length))
    file.seek(0)
    dataset = pydicom.dcmread(file, force=True)
    whole = next((bytes(dataset[name].value) for name in PIXELS if name in dataset), b"")
    return hashlib.blake2b(whole, digest_size=16).hexdigest()
