"""One image as bytes in token order: from the cache, of which only what is wanted is read, or prepared anew to the same bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from gyrus.data.checksums import UNREADABLE, compare
from gyrus.data.errors import told
from gyrus.data.tasks import made_of_now, whole
from gyrus.data.tokens import VOXELS
from gyrus.datasets.listing import ImageRef
from gyrus.dicom.refused import Refused
from gyrus.shared.documents import RECIPE

AXES: Final[Mapping[int, str]] = {0: "zyx", 1: "yzx", 2: "xyz"}
"""The patient's axes along slices, rows and columns, by view: x left and right, y front and back, z head and foot."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Tokens in their places: blocks uint8 (d, h, w, 1024) and, of each, whether background is in it, uint8 (d, h, w)."""

    blocks: torch.Tensor
    filtered: torch.Tensor
    axes: str  #: the patient's axes along d, h, w

    @property
    def size(self) -> tuple[int, int, int]:
        d, h, w = self.filtered.shape
        return d, h, w

    def with_(self, blocks: torch.Tensor, filtered: torch.Tensor, axes: str | None = None) -> "Grid":
        return replace(self, blocks=blocks, filtered=filtered, axes=axes or self.axes)


def read_cached(ref: ImageRef, window: str | None) -> Grid:
    """An image of the cache: all of its file is compared with its checksums, then its voxels are looked at where they lie.

    Raises FileNotFoundError, and OSError for a file that is damaged or none of ours.
    """
    path = ref.folder / f"{ref.image}{f'_{window}' if window else ''}.pt"
    try:
        with path.open("rb") as file:
            compare(file)
        saved: dict[str, Any] = torch.load(path, weights_only=True, mmap=True)
        return _grid(saved["data"], saved["filtered"], saved["size"], saved["view"])
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise OSError(f"{path} is damaged, or of another layout ({type(error).__name__}): delete it, and prepare the image again") from None


def read_raw(ref: ImageRef, window: str | None) -> Grid:
    """The same bytes, made from the source; takes seconds. Raises ImageError, FileNotFoundError."""
    from gyrus.data.images import read_source  # noqa: PLC0415 - who reads a cache needs no SimpleITK
    from gyrus.data.preparing import prepared  # noqa: PLC0415
    from gyrus.data.sources import source_of  # noqa: PLC0415

    source = source_of(_known(ref))
    try:
        made = prepared(read_source(source), ref.mode)
    except Refused as refused:
        raise told(refused, source.path) from None
    return _grid(torch.from_numpy(made.tokens[window or ""]), torch.from_numpy(made.filtered), made.size, made.view)


def is_cached(ref: ImageRef) -> bool:
    """Whether the cache holds an image by our recipe, of its source as it is now; where the source is not here, that cannot be asked."""
    said = whole(ref.folder, ref.image, ref.mode)
    if said is None or ref.source is None:
        return said is not None
    made_of = said.get("made_of")
    try:
        if ref.source.exists():
            return bool(made_of == made_of_now(ref.source, ref.mode))
    except OSError:  # it went, or is closed to us: who prepares it anew says so
        return False
    return isinstance(made_of, dict) and (made_of["recipe"], made_of["mode"]) == (RECIPE, ref.mode)


def _known(ref: ImageRef) -> Path:
    if ref.source is None:
        raise FileNotFoundError(
            f"{ref.path} is not (or not whole) in {ref.folder}, and nobody here knows its source: `select` again, or prepare it anew"
        )
    return ref.source


def _grid(tokens: torch.Tensor, filtered: torch.Tensor, size: Any, view: int) -> Grid:
    d, h, w = (int(length) for length in size)
    return Grid(tokens.view(d, h, w, VOXELS), filtered.view(d, h, w), AXES[int(view)])
