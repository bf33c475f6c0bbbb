"""Any number of small files whose outcomes are known beforehand, made cheaply: headers of the sample cohort with a few pixels.

pydicom writes the first image of each series once, with marks where images differ; every file is those bytes with its own UIDs, number
and place in them. Of each series one image comes twice, one comes again with other pixels, and one file is no image.
"""

import io
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.files import CLASSIC
from gyrus.console.sample.cohort import Image, Series
from gyrus.console.sample.headers import header_of
from gyrus.console.sample.images import Picture
from gyrus.console.sample.writer import VENDORS

SIDE = 8  # pixels
SLICES = 60  # images of one series
UIDS = {"StudyInstanceUID": 1, "SeriesInstanceUID": 2, "SOPInstanceUID": 3, "FrameOfReferenceUID": 4}
NUMBER, PLACE, PATIENT = b"88888", b"77777.5", b"PATIENT-666666"
COPIED, CHANGED = 3, 7  # slices
NO_IMAGES = ((b"", "empty_file"), (b"a note, and no image\n", "not_dicom"))

Expected = Counter[tuple[str, str | None]]  # outcome and reason


def _uid(kind: int, visit: int, series: int, slice_: int) -> bytes:
    return b"2.25.%d%06d%04d%06d" % (kind, visit, series, slice_)


_MARKS = {kind: _uid(kind, 999_999, 9999, 999_999) for kind in UIDS.values()}


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of a series' first image, with marks in place of what is an image's own."""

    name: str
    number: int
    content: bytes

    def of_visit(self, visit: int) -> "Template":
        """With the marks of study, series and patient filled in."""
        content = self.content.replace(PATIENT, b"PATIENT-%06d" % visit)
        for kind, series in ((1, 0), (2, self.number), (4, 0)):
            content = content.replace(_MARKS[kind], _uid(kind, visit, series, 0))
        return Template(self.name, self.number, content)

    def image(self, visit: int, slice_: int) -> bytes:
        """The bytes of one image of a visit's series."""
        own = self.content.replace(_MARKS[3], _uid(3, visit, self.number, slice_))
        return own.replace(NUMBER, b"%05d" % (slice_ + 1)).replace(PLACE, b"%07.1f" % (2 * slice_))


def _template(series: Series, number: int) -> Template:
    image = Image(series=series, volume_index=0, slice_index=0)
    pixels = np.arange(SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16 if series.modality == "MR" else np.int16)
    dataset = header_of(image, Picture(pixels))
    VENDORS[series.study.vendor].add_elements(dataset, image)
    for keyword, kind in UIDS.items():
        setattr(dataset, keyword, _MARKS[kind].decode())
    dataset.PatientID, dataset.InstanceNumber = PATIENT.decode(), NUMBER.decode()
    dataset.ImagePositionPatient = ["0", "0", PLACE.decode()]
    dataset.Rows, dataset.Columns = SIDE, SIDE
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return Template(f"{number:02}-{series.study.vendor}", number, buffer.getvalue())


def _files(folder: Path) -> Iterator[tuple[Path, bytes, tuple[str, str | None]]]:
    """Files without end: path, content, outcome and reason. Copies come after what they are copies of."""
    templates = [_template(series, number) for number, series in enumerate(CLASSIC)]
    for visit in itertools.count(1):
        for template in templates:
            series, home = template.of_visit(visit), folder / f"{visit:04}" / template.name
            home.mkdir(parents=True)
            images = [series.image(visit, slice_) for slice_ in range(SLICES)]
            for slice_, content in enumerate(images):
                yield home / f"{slice_:05}.dcm", content, ("extracted", None)
            yield home / "copy.dcm", images[COPIED], ("duplicate", None)
            yield home / "changed.dcm", images[CHANGED][:-2] + b"\x07\x07", ("conflicting", None)
            content, reason = NO_IMAGES[(visit + template.number) % len(NO_IMAGES)]
            yield home / "other", content, ("rejected", reason)


def write_many(folder: Path, count: int) -> Expected:
    """So many files below a new folder; how many have which outcome."""
    expected: Expected = Counter()
    folder.mkdir(parents=True, exist_ok=True)
    for path, content, outcome in itertools.islice(_files(folder), count):
        path.write_bytes(content)
        expected[outcome] += 1
    return expected
