"""What Philips writes beside the standard: diffusion, the inversion delay, slices excited at once.

Elements: (2001,xx03) FL b-value, (2001,xx04) CS kind of direction (I isotropic; O, S, M, P one direction), (2001,xx1B) FL delay and
(2001,xx1C) CS kind of the pulse before the readout, all of "Philips Imaging DD 001"; (2005,xxB0/B1/B2) FL direction along RL, AP, FH of
"Philips MR Imaging DD 001", which are x, y, z of the patient. An image has more of the standard's elements in the one item of
(2005,xx0F) of "Philips MR Imaging DD 005", and an enhanced object in (2005,xx0E): acceleration, the component, partial Fourier.

Seen in real files: all of them, also with the creators in capitals (release 1.2).
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value

_SOURCE = "philips_private"


def _imaging(element: int, vr: str) -> Private:
    return Private(0x2001, "Philips Imaging DD 001", element, vr, _SOURCE)


_B_VALUE, _KIND, _PULSE_DELAY, _PULSE = _imaging(0x03, "FL"), _imaging(0x04, "CS"), _imaging(0x1B, "FL"), _imaging(0x1C, "CS")
_DIRECTION = tuple(Private(0x2005, "Philips MR Imaging DD 001", element, "FL", _SOURCE) for element in (0xB0, 0xB1, 0xB2))
_DIRECTIONALITY = {"I": "ISOTROPIC", "O": "DIRECTIONAL", "S": "DIRECTIONAL", "M": "DIRECTIONAL", "P": "DIRECTIONAL"}


def diffusion(elements: Elements) -> dict[str, Value]:
    """b-value (s/mm²) and direction (patient axes). Images without diffusion have a b-value of 0 too."""
    b_value = elements.private(_B_VALUE, "number")
    if b_value is None:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value}
    direction = [elements.private(place, "number") for place in _DIRECTION]
    if None not in direction and any(direction):
        found["diffusion_gradient_orientation"] = direction
    if b_value > 0:
        found["diffusion_directionality"] = _DIRECTIONALITY.get(elements.private(_KIND, "text") or "")
    return found


def inversion(elements: Elements) -> dict[str, Value]:
    """The delay after an inversion pulse, in ms; other pulses before the readout have a delay too."""
    delay = elements.private(_PULSE_DELAY, "number")
    return {"inversion_time": delay} if delay and elements.private(_PULSE, "text") == "INV" else {}


def simultaneous_slices(known: dict[str, Value]) -> dict[str, Value]:
    """With MBSENSE the factor out of the plane counts the slices that were excited at once."""
    factor = known.get("parallel_reduction_factor_out_of_plane") or 1
    return {"multiband_factor": factor} if known.get("parallel_acquisition_technique") == "MBSENSE" and factor > 1 else {}


def compressed_sensing(known: dict[str, Value]) -> dict[str, Value]:
    """With CSENSE the factor in the plane is that of compressed sensing."""
    factor = known.get("parallel_reduction_factor_in_plane") or 1
    return {"compressed_sensing_factor": factor} if known.get("parallel_acquisition_technique") == "CSENSE" and factor > 1 else {}


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that Philips writes in its own elements of one image."""
    found = {**diffusion(elements), **inversion(elements), **simultaneous_slices(known), **compressed_sensing(known)}
    return {name: (value, _SOURCE) for name, value in found.items()}
