"""Enhanced multi-frame objects with defaults, so that a test states only what matters to it."""

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.headers import AXIAL, a_dataset, a_file
from gyrus.dicom import Header, read

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def macro(**values: Any) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def a_frame(height: float = 0.0, **macros: Sequence) -> Dataset:
    item = Dataset()
    item.PlanePositionSequence = macro(ImagePositionPatient=[0.0, 0.0, height])
    for keyword, value in macros.items():
        setattr(item, keyword, value)
    return item


def an_object(frames: list[Dataset], **elements: Any) -> Dataset:
    shared = Dataset()
    shared.PlaneOrientationSequence = macro(ImageOrientationPatient=AXIAL)
    shared.MRTimingAndRelatedParametersSequence = macro(RepetitionTime=500.0, FlipAngle=9.0)
    values = {"SOPClassUID": ENHANCED_MR, "EchoTime": None, "NumberOfFrames": len(frames)} | elements
    dataset = a_dataset(**values)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return dataset


def read_object(tmp_path: Path, dataset: Dataset) -> Header:
    header = read(a_file(tmp_path, dataset))
    assert isinstance(header, Header), header
    return header
