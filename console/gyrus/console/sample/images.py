"""From the head to stored pixels: signal models, slices through the head, noise. Everything is drawn from fixed seeds."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gyrus.console.sample.cohort import Image, Series, Subject, Volume
from gyrus.console.sample.geometry import Vector
from gyrus.console.sample.phantom import TEMPLATE_ORIGIN_MM, Floats, Head

Pixels = NDArray[np.uint16] | NDArray[np.int16]

HEAD_CENTRE_MM = (0.0, -18.0, 8.0)  # MNI point that lies in the middle of the scanner
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
MR_LARGEST = 4095  # 12 bits stored
CT_OFFSET_HU = 1024  # stored = HU + 1024: rescale intercept -1024
CT_OUTSIDE = -2000  # what GE stores outside the reconstructed circle
CT_NOISE_HU = 3.5
SUBSLICE_MM = 1.5  # a thick slice is the mean of planes about this far apart

# Signals relative to white matter in T1 or the brightest tissue; ADC in 10⁻⁶ mm²/s (= µm²/s); CT in Hounsfield units.
# MR values follow from relaxation times at 3 T and the weighting of the sequence, rounded until they look right.
SIGNALS: Mapping[str, Mapping[str, float]] = {
    "t1": {"grey": 0.65, "white": 1.0, "fluid": 0.15, "bone": 0.08, "fat": 1.1, "flesh": 0.5, "eye": 0.2},
    "flair": {"grey": 0.95, "white": 0.68, "fluid": 0.08, "bone": 0.05, "fat": 0.85, "flesh": 0.4, "eye": 0.12},
    "t2": {"grey": 0.62, "white": 0.45, "fluid": 1.25, "bone": 0.03, "fat": 0.1, "flesh": 0.2, "eye": 1.25},
    "adc": {"grey": 820, "white": 740, "fluid": 2950, "bone": 200, "fat": 100, "flesh": 1200, "eye": 2600},
    "fibre": {"grey": 0.1, "white": 0.6, "fluid": 0.0, "bone": 0.0, "fat": 0.0, "flesh": 0.0, "eye": 0.0},
    "ct": {"air": -1000, "grey": 38, "white": 29, "fluid": 8, "bone": 900, "fat": -90, "flesh": 55, "eye": 12},
}


@dataclass(frozen=True)
class Camera:
    """A subject's head under a series' slices: answers what a slice sees of a mixture."""

    head: Head
    series: Series
    _seen: dict[tuple[str, int], Floats] = field(default_factory=dict)

    def see(self, contrast: str, slice_index: int) -> Floats:
        """(rows, columns): the mean signal across the slice's thickness; kept, since volumes share their slices. Not to be changed."""
        if (contrast, slice_index) not in self._seen:
            self._seen[contrast, slice_index] = self._look(contrast, slice_index)
        return self._seen[contrast, slice_index]

    def _look(self, contrast: str, slice_index: int) -> Floats:
        volume = self.head.mix(contrast, SIGNALS[contrast])
        slab = self.series.slab
        row, column, step = (axis @ self._to_template().T for axis in slab.directions())
        corner = self._to_voxel(slab.position(slice_index))
        planes = max(1, round(slab.thickness_mm / SUBSLICE_MM))
        offsets = (np.arange(planes) - (planes - 1) / 2) * slab.thickness_mm / planes
        seen = [_interpolate(volume, self._points(corner + step * offset, row, column)) for offset in offsets]
        mean: Floats = np.mean(seen, axis=0, dtype=np.float32)
        return mean

    def _points(self, corner: Vector, row: Vector, column: Vector) -> NDArray[np.float32]:
        """Template voxels (3, rows, columns) below the slice's pixels."""
        slab = self.series.slab
        down = column[:, None, None] * np.arange(slab.rows)[None, :, None]
        across = row[:, None, None] * np.arange(slab.columns)[None, None, :]
        return (corner[:, None, None] + (down + across) * slab.pixel_mm).astype(np.float32)

    def _to_template(self) -> Vector:
        """The matrix from patient axes (LPS, mm) to the template's axes (RAS, mm): undo the turns, then the subject's size."""
        subject = self.series.study.subject
        return LPS_TO_RAS @ np.diag(1 / np.array(subject.scale)) @ _turns(subject).T

    def _to_voxel(self, position: Vector) -> Vector:
        voxel: Vector = self._to_template() @ position + np.array(HEAD_CENTRE_MM) - np.array(TEMPLATE_ORIGIN_MM)
        return voxel


def pixels_of(series: Series, head: Head) -> Iterator[tuple[Image, Pixels]]:
    """All images of a series with their stored pixels, in the order of their numbers."""
    camera = Camera(head, series)
    for volume_index, slice_index in product(range(len(series.volumes)), range(series.slab.slices)):
        image = Image(series=series, volume_index=volume_index, slice_index=slice_index)
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(image.uid.encode()).digest()[:8], "little"))
        yield image, MODELS.get(series.contrast, _weighted)(camera, image, random)


