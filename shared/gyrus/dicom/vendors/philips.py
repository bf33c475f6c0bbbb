"""What Philips writes beside the standard: diffusion.

Elements: (2001,xx03) FL b-value of "Philips Imaging DD 001"; (2005,xxB0/B1/B2) FL direction along RL, AP, FH of
"Philips MR Imaging DD 001", which are x, y, z of the patient; (2001,xx04) CS kind of direction (I = isotropic). All seen in real files.
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value

_SOURCE = "philips_private"
_NO_VALUE = 1e37  # the writer's mark for "not set"
_B_VALUE, _KIND = (Private(0x2001, "Philips Imaging DD 001", element, vr, _SOURCE) for element, vr in ((0x03, "FL"), (0x04, "CS")))
_DIRECTION = tuple(Private(0x2005, "Philips MR Imaging DD 001", element, "FL", _SOURCE) for element in (0xB0, 0xB1, 0xB2))


def diffusion(elements: Elements) -> dict[str, Value]:
    """b-value (s/mm²) and direction (patient axes)."""
    b_value = elements.private(_B_VALUE, "number")
    if b_value is None or abs(b_value) > _NO_VALUE:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value}
    direction = [elements.private(place, "number") for place in _DIRECTION]
    if None not in direction and any(direction):
        found["diffusion_gradient_orientation"] = direction
    if elements.private(_KIND, "text") == "I":
        found["diffusion_directionality"] = "ISOTROPIC"
    return found


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that Philips writes in its own elements of one image."""
    return {name: (value, _SOURCE) for name, value in diffusion(elements).items()}
