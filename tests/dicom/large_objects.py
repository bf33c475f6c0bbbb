"""Enhanced objects of very many frames, written byte by byte: building them from data sets takes minutes.

python -m dicom.large_objects FILE [FRAMES]
"""

import struct
import sys
from pathlib import Path

from dicom.headers import AXIAL, a_dataset, a_file

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SLICES = 50  # of a volume


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One explicit little endian element (PS3.5 section 7.1.2)."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<xxI", len(value)) if vr == "SQ" else struct.pack("<H", len(value))) + value


def text(tag: int, vr: str, value: str) -> bytes:
    return element(tag, vr, (value + " " * (len(value) % 2)).encode())


def doubles(tag: int, *values: float) -> bytes:
    return element(tag, "FD", struct.pack(f"<{len(values)}d", *values))


def sequence(tag: int, *items: bytes) -> bytes:
    return element(tag, "SQ", b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items))


def a_diffusion_frame(number: int) -> bytes:
    """The functional groups of one frame, which differ from those of every other frame in most of their values."""
    volume, slice_ = divmod(number, SLICES)
    content = element(0x00209057, "UL", struct.pack("<I", slice_ + 1)) + element(0x00209128, "UL", struct.pack("<I", volume + 1))
    times = text(0x00189074, "DT", f"20200101120000.{number:06d}") + doubles(0x00189220, 40.0 + number / 1e6)
    weighting = text(0x00189075, "CS", "DIRECTIONAL") + sequence(0x00189076, doubles(0x00189089, volume / 1000, 0.1, 0.3))
    return b"".join(
        [
            sequence(0x00189112, doubles(0x00180080, 8000.0 + number / 1e4)),
            sequence(0x00189114, doubles(0x00189082, 80.0)),
            sequence(0x00189117, weighting + doubles(0x00189087, 1000.0 * (volume % 3))),
            sequence(0x00189226, text(0x00089007, "CS", "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE") + text(0x00089208, "CS", "MAGNITUDE")),
            sequence(0x00209111, times + content),
            sequence(0x00209113, text(0x00200032, "DS", f"0\\{number / 1e4}\\{2.0 * slice_}")),
            sequence(0x00209116, text(0x00200037, "DS", "\\".join(f"{part:g}" for part in AXIAL))),
            sequence(0x00289132, text(0x00281050, "DS", f"{number % 997}") + text(0x00281051, "DS", f"{number % 991 + 1}")),
            sequence(0x00289145, text(0x00281052, "DS", "0") + text(0x00281053, "DS", f"{1 + number / 1e5:.6f}")),
        ]
    )


def a_large_object(folder: Path, frames: list[bytes], announced: int | None = None) -> Path:
    """An enhanced MR object with these functional groups; `announced`: its number of frames, where that is another."""
    count = len(frames) if announced is None else announced
    path = a_file(folder, a_dataset(SOPClassUID=ENHANCED_MR, EchoTime=None, NumberOfFrames=count), f"{len(frames)}-frames")
    content = path.read_bytes()
    pixels = content.index(struct.pack("<HH", 0x7FE0, 0x0010))
    path.write_bytes(content[:pixels] + sequence(0x52009230, *frames) + content[pixels:])
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    made = a_large_object(target.parent, [a_diffusion_frame(number) for number in range(int(sys.argv[2]) if sys.argv[2:] else 10_000)])
    made.rename(target)
