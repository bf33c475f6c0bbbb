"""What readers answer and what is stored of it, with defaults, so that a test states only what matters to it."""

from typing import Any

from gyrus.dicom.keys import stack_key
from gyrus.dicom.reader import Header, Rejected
from gyrus.extractor.files import Document, Said, by_rule, replaced, said

KEY = b"a secret for tests only"
SHARED = {"modality": "MR", "rows": 2, "columns": 2, "pixel_spacing": [1.0, 1.0], "slice_thickness": 2.0, "echo_time": 2.5}
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def a_header(slice_: int = 0, *, series: str = "1.2", study: str = "1", mtime_ns: int = 1_000, size: int = 500, **fields: Any) -> Header:
    """An image; fields go to the shared ones unless they are of an image. A field given as None is left out."""
    per_image = {
        "instance_number": slice_ + 1,
        "image_position_patient": [0.0, 0.0, 2.0 * slice_],
        "image_orientation_patient": AXIAL,
        "pixel_offset": 300,
        "pixel_length": 8,
    }
    image = {name: fields.pop(name, value) for name, value in per_image.items()}
    sop = str(fields.pop("sop", f"{series}.{slice_}"))
    diagnostics = dict(fields.pop("diagnostics", {}))
    shared = {name: value for name, value in (SHARED | {"patient_id": "P1"} | fields).items() if value is not None}
    stacks = [{"key": stack_key(shared, image), "frames": None, "n": 1}]
    return Header(sop, series, study, shared, image, stacks, size, mtime_ns, diagnostics)


def a_rejection(reason: str = "not_dicom", mtime_ns: int = 1_000) -> Rejected:
    return Rejected(reason, "", 10, mtime_ns)


def gone() -> Rejected:
    return Rejected("vanished", "", 0, 0)


def what(answer: Header | Rejected, code: str | None = None, unmapped: bool = False) -> Said:
    return by_rule(said(answer, "c", KEY), "c", code, unmapped)


def identity(name: str = "a") -> Document:
    return {"_id": name, "cohort": "c", "source": "inbox", "path": f"{name}.dcm"}


def a_document(answer: Header | Rejected, before: Document | None = None, *, name: str = "a", job: str = "j1") -> Document:
    """The document of a file after an answer."""
    return replaced(before, what(answer), identity(name), job)[0]


class Shelf:
    """Files of a series as they are stored, and their header blocks."""

    def __init__(self) -> None:
        self.files: list[Document] = []
        self.headers: dict[str, dict[str, Any]] = {}

    def add(self, name: str, slice_: int = 0, *, lost: bool = False, pixels: str | None = None, **fields: Any) -> "Shelf":
        """One more file; `lost`: it is gone. pixels: the digest of its pixels, where they were compared."""
        answer = a_header(slice_, **fields)
        header = what(answer).header
        assert header
        self.headers[header["_id"]] = header["fields"]
        file = a_document(answer, name=name)
        if lost:
            file = a_document(gone(), file, name=name)
        self.files.append(file | ({"pixels": pixels} if pixels else {}))
        return self
