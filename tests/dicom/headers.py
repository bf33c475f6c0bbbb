"""DICOM files and stack images with defaults, so that a test states only what matters to it."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from gyrus.dicom import Header, Rejected, read

MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def a_dataset(**elements: Any) -> Dataset:
    """A small MR image; an element given as None is left out."""
    dataset = Dataset()
    values = {
        "SOPClassUID": MR_CLASS,
        "SOPInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2",
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "EchoTime": "2.5",
        "Rows": 2,
        "Columns": 2,
        "BitsAllocated": 16,
        "PixelData": b"\0" * 8,
    } | elements
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def a_file(folder: Path, dataset: Dataset, name: str = "image") -> Path:
    """The data set as a file with preamble and file meta."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", MR_CLASS)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3.4") or "1.2.3.4"
    path = folder / name
    dataset.save_as(path, enforce_file_format=True)
    return path


def with_raw_value(path: Path, tag: int, vr: bytes, value: bytes) -> Path:
    """Exchange the value of a short explicit element in a file, whatever a writer would say of it."""
    content = path.read_bytes()
    start = content.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr)
    length = struct.unpack_from("<H", content, start + 6)[0]
    path.write_bytes(content[: start + 6] + struct.pack("<H", len(value)) + value + content[start + 8 + length :])
    return path


def header_of(path: Path) -> Header:
    """What a file says that is read."""
    header = read(path)
    assert isinstance(header, Header), header
    return header


def reason_of(path: Path) -> str:
    """Why a file is refused."""
    rejected = read(path)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


def a_stack_image(number: int, position: Sequence[float] = (0.0, 0.0, 0.0), /, **known: Any) -> dict[str, Any]:
    """One classic image of a stack, as `describe` takes it."""
    image = {"instance_number": number, "image_position_patient": list(position), "image_orientation_patient": AXIAL} | known
    shared = {"modality": "MR", "rows": 2, "columns": 2, "pixel_spacing": [1.0, 1.0], "slice_thickness": 2.0}
    return {"sop": f"1.{number:04d}", "shared": shared, "image": image, "frames": None, "n": 1}


def a_series(slices: int, volumes: int = 1, step_mm: float = 2.0) -> list[dict[str, Any]]:
    """Images of a stack, volume by volume."""
    places = [(volume, place) for volume in range(volumes) for place in range(slices)]
    return [a_stack_image(number, (0.0, 0.0, place * step_mm)) for number, (_, place) in enumerate(places, 1)]
