"""Whether a file that is no DICOM was an image: what a broken copy or a full disk leaves among the images of a series."""

from pathlib import Path
from typing import Final

NO_DICOM: Final = frozenset({"empty_file", "not_dicom", "compressed_container", "vanished"})  # reasons of files that bear nothing of DICOM
PREAMBLE: Final = 128  # bytes, of which most writers make zeros (PS3.10 section 7.1)


def named_as(path: Path) -> str:
    """What the names of a series have in common: their suffix. Of a number (`I.001`, or a UID) it is none."""
    suffix = path.suffix.lower()
    return "" if suffix[1:].isdigit() else suffix


def was_image(path: Path, reason: str) -> bool:
    """Of a file that is no DICOM and is named as the images beside it: whether it was to be one of them.

    A suffix says so. Without one, README and DICOMDIR are named as images are; these bear numbers, and of a broken one nothing is left,
    or zeros, or a link to what is not there. Hidden files are the system's.
    """
    if path.name.startswith("."):
        return False
    if named_as(path):
        return True
    return any(letter.isdigit() for letter in path.name) and (reason == "vanished" or _is_blank(path))


def _is_blank(path: Path) -> bool:
    with path.open("rb") as file:
        return not file.read(PREAMBLE).strip(b"\0")
