"""A digest of the pixel bytes of a file, for files that claim to be the same instance."""

import hashlib
import os
from pathlib import Path

import pydicom

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def pixel_digest(path: str) -> tuple[tuple[int | None, int | None], str | None]:
    """Size and mtime of the file as it was opened (None, None where it is not there), and the BLAKE2b digest of its pixel bytes.

    The bytes are compared as they are stored: another transfer syntax is another encoding, and a field that differs. The digest is None
    where the pixels cannot be read.
    """
    try:
        with Path(path).open("rb") as handle:
            stat = os.fstat(handle.fileno())
            stamp = (stat.st_size, stat.st_mtime_ns)
            try:
                dataset = pydicom.dcmread(handle, force=True)
                pixels = next((bytes(dataset[name].value) for name in PIXELS if name in dataset), b"")
            except Exception:  # noqa: BLE001 - a broken file may raise anything; its header was read before
                return stamp, None
    except OSError:
        return (None, None), None
    return stamp, hashlib.blake2b(pixels, digest_size=16).hexdigest()
