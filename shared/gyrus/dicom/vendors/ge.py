"""What GE writes beside the standard: diffusion, acceleration, the component of an image.

Elements of "GEMS_PARM_01": (0043,xx39) IS×4 b-value first, (0043,xx30) SS kind of diffusion image (14 without, 16 with a direction),
(0043,xx83) DS×2 inverse acceleration factors, (0043,xxB6) LO Hyperband factor first, (0043,xxB7) LO compressed sensing factor first,
(0043,xx2F) SS code of the image (0 magnitude, 1 phase, 2 real, 3 imaginary). Of "GEMS_ACQU_01": (0019,xxBB..BD) DS direction.

Seen in real files: the b-value, its kinds, the direction, the accelerations, code 0; compressed sensing only where it was off. By
description only: codes 1 to 3, b-values of 1e9 and more, the shorter directions of several shells.
"""

import math

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value, number_of
from gyrus.dicom.vendors.scan_options import partial_fourier

_SOURCE = "ge_private"
_COMPONENTS = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}
_DIRECTIONALITY = {14: "NONE", 16: "DIRECTIONAL"}
_B_OFFSET = 1_000_000_000
_SHORTEST, _LONGEST = 0.03, 0.97  # of directions whose length tells the shell; outside of them it is rounding


def _parm(element: int, vr: str) -> Private:
    return Private(0x0043, "GEMS_PARM_01", element, vr, _SOURCE)


_B_VALUE, _KIND, _CODE = _parm(0x39, "IS"), _parm(0x30, "SS"), _parm(0x2F, "SS")
_INVERSE_FACTORS, _HYPERBAND, _COMPRESSED = _parm(0x83, "DS"), _parm(0xB6, "LO"), _parm(0xB7, "LO")
_DIRECTION = tuple(Private(0x0019, "GEMS_ACQU_01", element, "DS", _SOURCE) for element in (0xBB, 0xBC, 0xBD))


def diffusion(elements: Elements) -> dict[str, Value]:
    """b-value (s/mm²); direction in axes of the image: phase, frequency, slice. Every echo-planar image has a b-value of 0."""
    values = elements.private(_B_VALUE, "numbers")
    if not values:
        return {}
    b_value = values[0] % _B_OFFSET
    found: dict[str, Value] = {"diffusion_directionality": _DIRECTIONALITY.get(elements.private(_KIND, "integer"))}
    direction = [elements.private(place, "number") for place in _DIRECTION]
    if b_value > 0 and None not in direction and any(direction):
        length = math.hypot(*direction)
        if _SHORTEST < length < _LONGEST:
            b_value = 5.0 * round(b_value * length**2 / 5)  # the file has the b-value of the outermost shell
            direction = [part / length for part in direction]
        found |= {"diffusion_gradient_orientation": direction, "diffusion_frame": "image"}
    return {"diffusion_b_value": b_value, **found}


def acceleration(elements: Elements) -> dict[str, Value]:
    """In-plane and out-of-plane factors (the file has their inverses), slices excited at once, compressed sensing."""
    inverse = elements.private(_INVERSE_FACTORS, "numbers") or []
    names = ("parallel_reduction_factor_in_plane", "parallel_reduction_factor_out_of_plane")
    found: dict[str, Value] = {name: round(1 / value, 3) for name, value in zip(names, inverse, strict=False) if 0.01 < value <= 1}
    for name, place in (("multiband_factor", _HYPERBAND), ("compressed_sensing_factor", _COMPRESSED)):
        factor = number_of((elements.private(place, "texts") or [""])[0])
        if factor is not None and factor > 1:
            found[name] = factor
    return found


def component(elements: Elements) -> dict[str, Value]:
    """Magnitude, phase, real or imaginary, from the code of the image."""
    return {"complex_image_component": _COMPONENTS.get(elements.private(_CODE, "integer"))}


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that GE writes in its own elements of one image."""
    found = {**diffusion(elements), **acceleration(elements), **component(elements)}
    return {**partial_fourier(known), **{name: (value, _SOURCE) for name, value in found.items()}}
