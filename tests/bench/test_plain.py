"""The other comparison is fair: pydicom is asked for the values that gyrus takes, and they are the same."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from bench import plain
from bench.files import write_visits
from dicom.conftest import RealDicom
from gyrus.dicom.field import Field
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.reader import Header, read

SETS = ("dcm_qa_pdt2", "dcm_qa_stc", "dcm_qa_me", "dcm_qa_uih")
OTHERWISE = {"in_plane_phase_encoding_direction", "modality", "magnetic_field_strength"}  # words and units that gyrus makes one of


def same(field: Field, ours: Any, theirs: Any) -> bool:
    """Whether two values are the same but for the spelling of dates, times and ages, and what pydicom calls a single value."""
    if field.kind in ("date", "time", "date_time", "age"):
        digits = [re.sub(r"\D", "", str(value)).rstrip("0") for value in (ours, theirs)]
        return field.kind == "age" or digits[0] == digits[1]
    ours, theirs = (value if isinstance(value, list) else [value] for value in (ours, theirs))
    if field.kind in ("number", "numbers", "integer"):
        return len(ours) == len(theirs) and all(
            math.isclose(a, float(b), rel_tol=1e-6, abs_tol=1e-9) for a, b in zip(ours, theirs, strict=True)
        )
    return [str(value).strip() for value in ours] == [str(value).strip() for value in theirs]


def compared(path: Path) -> set[str]:
    """The fields that both readers have of a file, which are the same; of those that only modules of makers make there are no others."""
    header = read(path)
    assert isinstance(header, Header), header
    said = header.shared | header.image
    theirs = plain.read(path)
    names = {name for name in said.keys() & theirs.keys() & STANDARD.by_name.keys() if not STANDARD.by_name[name].makers} - OTHERWISE

    wrong = {name: (said[name], theirs[name]) for name in names if not same(STANDARD.by_name[name], said[name], theirs[name])}
    assert wrong == {}
    return names


def test_pydicom_gives_the_same_values_of_sample_files(tmp_path: Path) -> None:
    write_visits(tmp_path, 518)  # the images of a visit's seven series

    names = set().union(*(compared(path) for path in sorted(tmp_path.rglob("*.*"))[::5]))

    assert len(names) > 60


@pytest.mark.parametrize("name", SETS)
def test_pydicom_gives_the_same_values_of_real_files(real_dicom: RealDicom, name: str) -> None:
    paths = [path for path in sorted(real_dicom(name).rglob("*")) if path.is_file()]
    classic = [
        path for path in paths if isinstance(header := read(path), Header) and "enhanced" not in header.shared and not header.unusual
    ]

    names = set().union(*(compared(path) for path in classic[::7]))

    assert len(names) > 60


def test_nearly_all_that_gyrus_takes_from_one_place_pydicom_is_asked_for_too(tmp_path: Path) -> None:
    write_visits(tmp_path, 518)
    placed = {field.name for field in STANDARD.fields if field.tag or field.nested or field.private}

    for path in sorted(tmp_path.rglob("*.*"))[::37]:
        header, theirs = read(path), plain.read(path)
        assert isinstance(header, Header)
        said = header.shared | header.image
        from_makers = {name for name in said if f"{name}_source" in said}

        assert said.keys() & placed - from_makers - theirs.keys() == set()
