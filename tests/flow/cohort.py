"""Small files with everything that the flow must survive: two echoes, a CT, duplicates, conflicts, litter, latecomers, changes on disk.

Every byte and every mtime is the same each time, so that two runs can be compared.
"""

import os
import shutil
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

SLICES = 5
EPOCH_NS = 1_700_000_000_000_000_000
MR, CT = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"


def uid(*words: object) -> UID:
    return generate_uid(entropy_srcs=[str(word) for word in words])


def image(series: str, slice_: int, **fields: object) -> Dataset:
    """One axial slice of 32 × 32 mm; `fields` by keyword replace what is here."""
    study = str(fields.pop("study", "one"))
    patient = str(fields.pop("patient", "P1"))
    ct = fields.get("Modality") == "CT"
    ds = Dataset()
    ds.SOPClassUID = CT if ct else MR
    ds.SOPInstanceUID = uid(series, slice_)
    ds.SeriesInstanceUID, ds.StudyInstanceUID = uid(series), uid("study", study)
    ds.PatientID, ds.PatientName, ds.StudyDate = patient, f"FLOW^{patient}", "20240102"
    ds.Modality, ds.Manufacturer, ds.SeriesNumber, ds.InstanceNumber = "MR", "SIEMENS", 1, slice_ + 1
    ds.SeriesDescription = series
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if ct else ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = ["GR", "IR"], ["SK", "SP", "MP"], "IR", "3D"
    ds.SequenceName, ds.RepetitionTime, ds.EchoTime, ds.InversionTime, ds.FlipAngle = "*tfl3d1_16ns", 2300, 2.98, 900, 9
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-16, -16, 4 * slice_], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.Rows, ds.Columns = [1, 1], 4, 32, 32
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope = (-1024 if ct else 0), 1
    for keyword, value in fields.items():
        if keyword != "pixels":
            setattr(ds, keyword, value)
    seed = abs(hash((32, slice_))) if "pixels" not in fields else int(str(fields["pixels"]))
    values = np.random.default_rng(seed % 2**32).integers(0, 900, (32, 32)) + 5 * np.arange(32)
    ds.PixelData = values.astype("<i2").tobytes()
    return ds


def write(path: Path, ds: Dataset, tick: int = 0) -> Path:
    """Write a Part 10 file whose mtime is `tick` seconds after a fixed moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta = meta
    ds.save_as(path, enforce_file_format=True)
    return dated(path, tick)


def dated(path: Path, tick: int) -> Path:
    os.utime(path, ns=(EPOCH_NS, EPOCH_NS + tick * 1_000_000_000))
    return path


def first(folder: Path) -> None:
    """Two studies of one person: a T1, a two-echo field map, a CT of another person, a duplicate, a conflict, litter."""
    for number in range(SLICES):
        write(folder / f"a/t1/{number:02}.dcm", image("t1_mprage", number))
        for echo, time_ms in ((1, 4.9), (2, 7.4)):
            about = {"EchoTime": time_ms, "EchoNumbers": echo, "InversionTime": None, "SequenceName": "*fl2d2", "MRAcquisitionType": "2D"}
            ds = image("field_map", number, **about, ScanningSequence="GR", SequenceVariant="SP", SeriesNumber=2)
            ds.SOPInstanceUID = uid("field_map", number, echo)
            write(folder / f"a/fmap/{number:02}_{echo}.dcm", ds)
        write(
            folder / f"b/{number:02}",
            image("head_ct", number, Modality="CT", study="two", patient="P2", KVP=120, Manufacturer="GE MEDICAL SYSTEMS"),
        )
    shutil.copy(folder / "a/t1/01.dcm", folder / "a/copy.dcm")
    dated(folder / "a/copy.dcm", 5)
    write(folder / "a/other_pixels.dcm", image("t1_mprage", 2, pixels=7), 6)
    write(folder / "a/other_fields.dcm", image("t1_mprage", 3, FlipAngle=12), 7)
    for name, content in (("notes.txt", b"not an image"), ("empty.dcm", b"")):
        (folder / name).write_bytes(content)
        dated(folder / name, 1)


def second(folder: Path) -> None:
    """What comes later: a file more, a file that changed on disk, a file that now belongs to another series."""
    write(folder / f"a/t1/{SLICES:02}.dcm", image("t1_mprage", SLICES), 20)
    write(folder / "a/t1/00.dcm", image("t1_mprage", 0, pixels=11), 21)
    moved = image("t1_mprage", 3, FlipAngle=12)
    moved.SeriesInstanceUID = uid("another")
    write(folder / "a/other_fields.dcm", moved, 22)