def _weighted(camera: Camera, image: Image, random: np.random.Generator) -> Pixels:
    """A magnitude image of one of the contrasts above."""
    return _magnitude(camera.see(image.series.contrast, image.slice_index), random)


def _diffusion(camera: Camera, image: Image, random: np.random.Generator) -> Pixels:
    """The T2-weighted image, weakened by exp(-b·D); along the fibres of white matter D is larger than across."""
    unweighted = camera.see("t2", image.slice_index)
    b_value = image.volume.b_value or 0
    if b_value == 0:
        return _magnitude(unweighted, random)
    diffusivity = camera.see("adc", image.slice_index) * 1e-6
    along = _alignment(camera.series, image.slice_index, image.volume)
    diffusivity *= 1 + camera.see("fibre", image.slice_index) * (1.5 * along - 0.5)
    return _magnitude(unweighted * np.exp(-b_value * diffusivity), random)


def _adc_map(camera: Camera, image: Image, random: np.random.Generator) -> Pixels:
    """Apparent diffusion coefficient in 10⁻⁶ mm²/s, 0 where there was too little signal to fit it."""
    coefficient = camera.see("adc", image.slice_index)
    noisy = coefficient * (1 + 0.03 * random.standard_normal(coefficient.shape, dtype=np.float32))
    measurable = camera.see("t2", image.slice_index) > 0.15
    return _stored(noisy * measurable)


def _tomogram(camera: Camera, image: Image, random: np.random.Generator) -> Pixels:
    """Stored values of CT; outside the reconstructed circle the padding value."""
    hounsfield = camera.see("ct", image.slice_index)
    hounsfield = hounsfield + CT_NOISE_HU * random.standard_normal(hounsfield.shape, dtype=np.float32)
    stored = np.rint(np.clip(hounsfield, -1024, 3071)) + CT_OFFSET_HU
    y, x = (np.arange(size) - (size - 1) / 2 for size in stored.shape)
    outside = np.hypot(y[:, None], x[None, :]) > min(stored.shape) / 2
    return np.where(outside, CT_OUTSIDE, stored).astype(np.int16)


MODELS: Mapping[str, Callable[[Camera, Image, np.random.Generator], Pixels]] = {
    "diffusion": _diffusion,
    "adc": _adc_map,
    "ct": _tomogram,
}


def _magnitude(signal: Floats, random: np.random.Generator, gain: float = 900, noise: float = 0.015) -> Pixels:
    """Noise in the real and the imaginary channel, then the magnitude (Rician), scaled to the scanner's 12 bits."""
    real, imaginary = noise * random.standard_normal((2, *signal.shape), dtype=np.float32)
    return _stored(gain * np.hypot(signal + real, imaginary))


def _stored(values: Floats) -> NDArray[np.uint16]:
    stored: NDArray[np.uint16] = np.clip(np.rint(values), 0, MR_LARGEST).astype(np.uint16)
    return stored


def _alignment(series: Series, slice_index: int, volume: Volume) -> Floats:
    """cos² of the angle between the gradient and a simple picture of the fibres, (columns,) wide.

    Crossing between the halves near the middle, to and from the spine in the flanks, front to back outside, one fading into the next.
    """
    left, back, up = np.square(volume.direction or (0.0, 0.0, 0.0))
    row, _, _ = series.slab.directions()
    flank_mm = np.abs(series.slab.position(slice_index)[0] + np.arange(series.slab.columns) * row[0] * series.slab.pixel_mm)
    along: Floats = np.interp(flank_mm, [6, 20, 30, 50], [left, up, up, back]).astype(np.float32)
    return along


def _turns(subject: Subject) -> Vector:
    """The head's rotation in patient axes: nodding about left-right, then leaning about front-back."""
    nod, lean = np.radians([subject.nod_deg, subject.lean_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    about_y = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
    turns: Vector = about_y @ about_x
    return turns


def _interpolate(volume: Floats, points: NDArray[np.float32]) -> Floats:
    """Trilinear values at (3, rows, columns) voxel positions; beyond the edge the edge goes on (the neck does, air does)."""
    limits = np.array(volume.shape, dtype=np.float32)[:, None, None] - 1.001
    inside = np.clip(points, 0, limits)
    base = inside.astype(np.int32)
    x, y, z = inside - base
    flat = np.ravel_multi_index((base[0], base[1], base[2]), volume.shape)
    along_y, along_x = volume.shape[2], volume.shape[1] * volume.shape[2]
    values = volume.ravel()
    total = np.zeros(flat.shape, dtype=np.float32)
    for i, j, k in product((0, 1), repeat=3):
        weight = (x if i else 1 - x) * (y if j else 1 - y) * (z if k else 1 - z)
        total += weight * values[flat + i * along_x + j * along_y + k]
    return total
