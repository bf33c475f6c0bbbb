"""What Siemens writes beside the standard: mosaics, slice times, diffusion, acceleration.

Elements: (0019,xx0A) US images in a mosaic, (0019,xx0C) IS b-value, (0019,xx0D) CS directionality, (0019,xx0E) FD×3 direction and
(0019,xx27) FD×6 b-matrix (patient axes), (0019,xx28) FD bandwidth per pixel along the phase encoding, (0019,xx29) FD×n slice times in ms,
(0051,xx11) LO acceleration, all of "SIEMENS MR HEADER"; (0021,xx09) LO acceleration of "SIEMENS MR SDS 01" (XA); the entries of
`siemens_csa` and the lines of `siemens_phoenix`.

Seen in real files: all of them; slice times over midnight in release VB17. The elements of XA that are one value each stand in the table
of fields.
"""

import re

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value
from gyrus.dicom.vendors import siemens_csa, siemens_phoenix
from gyrus.dicom.vendors.scan_options import partial_fourier
from gyrus.dicom.vendors.siemens_csa import Csa, csa_numbers, csa_of
from gyrus.dicom.vendors.slice_times import without_midnight

_PRIVATE, _CSA, _XA, _COMMENTS = "siemens_private", siemens_csa.SOURCE, "siemens_xa", "image_comments"


def _header(element: int, vr: str) -> Private:
    return Private(0x0019, "SIEMENS MR HEADER", element, vr, _PRIVATE)


_TILES, _B_VALUE, _DIRECTIONALITY, _DIRECTION = _header(0x0A, "US"), _header(0x0C, "IS"), _header(0x0D, "CS"), _header(0x0E, "FD")
_B_MATRIX, _BANDWIDTH, _SLICE_TIMES = _header(0x27, "FD"), _header(0x28, "FD"), _header(0x29, "FD")
_PARALLEL_IMAGING = (
    Private(0x0051, "SIEMENS MR HEADER", 0x11, "LO", _PRIVATE),
    Private(0x0021, "SIEMENS MR SDS 01", 0x09, "LO", _XA),
)
_IMAGE_COMMENTS = 0x00204000
_IN_PLANE = re.compile(r"\bp(\d{1,2})(?!\d)")  # `p2s4`, `p2 s3`: two-fold in the plane, four or three slices at once
_AT_ONCE = re.compile(r"(?<![A-Za-z])s(\d{1,2})(?!\d)")
_MULTIBAND = re.compile(r"\bMB(\d{1,2})\b")
_SEQUENCE_B = re.compile(r"ep_b(\d{1,5})(?![\d_])")  # `ep_b0_1000` is a map over several b-values, and has none


def mosaic(elements: Elements, csa: Csa) -> Answers:
    """`tile_count` and `tile_normal` (unit vector along the order of the tiles, patient axes)."""
    count = elements.private(_TILES, "integer")
    counted = csa_numbers(csa, "NumberOfImagesInMosaic")
    normal = csa_numbers(csa, "SliceNormalVector")
    found: Answers = {"tile_count": (count, _PRIVATE) if count else (int(counted[0]) if counted else None, _CSA)}
    if len(normal) == 3:
        found["tile_normal"] = (normal, _CSA)
    return found


def slice_times(elements: Elements, csa: Csa) -> Answers:
    """When each slice was measured, in ms from the start of its volume, in the order of the tiles."""
    written, source = elements.private(_SLICE_TIMES, "numbers"), _PRIVATE
    if not written:
        written, source = csa_numbers(csa, "MosaicRefAcqTimes"), _CSA
    return {"slice_times": (without_midnight(written), source)} if written and any(written) else {}


def diffusion(elements: Elements, csa: Csa, sequence_name: str) -> Answers:
    """b-value (s/mm²) and direction (patient axes) of the private header, else of the CSA header, else of the sequence's name."""
    b_value = elements.private(_B_VALUE, "number")
    if b_value is not None:
        return {
            "diffusion_b_value": (b_value, _PRIVATE),
            "diffusion_directionality": (elements.private(_DIRECTIONALITY, "text"), _PRIVATE),
            "diffusion_gradient_orientation": (_of_length(3, elements.private(_DIRECTION, "numbers")), _PRIVATE),
            "diffusion_b_matrix": (_of_length(6, elements.private(_B_MATRIX, "numbers")), _PRIVATE),
        }
    written = csa_numbers(csa, "B_value")
    if written:
        found: dict[str, Value] = {
            "diffusion_b_value": written[0],
            "diffusion_directionality": next(iter(csa.get("DiffusionDirectionality", ())), None),
            "diffusion_gradient_orientation": _of_length(3, csa_numbers(csa, "DiffusionGradientDirection")),
            "diffusion_b_matrix": _of_length(6, csa_numbers(csa, "B_matrix")),
        }
        return {name: (value, _CSA) for name, value in found.items()}
    named = _SEQUENCE_B.search(sequence_name)
    return {"diffusion_b_value": (float(named[1]), "sequence_name")} if named else {}


def _of_length(length: int, numbers: Value) -> list[float] | None:
    return numbers if numbers and len(numbers) == length else None


def phase_encoding(elements: Elements, csa: Csa) -> Answers:
    """Whether phase encoding runs along the rows or columns (1) or against them (0); bandwidth along it in Hz per pixel."""
    positive = csa_numbers(csa, "PhaseEncodingDirectionPositive")
    bandwidth, source = elements.private(_BANDWIDTH, "number"), _PRIVATE
    if bandwidth is None:
        bandwidth, source = next(iter(csa_numbers(csa, "BandwidthPerPixelPhaseEncode")), None), _CSA
    found: Answers = {"bandwidth_per_pixel_phase_encode": (bandwidth, source)}
    if positive and positive[0] in (0, 1):
        found["phase_encoding_direction_positive"] = (int(positive[0]), _CSA)
    return found


def acceleration(elements: Elements) -> Answers:
    """What the words on parallel imaging, and the comment of a research sequence (`Unaliased MB3/PE3/LB`), say."""
    found: Answers = {}
    for place in _PARALLEL_IMAGING:
        words = elements.private(place, "text") or ""
        for name, pattern in (("parallel_reduction_factor_in_plane", _IN_PLANE), ("multiband_factor", _AT_ONCE)):
            if match := pattern.search(words):
                found[name] = (float(match[1]), place.source)
    comment = _MULTIBAND.search(elements.value(_IMAGE_COMMENTS, "text") or "")
    return {**found, "multiband_factor": (float(comment[1]), _COMMENTS)} if comment else found


def extras(elements: Elements, known: dict[str, Value]) -> Answers:
    """All that Siemens writes in its own elements of one image.

    The protocol's factors stand before the words on parallel imaging: of 2 by 2 those say `p4`. A number of slices at once is taken from
    the words or the comment first.
    """
    csa = csa_of(elements)
    words = acceleration(elements)
    is_mosaic = "MOSAIC" in (known.get("image_type") or [])
    return {
        **partial_fourier(known),
        **words,
        **siemens_phoenix.answers_of(elements),
        **{name: answer for name, answer in words.items() if name == "multiband_factor"},
        **phase_encoding(elements, csa),
        **slice_times(elements, csa),
        **diffusion(elements, csa, known.get("sequence_name") or ""),
        **(mosaic(elements, csa) if is_mosaic else {}),
    }
