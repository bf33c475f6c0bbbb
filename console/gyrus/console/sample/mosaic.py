"""Siemens mosaics: all slices of a volume as tiles of one image, from the top left, line by line; empty tiles at the end are black."""

import math
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Image
from gyrus.console.sample.headers import add_private, decimals
from gyrus.console.sample.images import Picture

HEADER = "SIEMENS MR HEADER"


def tiled(pictures: Sequence[Picture]) -> Picture:
    """The slices of one volume, in their order, as one picture."""
    rows, columns = pictures[0].pixels.shape
    side = math.ceil(math.sqrt(len(pictures)))
    tiles = np.zeros((side * side, rows, columns), dtype=np.uint16)
    tiles[: len(pictures)] = [picture.pixels for picture in pictures]
    return Picture(tiles.reshape(side, side, rows, columns).swapaxes(1, 2).reshape(side * rows, side * columns))


def add_tiles(dataset: Dataset, image: Image) -> None:
    """Say how many tiles there are, when each was measured, and where the corner of an image of this size would lie.

    The mosaic has the centre of its first slice; its corner is that of no slice (dcm2niix, nibabel).
    """
    slab = image.slab
    row, column, _ = slab.directions()
    wider, higher = dataset.Columns - slab.columns, dataset.Rows - slab.rows
    corner = slab.position(0) - (row * wider + column * higher) / 2 * slab.pixel_mm
    dataset.ImagePositionPatient = decimals(corner)
    add_private(
        dataset,
        {
            (0x0019, HEADER, 0x0A): ("US", slab.slices),
            (0x0019, HEADER, 0x15): ("FD", [float(part) for part in corner]),
            (0x0019, HEADER, 0x29): ("FD", slice_times_ms(image)),
        },
    )


def slice_times_ms(image: Image) -> list[float]:
    """When each slice is measured within the repetition time: every other slice, then those between.

    With an even number of slices Siemens begins with the second.
    """
    count = image.slab.slices
    first = 1 - count % 2
    order = [*range(first, count, 2), *range(1 - first, count, 2)]
    step_ms = float(image.elements["RepetitionTime"]) / count
    return [round(order.index(index) * step_ms / 2.5) * 2.5 for index in range(count)]
