"""Writes the sample cohort: the table's series, the odd files, pydicom's test files. The same bytes in every run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from gyrus.console.sample import ge, philips, siemens
from gyrus.console.sample.cohort import Form, Image, Series
from gyrus.console.sample.enhanced import in_frame_order, multi_frame
from gyrus.console.sample.headers import header_of
from gyrus.console.sample.images import Picture, pictures_of
from gyrus.console.sample.mosaic import tiled
from gyrus.console.sample.odd import ODD_FILES, ODD_FOLDER, OddFile, copy_pydicom_files
from gyrus.console.sample.phantom import Head, read_head
from gyrus.console.sample.table import SERIES


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """How a vendor adds its own elements to a header, and how it names an image, the nth of its study, below the subject's folder."""

    add_elements: Callable[[Dataset, Image], None]
    file_name: Callable[[Image, int], str]


VENDORS: Mapping[str, Vendor] = {
    "siemens": Vendor(add_elements=siemens.add_elements, file_name=siemens.file_name),
    "ge": Vendor(add_elements=ge.add_elements, file_name=ge.file_name),
    "philips": Vendor(add_elements=philips.add_elements, file_name=philips.file_name),
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
    before = sum(series.images for series in SERIES if series.study is study and series.number < image.series.number)
    return f"{study.subject.code}/{VENDORS[study.vendor].file_name(image, before + image.number)}"


def _write_series(folder: Path, series: Series, head: Head) -> None:
    for image, header in FORMS[series.form](series, head):
        path = folder / path_of(image)
        path.parent.mkdir(parents=True, exist_ok=True)
        header.save_as(path, enforce_file_format=True, overwrite=False)


def _classic(series: Series, head: Head) -> Iterator[tuple[Image, Dataset]]:
    return ((image, _header(image, picture)) for image, picture in pictures_of(series, head))


def _mosaic(series: Series, head: Head) -> Iterator[tuple[Image, Dataset]]:
    for _, slices in groupby(pictures_of(series, head), key=lambda one: one[0].volume_index):
        images, pictures = zip(*slices, strict=True)
        yield images[0], _header(images[0], tiled(pictures))


def _enhanced(series: Series, head: Head) -> Iterator[tuple[Image, Dataset]]:
    frames = sorted(_classic(series, head), key=lambda frame: in_frame_order(frame[0]))
    yield frames[0][0], multi_frame(frames)


FORMS: Mapping[Form, Callable[[Series, Head], Iterator[tuple[Image, Dataset]]]] = {
    "classic": _classic,
    "mosaic": _mosaic,
    "enhanced": _enhanced,
}


def _header(image: Image, picture: Picture) -> Dataset:
    header = header_of(image, picture)
    VENDORS[image.series.study.vendor].add_elements(header, image)
    return header


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
        "images": series.images,
        "volumes": len(series.volumes),
        "labels": dict(series.expected),
    }
