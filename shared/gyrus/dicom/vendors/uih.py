"""What United Imaging writes beside the standard: grids of slices, diffusion. Creator "Image Private Header".

Elements: (0065,xx0A) FD nominal b-value (used for labels and shells; the actual one, (0065,xx09), is a field of its own), (0065,xx37)
FD×3 direction (axes of the image: column, row, normal), (0065,xx50) DS slices in a grid, (0065,xx51) SQ one item a slice with its own
(0020,0032) and (0008,0032).

All seen in real files. In three runs of one table of directions, turned against each other by 27 and 14 degrees, the written directions
turn the other way: they are those of the image. (0065,xx05) is `A->P` for both polarities of one protocol: it is stored, but it is no
polarity.
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value
from gyrus.dicom.vendors.slice_times import without_midnight

_SOURCE = "uih_private"
_POSITION, _TIME = 0x00200032, 0x00080032


def _uih(element: int, vr: str) -> Private:
    return Private(0x0065, "Image Private Header", element, vr, _SOURCE)


_NOMINAL_B, _DIRECTION, _SLICES, _GRID = _uih(0x0A, "FD"), _uih(0x37, "FD"), _uih(0x50, "DS"), _uih(0x51, "SQ")


def diffusion(elements: Elements) -> dict[str, Value]:
    """Nominal b-value (s/mm²); direction in axes of the image: along columns, rows, normal."""
    b_value = elements.private(_NOMINAL_B, "number")
    if b_value is None:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value}
    direction = elements.private(_DIRECTION, "numbers")
    if direction and len(direction) == 3 and any(direction):
        found |= {"diffusion_gradient_orientation": direction, "diffusion_frame": "image"}
    return found


def grid(elements: Elements) -> dict[str, Value]:
    """`tile_count`, `tile_positions` (mm, patient axes, flat: three numbers for each slice in the order of the tiles), `slice_times`."""
    tag = elements.private_tag(_GRID)
    tiles = elements.items(tag) if tag is not None else []
    found: dict[str, Value] = {"tile_count": elements.private(_SLICES, "integer"), "slice_times": _times(tiles)}
    positions = [tile.value(_POSITION, "numbers") for tile in tiles]
    if positions and all(position and len(position) == 3 for position in positions):
        found["tile_positions"] = [number for position in positions for number in position]
    return found


def _times(tiles: list[Elements]) -> list[float] | None:
    """Times of the slices in ms from the first of them."""
    clock = [_milliseconds(tile.value(_TIME, "time")) for tile in tiles]
    times = [time for time in clock if time is not None]
    if not times or len(times) != len(clock):
        return None
    times = without_midnight(times)
    first = min(times)
    return [round(time - first, 3) for time in times]


def _milliseconds(clock: str | None) -> float | None:
    """Since midnight, of `HH:MM:SS[.ffffff]`."""
    if clock is None:
        return None
    hours, minutes, seconds = clock.split(":")
    return 1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds))


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that United Imaging writes in its own elements of one image."""
    tiles = grid(elements) if "VFRAME" in (known.get("image_type") or []) else {}
    return {name: (value, _SOURCE) for name, value in {**tiles, **diffusion(elements)}.items()}
