"""What GE writes beside the standard: diffusion, acceleration, the component of an image.

Elements of "GEMS_PARM_01": (0043,xx39) IS×4 b-value first, (0043,xx83) DS×2 inverse acceleration factors, (0043,xx2F) SS code
of the image (0 magnitude, 1 phase, 2 real, 3 imaginary), (0043,xxB6) LO Hyperband factor. Elements of "GEMS_ACQU_01":
(0019,xxBB..BD) DS direction.
Seen in real files: the b-value, the direction, the acceleration, code 0. By description only: codes 1 to 3, values ≥ 1e9, Hyperband.
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value

_SOURCE = "ge_private"
_COMPONENTS = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}
_B_OFFSET = 1_000_000_000


def _parm(element: int, vr: str) -> Private:
    return Private(0x0043, "GEMS_PARM_01", element, vr, _SOURCE)


_B_VALUE, _INVERSE_FACTORS, _CODE = _parm(0x39, "IS"), _parm(0x83, "DS"), _parm(0x2F, "SS")
_DIRECTION = tuple(Private(0x0019, "GEMS_ACQU_01", element, "DS", _SOURCE) for element in (0xBB, 0xBC, 0xBD))


def diffusion(elements: Elements) -> dict[str, Value]:
    """b-value (s/mm²); direction in axes of the image: phase, frequency, slice."""
    values = elements.private(_B_VALUE, "numbers")
    if not values:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": values[0] % _B_OFFSET}
    direction = [elements.private(place, "number") for place in _DIRECTION]
    if found["diffusion_b_value"] > 0 and None not in direction and any(direction):
        found |= {"diffusion_gradient_orientation": direction, "diffusion_frame": "image"}
    return found


def acceleration(elements: Elements) -> dict[str, Value]:
    """In-plane and out-of-plane factors; the file has their inverses."""
    inverse = elements.private(_INVERSE_FACTORS, "numbers") or []
    names = ("parallel_reduction_factor_in_plane", "parallel_reduction_factor_out_of_plane")
    return {name: round(1 / value, 3) for name, value in zip(names, inverse, strict=False) if 0 < value <= 1}


def component(elements: Elements) -> dict[str, Value]:
    """Magnitude, phase, real or imaginary, from the code of the image."""
    return {"complex_image_component": _COMPONENTS.get(elements.private(_CODE, "integer"))}


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that GE writes in its own elements of one image."""
    found = {**diffusion(elements), **acceleration(elements), **component(elements)}
    return {name: (value, _SOURCE) for name, value in found.items()}
