"""The magnetic field inside the head: air in the nose and the sinuses bends it, which field maps show and echo planar images suffer from.

The field of a distribution of susceptibility is its convolution with the field of a dipole; in Fourier space, with the main field along z,
a product with 1/3 - kz²/k². What a scanner's shim coils would remove, up to second order over the brain, is removed.
"""

import numpy as np
from numpy.typing import NDArray

from gyrus.console.sample.phantom import WHOLE, Floats, Head, smooth

AIR_PPM = 9.4  # susceptibility of air above that of water
PROTON_HZ_PER_PPM = 123.2  # of 1H at 2.89 T, which is sold as 3 T
GRID_MM = 2  # the field is smooth; half the template's resolution is enough
FILTER_MM = 14
MARGIN = 20  # voxels of the coarse grid around the head, which goes on beyond the template


def off_resonance(head: Head) -> Floats:
    """Larmor frequency against that of the scanner, in Hz, on the template's grid."""
    return _fine(_coarse_field(head), head.shape)


def local_field(head: Head) -> Floats:
    """What is left of the field, in Hz, when its slow changes are filtered away, as susceptibility-weighted imaging does."""
    field_hz = _coarse_field(head)
    return _fine(field_hz - smooth(field_hz, FILTER_MM // GRID_MM), head.shape)


def _coarse_field(head: Head) -> Floats:
    return head.keep("coarse field", lambda: _shimmed_field(head))


def _shimmed_field(head: Head) -> Floats:
    tissues = {name: fraction[::GRID_MM, ::GRID_MM, ::GRID_MM] / np.float64(WHOLE) for name, fraction in head.tissues.items()}
    air = 1 - np.sum(list(tissues.values()), axis=0)
    wide_field = AIR_PPM * PROTON_HZ_PER_PPM * _dipole_field(np.pad(air, MARGIN, mode="edge"))
    field_hz = wide_field[(slice(MARGIN, -MARGIN),) * 3]
    shimmed: Floats = (field_hz - _shim(field_hz, tissues["grey"] + tissues["white"] > 0.5)).astype(np.float32)
    return shimmed


def _dipole_field(susceptibility: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = (np.fft.fftfreq(size) for size in susceptibility.shape)
    z = np.fft.rfftfreq(susceptibility.shape[2])
    square = x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2
    square[0, 0, 0] = 1  # the mean has no direction; its field is a constant, which the shim removes
    dipole = 1 / 3 - z[None, None, :] ** 2 / square
    return np.fft.irfftn(np.fft.rfftn(susceptibility) * dipole, susceptibility.shape, axes=(0, 1, 2))


def _shim(field_hz: NDArray[np.float64], brain: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The polynomial of second order in space that fits the field in the brain best."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, size) for size in field_hz.shape), indexing="ij", sparse=True)
    ones = np.ones_like(field_hz)
    terms = [term * ones for term in (1.0, x, y, z, x * x, y * y, z * z, x * y, x * z, y * z)]
    design = np.stack([term[brain] for term in terms], axis=1)
    weights = np.linalg.lstsq(design, field_hz[brain], rcond=None)[0]
    shim: NDArray[np.float64] = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    return shim


def _fine(coarse: Floats, shape: tuple[int, ...]) -> Floats:
    """The coarse grid on the template's: between two neighbours their mean."""
    fine = coarse
    for axis, size in enumerate(shape):
        along = np.moveaxis(fine, axis, 0)
        doubled = np.repeat(along, GRID_MM, axis=0)
        doubled[1:-1:GRID_MM] = (along[:-1] + along[1:]) / 2
        fine = np.moveaxis(doubled[:size], 0, axis)
    return np.ascontiguousarray(fine)
