"""A small grey picture of a prepared volume: its middle from above, from the front and from the side.

The patient's head is up and left is on the right, as radiologists hang films; in the side view the face looks to the left.
"""

import io
from typing import Final

import numpy as np
from PIL import Image

from gyrus.data.grid import slices_first
from gyrus.data.intensity import Bytes
from gyrus.data.preparing import Prepared

HEIGHT_PX: Final = 192
GAP_PX: Final = 6
MAX_WIDTH_PX: Final = 4 * HEIGHT_PX


def thumbnail(prepared: Prepared) -> bytes:
    """PNG, axial, coronal and sagittal side by side in one scale; CT in its brain window."""
    planes = middle_planes(prepared)
    tallest = max(plane.shape[0] * row_mm for plane, (row_mm, _) in planes)
    pictures = [_scaled(plane, sides_mm, HEIGHT_PX / tallest) for plane, sides_mm in planes]
    canvas = Image.new("L", (sum(picture.width + GAP_PX for picture in pictures) - GAP_PX, HEIGHT_PX))
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, (HEIGHT_PX - picture.height) // 2))
        left += picture.width + GAP_PX
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return buffer.getvalue()


def middle_planes(prepared: Prepared) -> list[tuple[Bytes, tuple[float, float]]]:
    """Axial, coronal and sagittal plane, each with the height and width of its pixels in mm.

    The RPI axes start at the patient's left, front and head, so only x is turned round.
    """
    shown = prepared.images.get("brain", next(iter(prepared.images.values())))
    volume = slices_first(shown, prepared.view)[:, :, ::-1]
    x_mm, y_mm, z_mm = prepared.spacing_mm
    z, y, x = (length // 2 for length in volume.shape)
    return [(volume[z], (y_mm, x_mm)), (volume[:, y], (z_mm, x_mm)), (volume[:, :, x], (z_mm, y_mm))]


def _scaled(plane: Bytes, sides_mm: tuple[float, float], px_per_mm: float) -> Image.Image:
    height, width = (round(length * side * px_per_mm) for length, side in zip(plane.shape, sides_mm, strict=True))
    size = min(MAX_WIDTH_PX, max(1, width)), min(HEIGHT_PX, max(1, height))
    return Image.fromarray(np.ascontiguousarray(plane)).resize(size, Image.Resampling.BICUBIC)
