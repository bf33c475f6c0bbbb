"""Small grey pictures of a stack: a thumbnail and a montage, PNG.

Of a volume the thumbnail is its middle from above, from the front and from the side, the montage up to 20 of its slices. The patient's
head is up and left is on the right, as radiologists hang films; in the side view the face looks to the left. Images that make no volume
are shown as they are stored.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gyrus.data.grid import reorientation, slice_axis_of, slices_first
from gyrus.data.intensity import SHOWN_PERCENTILES, Bytes, percentiles
from gyrus.data.preparing import Prepared
from gyrus.data.spread import spread
from gyrus.data.straightening import rectilinear
from gyrus.dicom.layouts import layout_of
from gyrus.dicom.pixels import Refused, VolumeArray, volume_of
from gyrus.dicom.planes import Layout, Slices, images_of

from .stored import Picture, stored_pictures

Pictures = dict[str, bytes]  # by what follows the name of the image, before .png
THUMBNAIL, MONTAGE = "", "_montage"
HEIGHT_PX: Final = 192
GAP_PX: Final = 6
MAX_WIDTH_PX: Final = 4 * HEIGHT_PX
TILE_PX: Final = 144
TILES: Final = 20
ACROSS: Final = 5


@dataclass(frozen=True, eq=False)
class Shown:
    """A volume as it is shown: (z, y, x) in RPI axes, spacing in mm along x, y, z, and the view of its slices."""

    volume: Bytes
    spacing_mm: tuple[float, ...]
    view: int


def pictures_of(prepared: Prepared) -> Pictures:
    """Thumbnail and montage of a prepared volume; CT in its brain window."""
    return _drawn(shown_of(prepared))


def pictures_of_stack(slices: Slices) -> Pictures:
    """Thumbnail and montage of whatever pixels a stack has, of a run those of its middle volume; none where nothing can be decoded."""
    try:
        layout = layout_of(images_of(slices))
        return pictures_of_run(layout)
    except Refused:
        found = stored_pictures(slices, TILES)
        return {THUMBNAIL: thumbnail_of(found[len(found) // 2 :][:1]), MONTAGE: montage_of(found)} if found else {}


def pictures_of_run(layout: Layout) -> Pictures:
    """Thumbnail and montage of the middle volume of a stack. Raises Refused."""
    return _drawn(_as_stored(rectilinear(volume_of(layout, len(layout.volumes) // 2))))


def shown_of(prepared: Prepared) -> Shown:
    """A prepared volume as it is shown."""
    image = prepared.images.get("brain", next(iter(prepared.images.values())))
    return Shown(slices_first(image, prepared.view), prepared.spacing_mm, prepared.view)


def _as_stored(volume: VolumeArray) -> Shown:
    """A volume that was not prepared: turned to RPI, nothing interpolated; grey from percentile 0.5 to 99.5."""
    axes, flips = reorientation(volume.space.direction)
    array = volume.array.transpose([2 - axis for axis in axes[::-1]])
    turned = np.flip(array, tuple(2 - axis for axis in range(3) if flips[axis]))
    spacing = tuple(volume.space.spacing_mm[axis] for axis in axes)
    return Shown(grey(turned), spacing, 2 - slice_axis_of(turned.shape[::-1], spacing))


def grey(values: NDArray[Any]) -> Bytes:
    """Percentile 0.5 is black and 99.5 white; values that are no numbers are black."""
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) if values.dtype.kind == "f" else values
    low, high = percentiles(finite, SHOWN_PERCENTILES)
    made: Bytes = ((finite.astype(np.float32) - low) / max(high - low, 1e-6) * 255).clip(0, 255).astype(np.uint8)
    return made


def middle_planes(shown: Shown) -> list[Picture]:
    """Axial, coronal and sagittal plane, each with the height and width of its pixels in mm.

    The RPI axes start at the patient's left, front and head, so only x is turned round.
    """
    return [plane_of(shown, view, length // 2) for view, length in enumerate(shown.volume.shape)]


def plane_of(shown: Shown, view: int, place: int) -> Picture:
    """One plane: axial (0), coronal (1) or sagittal (2); place: counted from head, front, left."""
    x_mm, y_mm, z_mm = shown.spacing_mm
    plane = np.take(shown.volume, place, axis=view)
    return Picture(plane if view == 2 else plane[:, ::-1], [(y_mm, x_mm), (z_mm, x_mm), (z_mm, y_mm)][view])


def _drawn(shown: Shown) -> Pictures:
    slices = [plane_of(shown, shown.view, place) for place in spread(shown.volume.shape[shown.view], TILES)]
    return {THUMBNAIL: thumbnail_of(middle_planes(shown)), MONTAGE: montage_of(slices)}


def thumbnail_of(planes: Sequence[Picture]) -> bytes:
    """Planes side by side in one scale."""
    tallest = max(plane.height_mm for plane in planes)
    pictures = [_scaled(plane, HEIGHT_PX / tallest, (MAX_WIDTH_PX, HEIGHT_PX)) for plane in planes]
    canvas = Image.new("L", (sum(picture.width + GAP_PX for picture in pictures) - GAP_PX, HEIGHT_PX))
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, (HEIGHT_PX - picture.height) // 2))
        left += picture.width + GAP_PX
    return _png(canvas)


def montage_of(planes: Sequence[Picture]) -> bytes:
    """Planes in rows of five, in one scale."""
    px_per_mm = TILE_PX / max(max(plane.height_mm, plane.width_mm) for plane in planes)
    across, down = min(ACROSS, len(planes)), -(-len(planes) // ACROSS)
    canvas = Image.new("L", (across * (TILE_PX + GAP_PX) - GAP_PX, down * (TILE_PX + GAP_PX) - GAP_PX))
    for place, plane in enumerate(planes):
        picture = _scaled(plane, px_per_mm, (TILE_PX, TILE_PX))
        row, column = divmod(place, ACROSS)
        left, top = (at * (TILE_PX + GAP_PX) for at in (column, row))
        canvas.paste(picture, (left + (TILE_PX - picture.width) // 2, top + (TILE_PX - picture.height) // 2))
    return _png(canvas)


def _scaled(plane: Picture, px_per_mm: float, most_px: tuple[int, int]) -> Image.Image:
    size = [min(most, max(1, round(mm * px_per_mm))) for mm, most in zip((plane.width_mm, plane.height_mm), most_px, strict=True)]
    return Image.fromarray(np.ascontiguousarray(plane.pixels)).resize((size[0], size[1]), Image.Resampling.BICUBIC)


def _png(canvas: Image.Image) -> bytes:
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return buffer.getvalue()
