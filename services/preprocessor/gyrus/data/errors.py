"""Why an image is not loaded, in words for people who may see paths.

GyrusError
└ ImageError        (a ValueError) the file, what was found, what to do; `reason` is a code from the closed list of refusals
"""

from os import PathLike

from gyrus.data.refusals import REFUSALS
from gyrus.dicom.refused import Refused
from gyrus.shared.errors import GyrusError


class ImageError(GyrusError, ValueError):
    """An image cannot be loaded or prepared."""

    def __init__(self, reason: str, detail: str, path: str | PathLike[str] | None = None) -> None:
        where = f"{path}: " if path is not None else ""
        super().__init__(f"{where}{detail} ({reason}). {REFUSALS[reason]}")
        self.reason, self.detail, self.path = reason, detail, path

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str, str | PathLike[str] | None]]:
        return ImageError, (self.reason, self.detail, self.path)


def told(refused: Refused, path: str | PathLike[str] | None) -> ImageError:
    """A refusal, with the file that it is about."""
    return ImageError(refused.reason, refused.detail, refused.path or path)
