"""The files that are measured: headers of the sample cohort (its classic series of three vendors), visit after visit, or real ones.

Pixels are zeros: nobody reads them here. A private block of 48 kB stands for the protocol that a real scanner writes into every file.
"""

import os
from itertools import count
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Image, Series, uid_of
from gyrus.console.sample.headers import add_private, header_of
from gyrus.console.sample.images import Picture
from gyrus.console.sample.table import SERIES
from gyrus.console.sample.writer import VENDORS, path_of

CLASSIC = tuple(series for series in SERIES if series.form == "classic")
VISIT_FILES = sum(len(series.volumes) * series.slab.slices for series in CLASSIC)
PROTOCOL = {(0x0099, "GYRUS BENCH", 0x10): ("OB", bytes(range(256)) * 188)}


def write_visits(folder: Path, files: int, first: int = 1) -> Path:
    """So many files, in as many visits of the sample's subjects as it takes; each visit, from number `first`, has UIDs and a PatientID of
    its own."""
    left = files
    for visit in count(first):
        for series in CLASSIC:
            left -= write_series(folder / f"visit-{visit:04}", series, visit, left)
            if not left:
                return folder
    raise AssertionError


def write_series(folder: Path, series: Series, visit: int, most: int) -> int:
    """The images of one series, `most` at most; how many."""
    pixels = np.zeros((series.slab.rows, series.slab.columns), np.uint16 if series.modality == "MR" else np.int16)
    slices = series.slab.slices
    images = [Image(series=series, volume_index=n // slices, slice_index=n % slices) for n in range(len(series.volumes) * slices)][:most]
    for image in images:
        dataset = header_of(image, Picture(pixels))
        VENDORS[series.study.vendor].add_elements(dataset, image)
        add_private(dataset, PROTOCOL)
        _revisit(dataset, visit)
        path = folder / path_of(image)
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    return len(images)


def _revisit(dataset: Dataset, visit: int) -> None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(dataset, keyword, uid_of("visit", str(visit), getattr(dataset, keyword)))
    dataset.PatientID = f"{dataset.PatientID}-{visit}"


def at_hand(folder: Path) -> Path:
    """The folder of GYRUS_TEST_DICOM, or GYRUS_BENCH_FILES (2,000) files written into `folder`."""
    if "GYRUS_TEST_DICOM" in os.environ:
        return Path(os.environ["GYRUS_TEST_DICOM"])
    return write_visits(folder, int(os.environ.get("GYRUS_BENCH_FILES", "2000")))
