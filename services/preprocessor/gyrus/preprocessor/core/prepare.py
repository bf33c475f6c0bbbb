"""A stack becomes a prepared volume: read, put on the grid, turned into bytes – or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gyrus.dicom.pixels import Refused, VolumeArray, read_volume

from .grid import to_grid
from .intensity import SHOWN_PERCENTILES, Bytes, tone_ct, tone_mri

MODALITY: Final[Mapping[str, str]] = {"mri": "MR", "ct": "CT"}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model-ready volume; D, H, W are the slices, rows and columns of its view."""

    mode: str
    view: int  #: 0 axial, 1 coronal, 2 sagittal
    spacing_mm: tuple[float, float, float]  #: along x, y, z of the RPI axes, not permuted by the view
    images: dict[str, Bytes]  #: by window (D, H, W): CT brain, blood, bone; MRI one, named ""
    background: Bytes  #: (D, H, W), 1 = background
    source_type: str  #: the type of the values before they became bytes
    source_size: tuple[int, ...]  #: columns, rows, slices as read
    source_spacing_mm: tuple[float, ...]  #: along columns, rows, slices as read

    @property
    def shape(self) -> tuple[int, int, int]:
        slices, rows, columns = self.background.shape
        return slices, rows, columns


def prepare(slices: Sequence[tuple[str, int | None]], mode: str) -> Prepared:
    """Prepare the images of one stack; see gyrus.dicom.pixels.read_volume for slices. Raises Refused."""
    if mode not in MODALITY:
        raise Refused("unsupported_modality", f"mode {mode!r} is not one of {', '.join(MODALITY)}")
    volume = read_volume(slices)
    if volume.modality != MODALITY[mode]:
        raise Refused("unsupported_modality", f"modality {volume.modality or 'unknown'} does not go with mode {mode}")
    return prepare_volume(volume, mode)


def prepare_volume(volume: VolumeArray, mode: str) -> Prepared:
    """Prepare a volume whose modality is known. Raises Refused."""
    if mode == "ct" and not volume.hounsfield:
        raise Refused("no_hounsfield", "a slice lacks rescale slope or intercept, or rescales to another unit")
    # looked at before resampling, which turns one value into two by truncation
    lowest, highest = np.percentile(volume.array, (0, 100) if mode == "ct" else SHOWN_PERCENTILES)
    if lowest == highest:
        raise Refused("constant_image", f"{'all' if mode == 'ct' else '99 % of the'} voxels have the value {lowest:g}")
    grid = to_grid(volume)
    toned = tone_ct(grid.values) if mode == "ct" else tone_mri(grid.values)
    return Prepared(
        mode=mode,
        view=grid.view,
        spacing_mm=grid.spacing_mm,
        images=toned.images,
        background=toned.background,
        source_type=str(volume.array.dtype),
        source_size=volume.array.shape[::-1],
        source_spacing_mm=volume.spacing_mm,
    )
