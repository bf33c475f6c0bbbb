"""The head that every sample image is cut from: tissue fractions in the space of the brain template.

The brain is the MNI ICBM152 2009a template (T1, grey and white matter) which ships inside the package nilearn. The template has no
head around it, so skull, skin, face, eyes and neck are grown here from simple solids. Coordinates are MNI: x to the right, y to the
front, z upwards, millimetres.
"""

import gzip
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Fractions = NDArray[np.uint8]

TEMPLATE_NAME = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
# Voxel (0, 0, 0) of the template in mm; voxels of 1 mm, axes towards right, front, top: the affine in its NIfTI header.
TEMPLATE_ORIGIN_MM = (-98.0, -134.0, -72.0)
NIFTI_HEADER_BYTES = 352  # header and empty extension of a NIfTI-1 file
WHOLE = 255  # a voxel that is all one tissue
MOST_KEPT = 8  # volumes of 35 MB


class NoTemplate(FileNotFoundError):
    """The brain template is not installed: `pip install 'gyrus[sample]'` brings it."""


@dataclass(frozen=True, kw_only=True)
class Ellipsoid:
    """A solid of the head outside the brain: centre and half axes in mm, MNI axes."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


FACE = Ellipsoid(centre=(0, 38, -52), radii=(58, 54, 62))
NOSE = Ellipsoid(centre=(0, 86, -50), radii=(13, 11, 14))
NECK = Ellipsoid(centre=(0, -28, -120), radii=(52, 56, 110))
AIRWAY = Ellipsoid(centre=(0, 34, -72), radii=(9, 10, 26))
NASAL_CAVITY = Ellipsoid(centre=(0, 58, -54), radii=(11, 22, 13))
FRONTAL_SINUS = Ellipsoid(centre=(0, 76, -22), radii=(16, 5, 8))
EYES = tuple(Ellipsoid(centre=(x, 63, -38), radii=(12, 12, 12)) for x in (-32, 32))


@dataclass(frozen=True)
class Head:
    """Fractions of tissues, each (right, front, up) on the template's 1 mm grid, 0..255; what is missing to 255 is air."""

    tissues: Mapping[str, Fractions]
    _kept: dict[str, Floats] = field(default_factory=dict)

    def mix(self, name: str, signals: Mapping[str, float]) -> Floats:
        """Signal of each voxel: the tissues' signals weighted by their fractions."""
        return self.keep(name, lambda: self._mixture(signals))

    def keep(self, name: str, make: Callable[[], Floats]) -> Floats:
        """What was made under this name, kept for the next slices and series; what was not asked for longest is forgotten."""
        volume = self._kept.pop(name, None)
        if volume is None:
            volume = make()
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = volume
        return volume

    def _mixture(self, signals: Mapping[str, float]) -> Floats:
        air = np.float32(signals.get("air", 0.0))
        mixture = np.full(self.shape, air, dtype=np.float32)
        part = np.empty_like(mixture)
        for tissue, fraction in self.tissues.items():
            if signals[tissue] == air:
                continue
            mixture += np.multiply(fraction, np.float32((signals[tissue] - air) / WHOLE), out=part)
        return mixture

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Voxels of the template's grid."""
        return next(iter(self.tissues.values())).shape


def read_head() -> Head:
    """Build the head from the installed template. Raises NoTemplate."""
    t1, grey, white = (_template(kind) for kind in ("t1", "gm", "wm"))
    brain = t1 > 0
    cavity_field = smooth(brain, 13)
    cavity = np.maximum(_ramp(cavity_field, 0.36, 0.10), brain)
    skull = np.maximum(_ramp(cavity_field, 0.13, 0.08), cavity)
    flesh_field = smooth((cavity_field > 0.05) | inside(t1.shape, FACE) | inside(t1.shape, NECK) | inside(t1.shape, NOSE), 9)
    skin = _ramp(flesh_field, 0.30, 0.12)
    flesh = np.maximum(_ramp(flesh_field, 0.72, 0.12), skull)
    return Head(_layers(grey, white, (cavity, skull, flesh, np.maximum(skin, flesh))))


def _layers(grey: Fractions, white: Fractions, shells: tuple[Floats, Floats, Floats, Floats]) -> dict[str, Fractions]:
    """Nested outlines (cavity of the skull, skull, flesh, skin), 0..1, become tissues that add up to at most 255."""
    cavity, skull, flesh, skin = shells
    outside = 1 - skull
    eye = np.maximum.reduce([inside(skin.shape, eye) for eye in EYES]) * outside
    hollow = np.maximum.reduce([inside(skin.shape, part) for part in (AIRWAY, NASAL_CAVITY, FRONTAL_SINUS)]) * outside
    white = np.minimum(white, WHOLE - grey)
    return {
        "grey": grey,
        "white": white,
        "fluid": np.maximum(_fraction(cavity) - grey.astype(np.int16) - white, 0).astype(np.uint8),
        "bone": _fraction(skull - cavity),
        "flesh": _fraction((flesh - skull) * (1 - eye) * (1 - hollow)),
        "eye": _fraction(eye * (1 - hollow)),
        "fat": _fraction((skin - flesh) * (1 - eye) * (1 - hollow)),
    }


def _template(kind: str) -> Fractions:
    """One template as (right, front, up) bytes, read without importing nilearn, which takes seconds."""
    package = importlib.util.find_spec("nilearn")
    if package is None or package.origin is None:
        raise NoTemplate("The sample cohort needs the brain template of the package nilearn; install it: pip install 'gyrus[sample]'")
    raw = gzip.decompress((Path(package.origin).parent / "datasets" / "data" / TEMPLATE_NAME.format(kind)).read_bytes())
    shape = np.frombuffer(raw, "<i2", count=3, offset=42)
    voxels = np.frombuffer(raw, np.uint8, count=int(shape.prod(dtype=int)), offset=NIFTI_HEADER_BYTES)
    return np.ascontiguousarray(voxels.reshape(shape, order="F"))


def _fraction(part: Floats) -> Fractions:
    return np.rint(part * WHOLE).astype(np.uint8)


def _ramp(values: Floats, level: float, width: float) -> Floats:
    """1 where the value is above the level, 0 below, a slope of the given width between: an outline without steps."""
    slope: Floats = np.clip((values - np.float32(level)) / np.float32(width) + np.float32(0.5), 0, 1)
    return slope


def inside(shape: tuple[int, ...], solid: Ellipsoid) -> NDArray[np.bool_]:
    axes = zip(shape, TEMPLATE_ORIGIN_MM, solid.centre, solid.radii, strict=True)
    squares = (((np.arange(size) + origin - centre) / radius) ** 2 for size, origin, centre, radius in axes)
    x, y, z = (square.astype(np.float32) for square in squares)
    inside: NDArray[np.bool_] = (x[:, None, None] + y[None, :, None] + z[None, None, :]) < 1
    return inside


def smooth(shape: NDArray[np.bool_] | Floats, width_mm: int) -> Floats:
    """A bell of about width/2 standard deviation: three running means of an odd width along each axis; edges are continued."""
    values = shape.astype(np.float32)
    for axis in range(3):
        for _ in range(3):
            values = _running_mean(values, width_mm, axis)
    return values


def _running_mean(values: Floats, width: int, axis: int) -> Floats:
    padding = [(0, 0)] * 3
    padding[axis] = (width // 2 + 1, width // 2)
    sums = np.moveaxis(np.cumsum(np.pad(values, padding, mode="edge"), axis=axis), axis, 0)
    return np.moveaxis((sums[width:] - sums[:-width]) / np.float32(width), 0, axis)
