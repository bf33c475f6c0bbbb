"""What Philips writes beside the standard: diffusion.

Elements: (2001,xx03) FL b-value of "Philips Imaging DD 001"; (2005,xxB0/B1/B2) FL direction along RL, AP, FH of
"Philips MR Imaging DD 001", which are x, y, z of the patient; (2001,xx04) CS kind of direction (I = isotropic). All seen in real files.
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.values import Value

_IMAGING, _MR = "Philips Imaging DD 001", "Philips MR Imaging DD 001"
_NO_VALUE = 1e37  # the writer's mark for "not set"


def diffusion(elements: Elements) -> dict[str, Value]:
    """b-value (s/mm²) and direction (patient axes)."""
    b_value = elements.private((0x2001, _IMAGING, 0x03), "number", "FL")
    if b_value is None or abs(b_value) > _NO_VALUE:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value, "diffusion_b_value_source": "philips_private"}
    direction = [elements.private((0x2005, _MR, element), "number", "FL") for element in (0xB0, 0xB1, 0xB2)]
    if None not in direction and any(direction):
        found["diffusion_gradient_orientation"] = direction
    if elements.private((0x2001, _IMAGING, 0x04), "text", "CS") == "I":
        found["diffusion_directionality"] = "ISOTROPIC"
    return found


def extras(elements: Elements, known: dict[str, Value]) -> dict[str, Value]:
    """All that Philips writes in its own elements of one image."""
    return diffusion(elements)
