"""What United Imaging writes beside the standard: grids of slices, diffusion, acceleration. Creator "Image Private Header".

Elements: (0065,xx0A) FD nominal b-value (used for labels and shells; the actual one, (0065,xx09), is not), (0065,xx37) FD×3 direction
(patient axes), (0065,xx50) DS slices in a grid, (0065,xx51) SQ one item a slice with its own (0020,0032), (0065,xx0D) SH acceleration
(`F:2S`). All seen in real files.
"""

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value

_SOURCE = "uih_private"
_POSITION = 0x00200032


def _uih(element: int, vr: str) -> Private:
    return Private(0x0065, "Image Private Header", element, vr, _SOURCE)


_NOMINAL_B, _DIRECTION, _SLICES, _GRID = _uih(0x0A, "FD"), _uih(0x37, "FD"), _uih(0x50, "DS"), _uih(0x51, "SQ")


def diffusion(elements: Elements) -> dict[str, Value]:
    """Nominal b-value (s/mm²) and direction (patient axes)."""
    b_value = elements.private(_NOMINAL_B, "number")
    if b_value is None:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value}
    direction = elements.private(_DIRECTION, "numbers")
    if direction and len(direction) == 3 and any(direction):
        found["diffusion_gradient_orientation"] = direction
    return found


def grid(elements: Elements) -> dict[str, Value]:
    """`tile_count` and `tile_positions` (mm, patient axes, flat: three numbers for each slice in the order of the tiles)."""
    found: dict[str, Value] = {"tile_count": elements.private(_SLICES, "integer")}
    tag = elements.private_tag(_GRID)
    positions = [item.value(_POSITION, "numbers") for item in elements.items(tag)] if tag is not None else []
    if positions and all(position and len(position) == 3 for position in positions):
        found["tile_positions"] = [number for position in positions for number in position]
    return found


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that United Imaging writes in its own elements of one image."""
    tiles = grid(elements) if "VFRAME" in (known.get("image_type") or []) else {}
    return {name: (value, _SOURCE) for name, value in {**tiles, **diffusion(elements)}.items()}
