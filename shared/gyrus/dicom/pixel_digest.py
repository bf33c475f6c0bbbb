"""A digest of the pixel bytes of a file, for files that claim to be the same instance."""

import hashlib
import os
import stat

import pydicom

from gyrus.dicom.reader import OPEN_FLAGS

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
Stamp = tuple[int | None, int | None]


def pixel_digest(path: str, expected: Stamp) -> tuple[Stamp, str | None]:
    """Size and mtime of the file as it was opened (None, None where there is none), and the BLAKE2b digest of its pixel bytes.

    The bytes are compared as they are stored: another transfer syntax is another encoding, and a field that differs. The digest is None
    where the pixels cannot be read, or the file is not as `expected`.
    """
    try:
        handle = os.open(path, OPEN_FLAGS)
    except OSError:
        return (None, None), None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return (None, None), None
        stamp = (status.st_size, status.st_mtime_ns)
        if stamp != expected:
            return stamp, None
        try:
            dataset = pydicom.dcmread(file, force=True)
            pixels = next((bytes(dataset[name].value) for name in PIXELS if name in dataset), b"")
        except Exception:  # noqa: BLE001 - a broken file may raise anything; its header was read before
            return stamp, None
    return stamp, hashlib.blake2b(pixels, digest_size=16).hexdigest()
