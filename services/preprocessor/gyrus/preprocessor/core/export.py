"""What a worker process does to write one stack as NIfTI. Quick to import; the heavy libraries wait for work."""

from dataclasses import dataclass
from typing import Final

from gyrus.dicom.planes import Slices
from gyrus.dicom.refused import Refused

SUFFIXES: Final = (".nii.gz", ".json", ".bval", ".bvec")


@dataclass(frozen=True, kw_only=True)
class Export:
    """One stack to write."""

    slices: Slices  #: path, frame from 1 or None for every frame of the file
    folder: str
    name: str


def export(wanted: Export) -> list[str] | Refused:
    """Write <name>.nii.gz with what belongs to it; returns the names of the files. Raises OSError when storage fails."""
    from gyrus.data.exporting import nifti_of  # noqa: PLC0415 – seconds of import
    from gyrus.data.storage import Storage  # noqa: PLC0415
    from gyrus.dicom.planes import images_of  # noqa: PLC0415

    try:
        files = nifti_of(images_of(wanted.slices))
    except Refused as refused:
        return refused.with_traceback(None)
    storage = Storage(wanted.folder)
    for suffix in (*reversed(SUFFIXES),):  # the image last: where it is, the rest is
        if suffix in files:
            storage.write(wanted.name + suffix, files[suffix])
    return sorted(wanted.name + suffix for suffix in files)
