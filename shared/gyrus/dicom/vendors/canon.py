"""What Canon writes beside the standard: the direction of diffusion in the comment of an image, `b=1500(0.895,-0.445,0.000)`.

Seen in real files of release 6.0, where the b-value is at its standard tag and the direction, in axes of the image, is only here.
"""

import re

from gyrus.dicom.elements import Elements
from gyrus.dicom.values import Answers, Value, number_of

_IMAGE_COMMENTS = 0x00204000
_COMMENT = re.compile(r"b=([\d.]+)\(([-\d.]+),([-\d.]+),([-\d.]+)\)")


def diffusion(comment: str) -> Answers:
    """b-value (s/mm²) and direction in axes of the image."""
    match = _COMMENT.search(comment)
    values = [number_of(text) for text in match.groups()] if match else [None]
    if None in values:
        return {}
    found = {"diffusion_b_value": values[0], "diffusion_gradient_orientation": values[1:], "diffusion_frame": "image"}
    return {name: (value, "canon_comment") for name, value in found.items()}


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that Canon writes outside the standard's elements of one image."""
    return diffusion(elements.value(_IMAGE_COMMENTS, "text") or "")
