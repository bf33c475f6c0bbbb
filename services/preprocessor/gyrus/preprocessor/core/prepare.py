"""A stack becomes prepared volumes by the means of gyrus.data – or is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gyrus.data.preparing import MODALITY, Prepared, prepared
from gyrus.data.spread import chosen_volumes
from gyrus.dicom.layouts import read_layout
from gyrus.dicom.pixels import Refused, VolumeArray, volume_of
from gyrus.dicom.planes import Layout, Slices


@dataclass(frozen=True, eq=False)
class Ready:
    """A prepared volume and what it was made from."""

    prepared: Prepared
    source: Mapping[str, Any]  #: size (columns, rows, slices), spacing_mm and type, as read; of a run also which volume, and its b-value


def wanted_volumes(layout: Layout, most: int) -> list[int]:
    """Which volumes of a stack are made, from 0; most: at most so many of a run, 0: all."""
    return chosen_volumes([b_value_of(layout, index) for index in range(len(layout.volumes))], most)


def b_value_of(layout: Layout, index: int) -> float | None:
    """Of a volume, s/mm², as its maker measured it; else as it was asked for."""
    known = layout.volumes[index][0].known
    b_value = known.get("diffusion_b_value_actual", known.get("diffusion_b_value"))
    return None if b_value is None else float(b_value)


def prepare(slices: Slices, mode: str, volume: int | None = None) -> Ready:
    """Prepare the images of one stack; see gyrus.dicom.pixels.read_volume for slices and volume. Raises Refused."""
    return prepare_one(read_layout(slices), mode, volume)


def prepare_one(layout: Layout, mode: str, index: int | None = None) -> Ready:
    """Prepare one volume of a stack; index: from 0, of a stack that has several. Raises Refused."""
    if mode not in MODALITY:
        raise Refused("unsupported_modality", f"mode {mode!r} is not one of {', '.join(MODALITY)}")
    try:
        read = volume_of(layout, index)
        if not read.modality:
            raise Refused("unsupported_modality", "no modality")
        ready = prepare_volume(read, mode)
    except Refused as refused:
        if index is None or len(layout.volumes) == 1:
            raise
        raise Refused(refused.reason, f"volume {index} of {len(layout.volumes)}: {refused.detail}", refused.path) from None
    if index is None or len(layout.volumes) == 1:
        return ready
    return replace(ready, source={**ready.source, **of_run(layout, index)})


def of_run(layout: Layout, index: int) -> dict[str, Any]:
    """Which volume of a run it is, and its b-value where it has one."""
    b_value = b_value_of(layout, index)
    return {"volume": index, "volumes": len(layout.volumes), **({} if b_value is None else {"b_value": b_value})}


def prepare_volume(volume: VolumeArray, mode: str) -> Ready:
    """Prepare a volume. Raises Refused."""
    size = volume.array.shape[::-1]
    return Ready(
        prepared(volume, mode),
        {"size": size, "spacing_mm": volume.space.spacing_mm, "type": str(np.dtype(volume.array.dtype).newbyteorder("="))},
    )
