"""Writes the sample cohort: the table's series, the odd files, pydicom's test files. The same bytes in every run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from gyrus.console.sample import ge, siemens
from gyrus.console.sample.cohort import Image, Series
from gyrus.console.sample.headers import header_of
from gyrus.console.sample.images import pixels_of
from gyrus.console.sample.odd import ODD_FILES, ODD_FOLDER, OddFile, copy_pydicom_files
from gyrus.console.sample.phantom import Head, read_head
from gyrus.console.sample.table import SERIES


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """How a vendor adds its own elements to a header, and how it names the file of an image below the subject's folder."""

    add_elements: Callable[[Dataset, Image], None]
    file_name: Callable[[Image], str]


VENDORS: Mapping[str, Vendor] = {
    "siemens": Vendor(add_elements=siemens.add_elements, file_name=siemens.file_name),
    "ge": Vendor(add_elements=ge.add_elements, file_name=ge.file_name),
}


@dataclass(frozen=True, kw_only=True)
class SampleSummary:
    """What was written: `expected` has one entry for each series of the table, `odd` one for each odd file.

    files and bytes count everything, pydicom's files too; series and subjects count the table's.
    """

    files: int
    series: int
    subjects: int
    bytes: int
    expected: list[dict[str, Any]]
    odd: list[dict[str, str]]


def write_sample(folder: Path) -> SampleSummary:
    """Write the sample cohort into a new or empty folder.

    Raises FileExistsError if the folder holds anything, NoTemplate if the brain template is not installed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder} is not an empty folder, and the sample cohort overwrites nothing; name a new folder or empty this one"
        )
    head = read_head()
    for series in SERIES:
        _write_series(folder, series, head)
    for odd in ODD_FILES:
        _write_odd(folder, odd)
    copy_pydicom_files(folder)
    return _summary(folder)


def path_of(image: Image) -> str:
    """Where an image is written, below the cohort's folder."""
    study = image.series.study
    return f"{study.subject.code}/{VENDORS[study.vendor].file_name(image)}"


def _write_series(folder: Path, series: Series, head: Head) -> None:
    for image, pixels in pixels_of(series, head):
        header = header_of(image, pixels)
        VENDORS[series.study.vendor].add_elements(header, image)
        path = folder / path_of(image)
        path.parent.mkdir(parents=True, exist_ok=True)
        header.save_as(path, enforce_file_format=True)


def _write_odd(folder: Path, odd: OddFile) -> None:
    series = next(row for row in SERIES if (row.study.code, row.number) == (odd.study, odd.series))
    volume_index, slice_index = divmod(odd.image - 1, series.slab.slices)
    image = Image(series=series, volume_index=volume_index, slice_index=slice_index)
    path = folder / ODD_FOLDER / odd.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(odd.make((folder / path_of(image)).read_bytes()))


def _summary(folder: Path) -> SampleSummary:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return SampleSummary(
        files=len(sizes),
        series=len(SERIES),
        subjects=len({series.study.subject.code for series in SERIES}),
        bytes=sum(sizes),
        expected=[_expected(series) for series in SERIES],
        odd=[{"path": f"{ODD_FOLDER}/{odd.name}", "outcome": odd.outcome, "reason": odd.reason} for odd in ODD_FILES],
    )


def _expected(series: Series) -> dict[str, Any]:
    return {
        "subject": series.study.subject.elements["PatientID"],
        "series_uid": str(series.uid),
        "series_description": series.description,
        "modality": series.modality,
        "images": len(series.volumes) * series.slab.slices,
        "volumes": len(series.volumes),
        "labels": dict(series.expected),
    }
