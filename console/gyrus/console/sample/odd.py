"""Files as every archive holds them – copies, contradictions, cut and empty files, litter – and what should become of each."""

import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.data.data_manager import DATA_ROOT
from pydicom.dataset import Dataset
from pydicom.uid import UID, EnhancedSRStorage, GrayscaleSoftcopyPresentationStateStorage, MediaStorageDirectoryStorage

from gyrus.console.sample.cohort import uid_of
from gyrus.console.sample.nuclear import coded

ODD_FOLDER = "odd"
PYDICOM_FOLDER = "pydicom"
PYDICOM_LARGEST_BYTES = 100_000
OF_STUDY = ("SpecificCharacterSet", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "PatientName", "PatientID", "Manufacturer")
STUDY_UID_TAG = b"\x20\x00\x0d\x00UI"  # (0020,000D) as an explicit little endian file writes it


@dataclass(frozen=True, kw_only=True)
class OddFile:
    """One odd file, made from the bytes of an ordinary image; `outcome` and `reason` are what an extractor should say."""

    name: str
    study: str
    series: int
    image: int
    make: Callable[[bytes], bytes]
    outcome: str
    reason: str = ""


def copied(image: bytes) -> bytes:
    """The same file once more."""
    return image


def contradicted(image: bytes) -> bytes:
    """The same SOP Instance UID over other pixels: the picture upside down."""
    dataset = dcmread(BytesIO(image))
    dataset.PixelData = dataset.pixel_array[::-1].tobytes()
    return _bytes(dataset)


def cut(image: bytes) -> bytes:
    """The file breaks off in its header, within the element that names the study."""
    return image[: image.index(STUDY_UID_TAG) + len(STUDY_UID_TAG)]


def half_copied(image: bytes) -> bytes:
    """The disk was full in the middle of the pixels."""
    return image[: len(image) - len(dcmread(BytesIO(image)).PixelData) // 2]


def nameless(image: bytes) -> bytes:
    """An image that somebody took the series' identifier from."""
    dataset = dcmread(BytesIO(image))
    del dataset.SeriesInstanceUID
    return _bytes(dataset)


def reported(image: bytes) -> bytes:
    """A structured report: text about the study, no image."""
    dataset = _about(image, "report", "SR", EnhancedSRStorage)
    dataset.ValueType = "CONTAINER"
    dataset.ConceptNameCodeSequence = [coded("121111", "DCM", "Summary")]
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    return _bytes(dataset)


def presented(image: bytes) -> bytes:
    """A presentation state, as Philips exports one with each series: which window somebody chose."""
    dataset = _about(image, "presentation state", "PR", GrayscaleSoftcopyPresentationStateStorage)
    dataset.ContentLabel = "PHILIPS_MR"
    return _bytes(dataset)


def listed(image: bytes) -> bytes:
    """The directory of a compact disc."""
    dataset = _about(image, "directory", "", MediaStorageDirectoryStorage)
    record = Dataset()
    record.DirectoryRecordType, record.RecordInUseFlag = "PATIENT", 0xFFFF
    record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.PatientID, record.PatientName = dataset.PatientID, dataset.PatientName
    directory = Dataset()
    directory.file_meta = dataset.file_meta
    directory.FileSetID = "SAMPLE"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.FileSetConsistencyFlag = 0
    directory.DirectoryRecordSequence = [record]
    return _bytes(directory)


def zipped(image: bytes) -> bytes:
    """An archive with one image."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("image.dcm", (2024, 3, 5, 10, 0, 0)), image)
    return buffer.getvalue()


def squeezed(image: bytes) -> bytes:
    """An image that was compressed as a whole."""
    return gzip.compress(image, mtime=0)


def printed(_: bytes) -> bytes:
    """A letter as PDF."""
    return b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n%%EOF\n"


def viewed(_: bytes) -> bytes:
    """What a desktop writes into every folder that was looked at."""
    return b"\0\0\0\1Bud1" + bytes(6140)


def tabulated(_: bytes) -> bytes:
    """A list of the subjects."""
    return b"subject,age,site\nsub-01,39,1\nsub-02,72,1\nsub-03,52,2\n"


def noted(_: bytes) -> bytes:
    """Text where an image is expected."""
    return b"Scanned on a quiet afternoon. The second series was repeated because the head moved.\n"


def emptied(_: bytes) -> bytes:
    """Nothing."""
    return b""


def _about(image: bytes, what: str, modality: str, sop_class: UID) -> Dataset:
    """An object about a study that is no image of it: the same study, a series of its own."""
    source = dcmread(BytesIO(image), stop_before_pixels=True)
    dataset = Dataset()
    dataset.file_meta = source.file_meta
    for keyword in OF_STUDY:
        setattr(dataset, keyword, source[keyword].value)
    dataset.Modality = modality
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid_of(source.StudyInstanceUID, what)
    dataset.SeriesInstanceUID = uid_of(source.StudyInstanceUID, what, "series")
    dataset.SeriesDescription, dataset.SeriesNumber, dataset.InstanceNumber = what, 99, 1
    return dataset


def _bytes(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _odd(name: str, make: Callable[[bytes], bytes], outcome: str, reason: str = "", **which: Any) -> OddFile:
    """One row, made from an image of the first FLAIR unless another is named."""
    return OddFile(name=name, make=make, outcome=outcome, reason=reason, **{"study": "sub-01/mr", "series": 3, "image": 15, **which})


ODD_FILES = (
    _odd("copy_of_mprage.IMA", copied, "duplicate", series=2, image=44),
    _odd("flair_upside_down.IMA", contradicted, "conflicting", image=14),
    _odd("half_copied.IMA", half_copied, "conflicting", image=16),
    _odd("truncated.dcm", cut, "rejected", "corrupt_header"),
    _odd("nameless.dcm", nameless, "rejected", "missing_uid"),
    _odd("report.dcm", reported, "rejected", "non_image_object"),
    _odd("PS_0001", presented, "rejected", "non_image_object", study="sub-03/mr", series=301),
    _odd("DICOMDIR", listed, "rejected", "dicomdir", study="sub-03/mr", series=301),
    _odd("flair.zip", zipped, "rejected", "compressed_container"),
    _odd("flair.dcm.gz", squeezed, "rejected", "compressed_container"),
    _odd("letter.pdf", printed, "rejected", "not_dicom"),
    _odd("subjects.csv", tabulated, "rejected", "not_dicom"),
    _odd(".DS_Store", viewed, "rejected", "not_dicom"),
    _odd("notes.dcm", noted, "rejected", "not_dicom"),
    _odd("empty.dcm", emptied, "rejected", "empty_file"),
)


def copy_pydicom_files(folder: Path) -> None:
    """Copy pydicom's own test files, as they are, below `pydicom/`: every installed *.dcm of less than 100 kB.

    Read from the installed package: pydicom's get_testdata_files would look on the network for what is missing.
    """
    origin = Path(DATA_ROOT) / "test_files"
    for source in sorted(origin.rglob("*.dcm")):
        if source.stat().st_size < PYDICOM_LARGEST_BYTES:
            target = folder / PYDICOM_FOLDER / source.relative_to(origin)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
