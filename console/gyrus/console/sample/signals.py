"""What tissues look like: one table of signals for each contrast, and the maps of the head that are no mixture of tissues."""

from collections.abc import Callable, Mapping

import numpy as np

from gyrus.console.sample.field import local_field, off_resonance
from gyrus.console.sample.phantom import WHOLE, Ellipsoid, Floats, Head, inside, smooth
from gyrus.console.sample.veins import veins

# Signals relative to white matter in T1 or the brightest tissue; ADC in 10⁻⁶ mm²/s (= µm²/s); CT in Hounsfield units; the uptake of FDG as
# standardised uptake value (SUV). MR values follow from relaxation times at 3 T and the weighting of the sequence, rounded until they
# look right. "t2" is fat-suppressed, as diffusion is; "tse" is not.
SIGNALS: Mapping[str, Mapping[str, float]] = {
    "t1": {"grey": 0.65, "white": 1.0, "fluid": 0.15, "bone": 0.08, "fat": 1.1, "flesh": 0.5, "eye": 0.2},
    "flair": {"grey": 0.95, "white": 0.68, "fluid": 0.08, "bone": 0.05, "fat": 0.85, "flesh": 0.4, "eye": 0.12},
    "t2": {"grey": 0.62, "white": 0.45, "fluid": 1.25, "bone": 0.03, "fat": 0.1, "flesh": 0.2, "eye": 1.25},
    "tse": {"grey": 0.58, "white": 0.42, "fluid": 1.3, "bone": 0.04, "fat": 0.85, "flesh": 0.25, "eye": 1.3},
    "scout": {"grey": 0.75, "white": 0.8, "fluid": 0.45, "bone": 0.1, "fat": 1.0, "flesh": 0.6, "eye": 0.4},
    "gre": {"grey": 0.78, "white": 0.82, "fluid": 0.45, "bone": 0.08, "fat": 1.0, "flesh": 0.6, "eye": 0.4},
    "t2star": {"grey": 0.8, "white": 0.68, "fluid": 0.5, "bone": 0.04, "fat": 0.6, "flesh": 0.4, "eye": 0.7},
    "epi": {"grey": 0.72, "white": 0.56, "fluid": 1.15, "bone": 0.03, "fat": 0.07, "flesh": 0.2, "eye": 1.0},
    "adc": {"grey": 820, "white": 740, "fluid": 2950, "bone": 200, "fat": 100, "flesh": 1200, "eye": 2600},
    "fibre": {"grey": 0.1, "white": 0.6, "fluid": 0.0, "bone": 0.0, "fat": 0.0, "flesh": 0.0, "eye": 0.0},
    "ct": {"air": -1000, "grey": 38, "white": 29, "fluid": 8, "bone": 900, "fat": -90, "flesh": 55, "eye": 12},
    "uptake": {"grey": 9.0, "white": 3.0, "fluid": 0.6, "bone": 0.7, "fat": 0.3, "flesh": 1.2, "eye": 0.6},
}

PET_RESOLUTION_MM = 5
VISUAL_CORTEX = Ellipsoid(centre=(0, -88, 2), radii=(26, 16, 16))


def volume_of(head: Head, name: str) -> Floats:
    """A contrast or a map, on the template's grid."""
    if name in SIGNALS:
        return head.mix(name, SIGNALS[name])
    return head.keep(name, lambda: MAPS[name](head))


def _blurred_uptake(head: Head) -> Floats:
    return smooth(head.mix("uptake", SIGNALS["uptake"]), PET_RESOLUTION_MM)


def _active(head: Head) -> Floats:
    """Grey matter that a flickering light drives, 0..1."""
    driven = np.where(inside(head.shape, VISUAL_CORTEX), head.tissues["grey"], 0)
    active: Floats = driven.astype(np.float32) / np.float32(WHOLE)
    return active


MAPS: Mapping[str, Callable[[Head], Floats]] = {
    "field": off_resonance,
    "local field": local_field,
    "veins": veins,
    "uptake as seen": _blurred_uptake,
    "active": _active,
}
