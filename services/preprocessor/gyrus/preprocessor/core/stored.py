"""Images as they are stored, for pictures only: one for itself, grey or coloured, whatever its place in the patient."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from gyrus.data.intensity import SHOWN_PERCENTILES, Bytes
from gyrus.data.spread import spread
from gyrus.dicom.pixels import BROKEN
from gyrus.dicom.planes import Slices

MOST_PIXELS = 2**26


@dataclass(frozen=True, eq=False)
class Picture:
    """A grey picture."""

    pixels: Bytes  #: (rows, columns)
    pixel_mm: tuple[float, float]  #: height and width of a pixel

    @property
    def height_mm(self) -> float:
        return float(self.pixels.shape[0]) * self.pixel_mm[0]

    @property
    def width_mm(self) -> float:
        return float(self.pixels.shape[1]) * self.pixel_mm[1]


def stored_pictures(slices: Slices, most: int) -> list[Picture]:
    """At most so many of the images of a stack, spread evenly over its files in the order of their numbers; none that cannot be decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values were counted when the header was read
        images = sorted(_images(slices))
        wanted = sorted(images[place][1:] for place in spread(len(images), most))
        found: list[Picture] = []
        for path, frames in groupby(wanted, key=lambda one: one[0]):
            with suppress(FileNotFoundError, *BROKEN):
                found += _decoded(path, [frame for _, frame in frames])
    return found


def _images(slices: Slices) -> Iterator[tuple[int, str, int]]:
    """Instance number, path and frame from 0 of every image."""
    for path, frame in slices:
        number, frames = 0, 1
        with suppress(FileNotFoundError, *BROKEN):
            said = dcmread(path, stop_before_pixels=True, force=True, specific_tags=["InstanceNumber", "NumberOfFrames"])
            number, frames = int(said.get("InstanceNumber") or 0), int(said.get("NumberOfFrames") or 1)
        yield from ((number, path, one) for one in (range(frames) if frame is None else [frame - 1]))


def _decoded(path: str, frames: Sequence[int]) -> Iterator[Picture]:
    dataset = dcmread(path, force=True)
    if int(dataset.Rows) * int(dataset.Columns) > MOST_PIXELS:
        return
    for pixels in iter_pixels(dataset, indices=list(frames)):
        yield Picture(_grey(pixels, dataset), _pixel_mm(dataset))


def _grey(pixels: NDArray[Any], dataset: Dataset) -> Bytes:
    """Percentile 0.5 is black and 99.5 white; colours by their mean."""
    kind = str(dataset.get("PhotometricInterpretation", ""))
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    values = pixels.mean(axis=-1) if pixels.ndim == 3 else pixels.astype(np.float64)
    low, high = np.percentile(values, SHOWN_PERCENTILES)
    made: Bytes = ((values - low) / max(high - low, 1e-6) * 255).clip(0, 255).astype(np.uint8)
    return 255 - made if kind == "MONOCHROME1" else made


def _pixel_mm(dataset: Dataset) -> tuple[float, float]:
    """As the image says it, else square."""
    said = [float(length) for length in dataset.get("PixelSpacing") or ()]
    usable = len(said) == 2 and all(0 < length < math.inf for length in said) and max(said) < 10 * min(said)
    return (said[0], said[1]) if usable else (1.0, 1.0)
