r"""The protocol text of Siemens (Phoenix): `key = value` lines of what the scanner was told to do.

Elements: (0029,xx20) OB of "SIEMENS CSA HEADER", the series header of classic files; (0021,xx19) OB of "SIEMENS MR SDS 01" (XA). The
lines stand between `### ASCCONV BEGIN` and `### ASCCONV END ###`. Only the keys that we use are looked for, each by its own line.

Seen in real files: the file of the sequence, acceleration, multi-band, partial Fourier, the inversion time. By description only: which
read-out mode is bipolar; partial Fourier of 5/8 is seen, of 4/8 not. The multi-band factor of the research sequences `cmrr_mb…` is not at
its own key but in a free one; it was compared with the comments of their images.
"""

import re

from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Private
from gyrus.dicom.values import Answers, Value

SOURCE = "siemens_phoenix"
LARGEST_BLOCK = 4 << 20  # bytes; real ones have 50,000 to 210,000
_LONGEST_LINE = 512

_PLACES = (
    Private(0x0029, "SIEMENS CSA HEADER", 0x20, "OB", SOURCE),
    Private(0x0021, "SIEMENS MR SDS 01", 0x19, "OB", SOURCE),
)
_BEGIN, _END = b"### ASCCONV BEGIN", b"### ASCCONV END"
_WHOLE = re.compile(r"(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})(?!\w)")

_NO_PARALLEL_IMAGING = 1  # of sPat.ucPATMode
_INVERTING = (1, 2)  # of sPrepPulses.ucInversion: slice-selective, non-selective; 4 is off, with a left-over inversion time beside it
_FRACTIONS = {1: 0.5, 2: 0.625, 4: 0.75, 8: 0.875, 16: 1.0}  # of sKSpace.ucPhasePartialFourier
_READOUTS = {1: "MONOPOLAR", 2: "BIPOLAR"}
_FREE_MULTIBAND, _FREE_MULTIBAND_SEQUENCE = "sWipMemBlock.alFree[13]", "cmrr_mb"
_MOST_BANDS = 16  # a free key may hold anything else in another release


def answers_of(elements: Elements) -> Answers:
    """All that we read from the first protocol of an image; nothing where it has none."""
    for place in _PLACES:
        tag = elements.private_tag(place)
        if tag is not None and (found := elements.told(tag, _answers_in)) is not None:
            return dict(found)
    return {}


def _answers_in(block: bytes) -> tuple[tuple[str, tuple[Value, str]], ...] | None:
    """What the protocol in a block says; None where there is none."""
    lines = between_marks(block) if len(block) <= LARGEST_BLOCK else b""
    return tuple(answers(lines).items()) if lines else None


def between_marks(block: bytes) -> bytes:
    """The lines of the first protocol in a block; empty if it has none."""
    start = block.find(_BEGIN)
    end = block.find(_END, start)
    return block[start : end if end >= 0 else len(block)] if start >= 0 else b""


def entry(protocol: bytes, key: str) -> str:
    """The value of a key as it stands, without quotation marks; empty if the protocol has no such line."""
    wanted = b"\n" + key.encode()
    start = protocol.find(wanted)
    while start >= 0:
        after = start + len(wanted)
        line = protocol[after : after + _LONGEST_LINE].split(b"\n", 1)[0].lstrip(b" \t")
        if line.startswith(b"="):
            return line[1:].decode("latin-1").strip(' \t\r"')
        start = protocol.find(wanted, after)
    return ""


def whole(protocol: bytes, key: str) -> int | None:
    """The value of a key as a whole number, decimal or `0x10`."""
    match = _WHOLE.match(entry(protocol, key))
    return int(match[0], 0 if match[0][:2] in ("0x", "0X") else 10) if match else None


def answers(protocol: bytes) -> Answers:
    """All that we read from a protocol."""
    if not protocol:
        return {}
    file = entry(protocol, "tSequenceFileName")
    found = {
        "siemens_sequence_file": file or None,
        **acceleration(protocol, file),
        **partial_fourier(protocol),
        "inversion_time": _inversion_time(protocol),
        "readout_mode": _READOUTS.get(whole(protocol, "ucReadOutMode") or 0),
    }
    return {name: (value, SOURCE) for name, value in found.items() if value is not None}


def acceleration(protocol: bytes, file: str) -> dict[str, Value]:
    """Factors of parallel imaging, 1 where it is off, and the number of slices excited at once."""
    mode = whole(protocol, "sPat.ucPATMode")
    if mode is None:
        return {}
    in_plane, through = (whole(protocol, key) or 1 for key in ("sPat.lAccelFactPE", "sPat.lAccelFact3D"))
    is_off = mode == _NO_PARALLEL_IMAGING
    return {
        "parallel_reduction_factor_in_plane": 1.0 if is_off else float(in_plane),
        "parallel_reduction_factor_out_of_plane": 1.0 if is_off else float(through),
        "multiband_factor": _bands(protocol, file),
    }


def _bands(protocol: bytes, file: str) -> float | None:
    bands = whole(protocol, "sSliceAcceleration.lMultiBandFactor") or 1
    if bands == 1 and _FREE_MULTIBAND_SEQUENCE in file.lower():
        bands = whole(protocol, _FREE_MULTIBAND) or 1
    return float(bands) if 1 < bands <= _MOST_BANDS else None


def partial_fourier(protocol: bytes) -> dict[str, Value]:
    """Whether lines of k-space were left out along the phase encoding, and which part was measured."""
    fraction = _FRACTIONS.get(whole(protocol, "sKSpace.ucPhasePartialFourier") or 0)
    if fraction is None:
        return {}
    return {"partial_fourier": "YES" if fraction < 1 else "NO", "partial_fourier_fraction": fraction}


def _inversion_time(protocol: bytes) -> float | None:
    """In ms; the protocol has µs."""
    time = whole(protocol, "alTI[0]")
    return time / 1000 if time and whole(protocol, "sPrepPulses.ucInversion") in _INVERTING else None
