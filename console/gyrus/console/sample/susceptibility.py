"""Susceptibility-weighted imaging: a late gradient echo, its filtered phase, and the two multiplied so that veins turn dark."""

from dataclasses import replace

import numpy as np

from gyrus.console.sample.camera import Camera
from gyrus.console.sample.phantom import Floats

ECHO_S = 0.02
VEIN_SIGNAL = 0.45  # what deoxygenated blood leaves of the magnitude
VEIN_RADIANS = -1.9  # filtered phase of a voxel full of it
WHITE_RADIANS = 0.08
PHASE_NOISE = 0.015  # of the signal of 1, as in the magnitude
MASKED = 4  # how often the mask of the phase is multiplied in


def venous_magnitude(camera: Camera, slice_index: int) -> Floats:
    """The magnitude at the late echo."""
    lost = np.square(camera.see("local field", slice_index) * np.float32(ECHO_S))
    blood = 1 - (1 - VEIN_SIGNAL) * camera.see("veins", slice_index)
    magnitude: Floats = (camera.see("t2star", slice_index) * blood * np.exp(-lost)).astype(np.float32)
    return magnitude


def filtered_phase(camera: Camera, slice_index: int, random: np.random.Generator) -> Floats:
    """The phase after its slow changes are filtered away, -π..π."""
    angle = 2 * np.pi * ECHO_S * camera.see("local field", slice_index)
    angle = angle + VEIN_RADIANS * camera.see("veins", slice_index) + WHITE_RADIANS * camera.see("fibre", slice_index)
    magnitude = camera.see("t2star", slice_index)
    real, imaginary = PHASE_NOISE * random.standard_normal((2, *magnitude.shape), dtype=np.float32)
    phase: Floats = np.angle(magnitude * np.exp(1j * angle) + real + 1j * imaginary).astype(np.float32)
    return phase


def susceptibility_weighted(camera: Camera, slice_index: int, random: np.random.Generator) -> Floats:
    """The magnitude, darkened where the phase is negative."""
    phase = filtered_phase(camera, slice_index, random)
    mask = np.clip(1 + phase / np.pi, 0, 1)
    weighted: Floats = venous_magnitude(camera, slice_index) * mask**MASKED
    return weighted


def minimum_of(camera: Camera, slice_index: int, random: np.random.Generator) -> Floats:
    """The minimum over the thin slices, as far apart as the slices of the camera, that lie within the thickness of one of them."""
    slab = camera.slab
    thin_slices = round(slab.thickness_mm / slab.spacing_mm)
    thin = camera.under(replace(slab, slices=slab.slices + thin_slices - 1, thickness_mm=slab.spacing_mm))
    minimum: Floats = np.min([susceptibility_weighted(thin, slice_index + k, random) for k in range(thin_slices)], axis=0)
    return minimum
