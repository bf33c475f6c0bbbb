"""A stack becomes a prepared volume by the means of gyrus.data – or is refused, also where a library would go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gyrus.data.intensity import SHOWN_PERCENTILES, percentiles
from gyrus.data.preparing import MODALITY, Prepared, prepared
from gyrus.dicom.pixels import Refused, VolumeArray, read_volume
from gyrus.dicom.planes import Slices

FEWEST: Final = 3  # voxels along an axis: what is interpolated between two is no volume


@dataclass(frozen=True, eq=False)
class Ready:
    """A prepared volume and what it was made from."""

    prepared: Prepared
    source: Mapping[str, Any]  #: size (columns, rows, slices), spacing_mm and type, as read


def prepare(slices: Slices, mode: str, volume: int | None = None) -> Ready:
    """Prepare the images of one stack; see gyrus.dicom.pixels.read_volume for slices and volume. Raises Refused."""
    if mode not in MODALITY:
        raise Refused("unsupported_modality", f"mode {mode!r} is not one of {', '.join(MODALITY)}")
    read = read_volume(slices, volume)
    if not read.modality:
        raise Refused("unsupported_modality", "no modality")
    return prepare_volume(read, mode)


def prepare_volume(volume: VolumeArray, mode: str) -> Ready:
    """Prepare a volume. Raises Refused."""
    size = volume.array.shape[::-1]
    if min(size) < FEWEST:
        raise Refused("too_small", f"{' x '.join(map(str, size))} voxels, at least {FEWEST} along each axis")
    made = prepared(volume, mode)
    lowest, highest = percentiles(volume.array, (0, 100) if mode == "ct" else SHOWN_PERCENTILES)
    shown = made.tone.ranges[""] if mode == "mri" else None
    if lowest == highest or (shown is not None and shown.lower == shown.upper):
        raise Refused("constant_image", f"{'all' if mode == 'ct' else '99 % of the'} voxels have the value {lowest:g}")
    return Ready(made, {"size": size, "spacing_mm": volume.space.spacing_mm, "type": str(np.dtype(volume.array.dtype).newbyteorder("="))})
