"""What United Imaging writes beside the standard: grids of slices, diffusion, acceleration. Creator "Image Private Header".

Elements: (0065,xx0A) FD nominal b-value (used for labels and shells; the actual one, (0065,xx09), is not), (0065,xx37) FD×3 direction
(patient axes), (0065,xx50) DS slices in a grid, (0065,xx51) SQ one item a slice with its own (0020,0032), (0065,xx0D) SH acceleration
(`F:2S`). All seen in real files.
"""

import re

from gyrus.dicom.elements import Elements
from gyrus.dicom.values import Value

_CREATOR = "Image Private Header"
_POSITION = 0x00200032
_ACCELERATION = re.compile(r"F:(\d+(?:\.\d+)?)S?")


def diffusion(elements: Elements) -> dict[str, Value]:
    """Nominal b-value (s/mm²) and direction (patient axes)."""
    b_value = elements.private((0x0065, _CREATOR, 0x0A), "number", "FD")
    if b_value is None:
        return {}
    found: dict[str, Value] = {"diffusion_b_value": b_value, "diffusion_b_value_source": "uih_private"}
    direction = elements.private((0x0065, _CREATOR, 0x37), "numbers", "FD")
    if direction and len(direction) == 3 and any(direction):
        found["diffusion_gradient_orientation"] = direction
    return found


def grid(elements: Elements) -> dict[str, Value]:
    """`tile_count` and `tile_positions` (mm, patient axes, flat: three numbers for each slice in the order of the tiles)."""
    found: dict[str, Value] = {"tile_count": elements.private((0x0065, _CREATOR, 0x50), "integer", "DS")}
    tag = elements.private_tag((0x0065, _CREATOR, 0x51))
    positions = [item.value(_POSITION, "numbers") for item in elements.items(tag)] if tag is not None else []
    if positions and all(position and len(position) == 3 for position in positions):
        found["tile_positions"] = [number for position in positions for number in position]
    return found


def acceleration(elements: Elements) -> dict[str, Value]:
    """In-plane factor."""
    match = _ACCELERATION.search(elements.private((0x0065, _CREATOR, 0x0D), "text", "SH") or "")
    if not match:
        return {}
    return {"parallel_reduction_factor_in_plane": float(match[1]), "parallel_reduction_factor_in_plane_source": "uih_private"}


def extras(elements: Elements, known: dict[str, Value]) -> dict[str, Value]:
    """All that United Imaging writes in its own elements of one image."""
    tiles = grid(elements) if "VFRAME" in (known.get("image_type") or []) else {}
    return {**tiles, **diffusion(elements), **acceleration(elements)}
