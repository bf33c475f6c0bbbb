"""Images with elements of makers, and the blocks that Siemens writes into them."""

import struct
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.headers import a_dataset, a_file
from gyrus.dicom import Header, read
from gyrus.dicom.columns import unpacked

SIEMENS, CSA, SDS, SDI = "SIEMENS MR HEADER", "SIEMENS CSA HEADER", "SIEMENS MR SDS 01", "SIEMENS MR SDI 02"
PARM, ACQU = "GEMS_PARM_01", "GEMS_ACQU_01"
PHILIPS, PHILIPS_MR, PHILIPS_ITEMS = "Philips Imaging DD 001", "Philips MR Imaging DD 001", "Philips MR Imaging DD 005"
UIH = "Image Private Header"

Element = tuple[int, str, int, str, Any]


def read_with(folder: Path, manufacturer: str, elements: list[Element], **standard: Any) -> dict[str, Any]:
    """All fields of an image with private elements (group, creator, low byte, VR, value)."""
    return fields_of(folder, with_private(a_dataset(Manufacturer=manufacturer, **standard), elements))


def with_private(dataset: Dataset, elements: list[Element]) -> Dataset:
    """The data set or item, with private elements added."""
    for group, creator, element, vr, value in elements:
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return dataset


def fields_of(folder: Path, dataset: Dataset) -> dict[str, Any]:
    """Name to value of all fields; of what differs between frames, a list of the frames' values."""
    header = read(a_file(folder, dataset))
    assert isinstance(header, Header), header
    known = header.shared | header.image
    columns = known.pop("frames", {"columns": {}})["columns"]
    return known | {name: unpacked(column) for name, column in columns.items()}


def an_xa_object(shared: list[Element], frames: list[list[Element]], **standard: Any) -> Dataset:
    """An enhanced object with the private items of XA: one for all frames, one for each frame."""
    standard = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1", "Manufacturer": "Siemens Healthineers", "EchoTime": None} | standard
    dataset = a_dataset(NumberOfFrames=len(frames), **standard)
    dataset.SharedFunctionalGroupsSequence = [_group(SDS, shared)]
    dataset.PerFrameFunctionalGroupsSequence = [_group(SDI, frame) for frame in frames]
    return dataset


def _group(creator: str, elements: list[Element]) -> Dataset:
    item = with_private(Dataset(), elements)
    return with_private(Dataset(), [(0x0021, creator, 0xFE, "SQ", Sequence([item]))])


def csa(entries: dict[str, list[str]]) -> bytes:
    """A CSA header of the newer form."""
    block = b"SV10\4\3\2\1" + struct.pack("<II", len(entries), 77)
    for name, values in entries.items():
        block += struct.pack("<64sI4sIII", name.encode(), len(values), b"FD", 4, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            block += struct.pack("<IIII", 0, len(text), 77, 0) + _padded(text)
    return block


def older_csa(entries: dict[str, list[str]]) -> bytes:
    """A CSA header of the older form: lengths are written with the number of items of the first entry added."""
    added = len(next(iter(entries.values())))
    block = struct.pack("<II", len(entries), 77)
    for name, values in entries.items():
        block += struct.pack("<64sI4sIII", name.encode(), len(values), b"FD", 4, len(values), 205)
        for value in values:
            text = value.encode() + b"\0"
            block += struct.pack("<IIII", len(text) + added, 0, 77, 0) + _padded(text)
    return block


def _padded(text: bytes) -> bytes:
    return text.ljust((len(text) + 3) // 4 * 4, b"\0")


def protocol(**lines: str) -> bytes:
    """A block with a protocol; `__` in a key stands for a dot, and a number after `_at_` for a place in a list."""
    keys = {key.replace("__", "."): value for key, value in lines.items()}
    text = "".join(f"{_indexed(key)}\t = \t{value}\n" for key, value in keys.items())
    return f"<XProtocol>\n### ASCCONV BEGIN object=MrProtDataImpl ###\n{text}### ASCCONV END ###\nrest".encode()


def _indexed(key: str) -> str:
    name, found, place = key.partition("_at_")
    return f"{name}[{place}]" if found else key
