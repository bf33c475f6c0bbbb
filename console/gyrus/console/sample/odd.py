"""Files as every archive holds them – copies, contradictions, cut and empty files, litter – and what should become of each."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.data.data_manager import DATA_ROOT

ODD_FOLDER = "odd"
PYDICOM_FOLDER = "pydicom"
PYDICOM_LARGEST_BYTES = 100_000
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
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def cut(image: bytes) -> bytes:
    """The file breaks off in its header, within the element that names the study."""
    return image[: image.index(STUDY_UID_TAG) + len(STUDY_UID_TAG)]


def noted(_: bytes) -> bytes:
    """Text where an image is expected."""
    return b"Scanned on a quiet afternoon. The second series was repeated because the head moved.\n"


def emptied(_: bytes) -> bytes:
    """Nothing."""
    return b""


ODD_FILES = (
    OddFile(name="copy_of_mprage.IMA", study="sub-01/mr", series=2, image=44, make=copied, outcome="duplicate"),
    OddFile(name="flair_upside_down.IMA", study="sub-01/mr", series=3, image=14, make=contradicted, outcome="conflicting"),
    OddFile(name="truncated.dcm", study="sub-01/mr", series=3, image=15, make=cut, outcome="rejected", reason="corrupt_header"),
    OddFile(name="notes.dcm", study="sub-01/mr", series=3, image=15, make=noted, outcome="rejected", reason="not_dicom"),
    OddFile(name="empty.dcm", study="sub-01/mr", series=3, image=15, make=emptied, outcome="rejected", reason="empty_file"),
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
