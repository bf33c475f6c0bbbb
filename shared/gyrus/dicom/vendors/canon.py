"""What Canon writes beside the standard: the direction of diffusion in the comment of an image, `b=1500(0.895,-0.445,0.000)`.

Seen in real files of release 6.0, where the b-value is at its standard tag and the direction, in axes of the image, is only here.
"""

import re

from gyrus.dicom.elements import Elements
from gyrus.dicom.values import Value, number_of

_IMAGE_COMMENTS = 0x00204000
_COMMENT = re.compile(r"b=([\d.]+)\(([-\d.]+),([-\d.]+),([-\d.]+)\)")


def diffusion(comment: str) -> dict[str, Value]:
    """b-value (s/mm²) and direction in axes of the image."""
    match = _COMMENT.search(comment)
    values = [number_of(text) for text in match.groups()] if match else [None]
    if None in values:
        return {}
    return {
        "diffusion_b_value": values[0],
        "diffusion_b_value_source": "canon_comment",
        "diffusion_gradient_orientation": values[1:],
        "diffusion_frame": "image",
    }


def extras(elements: Elements, known: dict[str, Value]) -> dict[str, Value]:
    """All that Canon writes outside the standard's elements of one image."""
    return diffusion(elements.value(_IMAGE_COMMENTS, "text") or "")
