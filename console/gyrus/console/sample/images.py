"""From the head to stored pixels: what each kind of image makes of the contrasts that it sees. Noise is drawn from fixed seeds."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gyrus.console.sample.camera import Camera
from gyrus.console.sample.cohort import Elements, Image, Series, Volume
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.nuclear import becquerel_per_ml
from gyrus.console.sample.phantom import Floats, Head
from gyrus.console.sample.susceptibility import filtered_phase, minimum_of, susceptibility_weighted, venous_magnitude

Pixels = NDArray[np.uint16] | NDArray[np.int16]
Random = np.random.Generator

MR_LARGEST = 4095  # 12 bits stored
MR_GAIN, MR_NOISE = 900, 0.015
EPI_GAIN, EPI_NOISE = 1500, 0.005  # large voxels, late echo
CT_OFFSET_HU = 1024  # stored = HU + 1024: rescale intercept -1024
CT_OUTSIDE = -2000  # what GE stores outside the reconstructed circle
CT_NOISE_HU = 3.5
PET_LARGEST = 32767
ECHO_DECAY_MS = 50.0  # T2* of brain at 3 T
CYCLES_TO_LOSE = 3.0  # turns of the phase until the echo, by a disturbed field, at which a gradient echo has lost most of its signal
ACTIVATION = 0.03  # of the signal, while the light flickers
LIT = range(3, 7)  # volumes


@dataclass(frozen=True, eq=False)
class Picture:
    """Stored pixels (rows, columns), and the elements that say how to read these numbers where they differ from image to image."""

    pixels: Pixels
    elements: Elements = field(default_factory=dict)


def pictures_of(series: Series, head: Head) -> Iterator[tuple[Image, Picture]]:
    """All slices of a series with their pictures, volume after volume."""
    camera = Camera(head, series.study.subject, series.slab)
    for volume_index, slice_index in product(range(len(series.volumes)), range(series.slab.slices)):
        image = Image(series=series, volume_index=volume_index, slice_index=slice_index)
        seed = f"{image.series.uid}/{volume_index}/{slice_index}"
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little"))
        yield image, MODELS.get(image.contrast, _weighted)(camera.under(image.slab), image, random)


def _weighted(camera: Camera, image: Image, random: Random) -> Picture:
    """A magnitude image of one of the contrasts."""
    return _magnitude(camera.see(image.contrast, image.slice_index), random)


def _gradient_echo(camera: Camera, image: Image, random: Random) -> Picture:
    """A magnitude image that the disturbed field darkens the more, the later the echo is."""
    return _magnitude(_echo(camera, image), random)


def _echo(camera: Camera, image: Image) -> Floats:
    echo_ms = float(image.elements["EchoTime"])
    turns = camera.see("field", image.slice_index) * np.float32(echo_ms / 1000 / CYCLES_TO_LOSE)
    contrast = "gre" if image.contrast == "phase" else image.contrast
    echo: Floats = camera.see(contrast, image.slice_index) * np.exp(-np.square(turns) - np.float32(echo_ms / ECHO_DECAY_MS))
    return echo


def _phase(camera: Camera, image: Image, random: Random) -> Picture:
    """The phase of a gradient echo, or of two against each other: -π..π on 0..4095, noise where there is no signal."""
    angle = 2 * np.pi * camera.see("field", image.slice_index) * (image.volume.phase_ms / 1000)
    signal = _echo(camera, image) * np.exp(1j * angle)
    real, imaginary = MR_NOISE * random.standard_normal((2, *signal.shape), dtype=np.float32)
    return Picture(_stored_phase(np.angle(signal + real + 1j * imaginary)))


def _bold(camera: Camera, image: Image, random: Random) -> Picture:
    """A T2*-weighted echo planar image; where the light is seen, a little brighter while it flickers."""
    active = camera.see("active", image.slice_index) * (ACTIVATION if image.volume_index in LIT else 0.0)
    return _magnitude(_echo(camera, image) * (1 + active.astype(np.float32)), random, gain=EPI_GAIN, noise=EPI_NOISE)


def _diffusion(camera: Camera, image: Image, random: Random) -> Picture:
    """The T2-weighted image, weakened by exp(-b·D); along the fibres of white matter D is larger than across."""
    unweighted = camera.see("t2", image.slice_index)
    b_value = image.volume.b_value or 0
    if b_value == 0:
        return _magnitude(unweighted, random)
    diffusivity = camera.see("adc", image.slice_index) * 1e-6
    along = _alignment(image.slab, image.slice_index, image.volume)
    diffusivity *= 1 + camera.see("fibre", image.slice_index) * (1.5 * along - 0.5)
    return _magnitude(unweighted * np.exp(-b_value * diffusivity), random)


def _adc_map(camera: Camera, image: Image, random: Random) -> Picture:
    """Apparent diffusion coefficient in 10⁻⁶ mm²/s, 0 where there was too little signal to fit it."""
    coefficient = camera.see("adc", image.slice_index)
    noisy = coefficient * (1 + 0.03 * random.standard_normal(coefficient.shape, dtype=np.float32))
    measurable = camera.see("t2", image.slice_index) > 0.15
    return Picture(_stored(noisy * measurable))


def _venous_magnitude(camera: Camera, image: Image, random: Random) -> Picture:
    return _magnitude(venous_magnitude(camera, image.slice_index), random)


def _venous_phase(camera: Camera, image: Image, random: Random) -> Picture:
    return Picture(_stored_phase(filtered_phase(camera, image.slice_index, random)))


def _susceptibility(camera: Camera, image: Image, random: Random) -> Picture:
    return _magnitude(susceptibility_weighted(camera, image.slice_index, random), random)


def _minimum(camera: Camera, image: Image, random: Random) -> Picture:
    """The darkest of the thin slices within the thickness of this one."""
    return _magnitude(minimum_of(camera, image.slice_index, random), random)


def _tomogram(camera: Camera, image: Image, random: Random) -> Picture:
    """Stored values of CT; outside the reconstructed circle the padding value."""
    hounsfield = camera.see("ct", image.slice_index)
    hounsfield = hounsfield + CT_NOISE_HU * random.standard_normal(hounsfield.shape, dtype=np.float32)
    stored = np.rint(np.clip(hounsfield, -1024, 3071)) + CT_OFFSET_HU
    y, x = (np.arange(size) - (size - 1) / 2 for size in stored.shape)
    outside = np.hypot(y[:, None], x[None, :]) > min(stored.shape) / 2
    return Picture(np.where(outside, CT_OUTSIDE, stored).astype(np.int16))


def _emission(camera: Camera, image: Image, random: Random) -> Picture:
    """Activity, scaled so that the hottest pixel of each slice uses the whole range of the stored numbers."""
    activity = becquerel_per_ml(camera.see("uptake as seen", image.slice_index), image.series.study, random)
    slope = float(f"{max(float(activity.max()), 1.0) / PET_LARGEST:.6g}")
    stored = np.clip(np.rint(activity / slope), 0, PET_LARGEST).astype(np.int16)
    return Picture(stored, {"RescaleSlope": f"{slope:.6g}", "RescaleIntercept": "0"})


MODELS: Mapping[str, Callable[[Camera, Image, Random], Picture]] = {
    "gre": _gradient_echo,
    "phase": _phase,
    "epi": _bold,
    "diffusion": _diffusion,
    "adc": _adc_map,
    "venous magnitude": _venous_magnitude,
    "venous phase": _venous_phase,
    "susceptibility": _susceptibility,
    "minimum": _minimum,
    "ct": _tomogram,
    "pet": _emission,
}


def _magnitude(signal: Floats, random: Random, gain: float = MR_GAIN, noise: float = MR_NOISE) -> Picture:
    """Noise in the real and the imaginary channel, then the magnitude (Rician), scaled to the scanner's 12 bits."""
    real, imaginary = noise * random.standard_normal((2, *signal.shape), dtype=np.float32)
    return Picture(_stored(gain * np.hypot(signal + real, imaginary)))


def _stored(values: Floats) -> NDArray[np.uint16]:
    stored: NDArray[np.uint16] = np.clip(np.rint(values), 0, MR_LARGEST).astype(np.uint16)
    return stored


def _stored_phase(radians: Floats | NDArray[np.float64]) -> NDArray[np.uint16]:
    """-π..π on 0..4095."""
    half = (MR_LARGEST + 1) / 2
    return _stored((radians / np.pi * half + half).astype(np.float32))


def _alignment(slab: Slab, slice_index: int, volume: Volume) -> Floats:
    """cos² of the angle between the gradient and a simple picture of the fibres, (columns,) wide.

    Crossing between the halves near the middle, to and from the spine in the flanks, front to back outside, one fading into the next.
    """
    left, back, up = np.square(volume.direction or (0.0, 0.0, 0.0))
    row, _, _ = slab.directions()
    flank_mm = np.abs(slab.position(slice_index)[0] + np.arange(slab.columns) * row[0] * slab.pixel_mm)
    along: Floats = np.interp(flank_mm, [6, 20, 30, 50], [left, up, up, back]).astype(np.float32)
    return along
