"""What Siemens writes beside the standard: mosaics, diffusion, acceleration.

Elements: (0019,xx0A) US images in a mosaic, (0019,xx0C) IS b-value, (0019,xx0D) CS directionality, (0019,xx0E) FD×3 direction
(patient axes), all of "SIEMENS MR HEADER"; (0051,xx11) LO acceleration, same creator; (0029,xx10) OB image header of
"SIEMENS CSA HEADER"; (0021,xx09) LO acceleration of "SIEMENS MR SDS 01" (XA).
Seen in real files: all of them but (0021,xx09), and the older CSA form without "SV10", which follow descriptions.
"""

import re
import struct

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value, number_of

_PRIVATE, _CSA = "siemens_private", "siemens_csa"
_CSA_IMAGE = Private(0x0029, "SIEMENS CSA HEADER", 0x10, "OB", _CSA)


def _header(element: int, vr: str) -> Private:
    return Private(0x0019, "SIEMENS MR HEADER", element, vr, _PRIVATE)


_TILES, _B_VALUE, _DIRECTIONALITY, _DIRECTION = _header(0x0A, "US"), _header(0x0C, "IS"), _header(0x0D, "CS"), _header(0x0E, "FD")
_IMAGE_COMMENTS = 0x00204000
_MOST_TAGS = 1024
_MULTIBAND = re.compile(r"\bMB(\d+)\b")
_SEQUENCE_B = re.compile(r"ep_b(\d+)(?![\d_])")  # `ep_b0_1000` is a map over several b-values, and has none


def csa_texts(block: bytes, wanted: frozenset[str]) -> dict[str, list[str]]:
    """The wanted entries of a CSA header: name to its texts. A block that contradicts itself gives what was read before."""
    found: dict[str, list[str]] = {}
    is_second_form = block[:4] == b"SV10"
    offset = 8 if is_second_form else 0
    try:
        (count,) = struct.unpack_from("<I", block, offset)
        offset += 8
        base = None if is_second_form else struct.unpack_from("<I", block, offset + 84)[0]
        for _ in range(count if 1 <= count <= _MOST_TAGS else 0):
            name = block[offset : offset + 64].split(b"\0", 1)[0].decode("latin-1")
            values, offset = _csa_items(block, offset, base)
            if name in wanted:
                found[name] = values
    except (struct.error, ValueError):
        pass
    return found


def _csa_items(block: bytes, offset: int, base: int | None) -> tuple[list[str], int]:
    """The texts of the tag at `offset`, and where the next tag starts. `base` is the length correction of the older form."""
    multiplicity, _, _, items = struct.unpack_from("<I4sII", block, offset + 64)
    offset += 84
    values = []
    for _ in range(items):
        first, second = struct.unpack_from("<II", block, offset)
        length = second if base is None else first - base
        if not 0 <= length <= len(block) - offset - 16:
            raise ValueError("an item runs past its block")
        text = block[offset + 16 : offset + 16 + length].split(b"\0", 1)[0].decode("latin-1").strip()
        if text:
            values.append(text)
        offset += 16 + (length + 3) // 4 * 4
    return values[: multiplicity or None], offset


def _numbers(texts: list[str]) -> list[float]:
    values = [number_of(text) for text in texts]
    return [value for value in values if value is not None]


def _csa(elements: Elements) -> dict[str, list[str]]:
    tag = elements.private_tag(_CSA_IMAGE)
    block = elements.raw(tag) if tag is not None else None
    wanted = frozenset({"NumberOfImagesInMosaic", "SliceNormalVector", "B_value", "DiffusionGradientDirection"})
    return csa_texts(block, wanted) if block else {}


def mosaic(elements: Elements, csa: dict[str, list[str]]) -> Answers:
    """`tile_count` and `tile_normal` (unit vector along the order of the tiles, patient axes)."""
    count = elements.private(_TILES, "integer")
    counted = _numbers(csa.get("NumberOfImagesInMosaic", []))
    normal = _numbers(csa.get("SliceNormalVector", []))
    found: Answers = {"tile_count": (count, _PRIVATE) if count else (int(counted[0]) if counted else None, _CSA)}
    if len(normal) == 3:
        found["tile_normal"] = (normal, _CSA)
    return found


def diffusion(elements: Elements, csa: dict[str, list[str]], sequence_name: str) -> Answers:
    """b-value (s/mm²) and direction (patient axes) of the private header, else of the CSA header, else of the sequence's name."""
    b_value = elements.private(_B_VALUE, "number")
    if b_value is not None:
        return {
            "diffusion_b_value": (b_value, _PRIVATE),
            "diffusion_directionality": (elements.private(_DIRECTIONALITY, "text"), _PRIVATE),
            "diffusion_gradient_orientation": (elements.private(_DIRECTION, "numbers"), _PRIVATE),
        }
    written = _numbers(csa.get("B_value", []))
    if written:
        direction = _numbers(csa.get("DiffusionGradientDirection", []))
        found = {"diffusion_b_value": written[0], "diffusion_gradient_orientation": direction if len(direction) == 3 else None}
        return {name: (value, _CSA) for name, value in found.items()}
    named = _SEQUENCE_B.search(sequence_name)
    return {"diffusion_b_value": (float(named[1]), "sequence_name")} if named else {}


def simultaneous_slices(elements: Elements) -> Answers:
    """The multi-band factor that a research sequence writes into the comment of an image: `Unaliased MB3/PE3/LB`."""
    comment = _MULTIBAND.search(elements.value(_IMAGE_COMMENTS, "text") or "")
    return {"multiband_factor": (float(comment[1]), "image_comments")} if comment else {}


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that Siemens writes in its own elements of one image."""
    is_mosaic = "MOSAIC" in (known.get("image_type") or [])
    name = known.get("sequence_name") or ""
    needs_csa = is_mosaic or known.get("diffusion_b_value") is None
    csa = _csa(elements) if needs_csa else {}
    tiles = mosaic(elements, csa) if is_mosaic else {}
    return {**tiles, **diffusion(elements, csa, name), **simultaneous_slices(elements)}
