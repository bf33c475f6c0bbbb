"""Laws of extraction, on synthetic and on real headers: whatever the files are, and however they arrive."""

import random
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from dicom.conftest import RealDicom
from dicom.enhanced import a_frame, an_object, macro
from dicom.headers import AXIAL, a_dataset, a_file
from extractor.stored import KEY
from gyrus.dicom import Header, read
from gyrus.dicom.columns import frame_numbers
from gyrus.extractor.files import said
from gyrus.extractor.settle import Settled, settle

Document = dict[str, Any]

CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
REAL = ("dcm_qa_pdt2", "dcm_qa_enh", "dcm_qa_uih", "nibabel", "heudiconv", "wg04")
CHANCE = st.randoms(use_true_random=False)
ON_REAL_FILES = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@lru_cache(maxsize=len(REAL))
def stored(folder: Path) -> tuple[list[Document], dict[str, Document]]:
    """Documents of the images below a folder, and their header blocks."""
    files, headers = [], {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        answer = read(path)
        if isinstance(answer, Header):
            now = said(answer, "c", KEY)
            assert now.header
            files.append({"_id": str(path), **now.content})
            headers[now.header["_id"]] = now.header["fields"]
    return files, headers


def settled(files: list[Document], headers: dict[str, Document]) -> dict[str, Settled]:
    """Each series of some files, settled."""
    every: dict[str, list[Document]] = {}
    for file in files:
        every.setdefault(file["series"], []).append(file)
    return {series: settle(members, headers) for series, members in every.items()}


def stacks(made: dict[str, Settled]) -> dict[tuple[str, str], Document]:
    return {(series, key): stack for series, one in made.items() for key, stack in one.stacks.items()}


# ── every image is in exactly one stack ──────────────────────────────────────────────────────────────────────────────

FRAMES = st.lists(
    st.fixed_dictionaries(
        {
            "echo": st.sampled_from([None, 2.5, 2.51, 4.9, 7.4]),
            "plane": st.sampled_from([None, AXIAL, CORONAL]),
            "component": st.sampled_from([None, "MAGNITUDE", "PHASE", "MIXED", "OTHER"]),
            "b_value": st.sampled_from([None, 0.0, 1000.0]),
            "place": st.sampled_from([0.0, 2.0, 4.0]),
        }
    ),
    min_size=1,
    max_size=9,
)


def frame_of(values: dict[str, Any]) -> Any:
    macros = {}
    if values["echo"] is not None:
        macros["MREchoSequence"] = macro(EffectiveEchoTime=values["echo"])
    if values["plane"] is not None:
        macros["PlaneOrientationSequence"] = macro(ImageOrientationPatient=values["plane"])
    if values["component"] is not None:
        macros["MRImageFrameTypeSequence"] = macro(ComplexImageComponent=values["component"])
    if values["b_value"] is not None:
        macros["MRDiffusionSequence"] = macro(DiffusionBValue=values["b_value"])
    return a_frame(values["place"], **macros)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FRAMES)
def test_every_frame_of_any_enhanced_object_is_in_exactly_one_stack(tmp_path: Path, frames: list[dict[str, Any]]) -> None:
    header = read(a_file(tmp_path, an_object([frame_of(values) for values in frames])))
    assert isinstance(header, Header)

    in_stacks = Counter(number for stack in header.stacks for number in frame_numbers(stack["frames"]))

    assert in_stacks == Counter(range(1, len(frames) + 1))
    assert [stack["n"] for stack in header.stacks] == [len(frame_numbers(stack["frames"])) for stack in header.stacks]
    assert len({stack["key"] for stack in header.stacks}) == len(header.stacks)


@pytest.mark.parametrize("name", REAL)
def test_every_image_of_real_files_is_in_exactly_one_stack(real_dicom: RealDicom, name: str) -> None:
    files, headers = stored(real_dicom(name))
    made = settled(files, headers)

    won = [file for file in files if made[file["series"]].outcomes[file["_id"]]["outcome"] == "extracted"]
    images = Counter((file["series"], share["key"]) for file in won for share in file["stacks"] for _ in range(share["n"]))
    for file in won:
        numbers = [n for share in file["stacks"] for n in (frame_numbers(share["frames"]) if share["frames"] else [0])]
        assert len(set(numbers)) == len(numbers) == (sum(share["n"] for share in file["stacks"]) if numbers != [0] else 1)
    assert images == {key: stack["n_images"] for key, stack in stacks(made).items()}


# ── arrival ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", REAL)
@ON_REAL_FILES
@given(chance=CHANCE)
def test_neither_order_nor_duplication_changes_stacks_or_versions(real_dicom: RealDicom, name: str, chance: random.Random) -> None:
    files, headers = stored(real_dicom(name))
    copied = chance.sample(files, min(5, len(files)))
    copies = [{**file, "_id": file["_id"] + ".copy", "mtime_ns": file["mtime_ns"] + 1} for file in copied]
    arrived = chance.sample([*files, *copies], len(files) + len(copies))

    one, other = settled(files, headers), settled(arrived, dict(chance.sample(list(headers.items()), len(headers))))

    assert stacks(other) == stacks(one)
    for copy in copies:
        assert other[copy["series"]].outcomes[copy["_id"]]["outcome"] in ("duplicate", "conflicting")


@pytest.mark.parametrize("name", REAL)
@ON_REAL_FILES
@given(chance=CHANCE, size=st.integers(1, 40))
def test_settling_after_each_batch_ends_where_settling_once_does(
    real_dicom: RealDicom, name: str, chance: random.Random, size: int
) -> None:
    files, headers = stored(real_dicom(name))
    arriving = [dict(file) for file in chance.sample(files, len(files))]
    once = settled(files, headers)

    for end in (*range(size, len(arriving), max(size, len(arriving) // 4)), len(arriving)):
        there = arriving[:end]
        after = settled(there, headers)
        for file in there:
            file.update(after[file["series"]].outcomes[file["_id"]])

    assert stacks(after) == stacks(once)
    assert {series: one.outcomes for series, one in after.items()} == {series: one.outcomes for series, one in once.items()}


# ── an unrelated tag ─────────────────────────────────────────────────────────────────────────────────────────────────

UNRELATED = [
    (0x00081048, "PN", "Doctor^Who"),  # PhysiciansOfRecord
    (0x00321032, "PN", "Somebody^Else"),  # RequestingPhysician
    (0x00400007, "LO", "a step"),  # ScheduledProcedureStepDescription
    (0x00880140, "UI", "1.2.3.4.5"),  # StorageMediaFileSetUID
    (0x00090010, "LO", "NOBODY WE KNOW"),
    (0x00091001, "LO", "something private"),
]


def says(path: Path) -> tuple[Any, ...]:
    """What a header says, without where its pixels lie."""
    header = read(path)
    assert isinstance(header, Header), header
    image = {name: value for name, value in header.image.items() if name != "pixel_offset"}
    return header.shared, image, header.stacks, header.diagnostics


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(UNRELATED), unique=True, min_size=1))
def test_an_unrelated_tag_changes_nothing(tmp_path: Path, added: list[tuple[int, str, str]]) -> None:
    plain, more = a_dataset(EchoTime="4.5"), a_dataset(EchoTime="4.5")
    for tag, vr, value in added:
        more.add_new(tag, vr, value)

    assert says(a_file(tmp_path, more, "more")) == says(a_file(tmp_path, plain, "plain"))


@pytest.mark.parametrize("name", ["dcm_qa_pdt2", "dcm_qa_enh", "heudiconv", "dcm_qa_uih"])
def test_an_unrelated_tag_in_a_real_file_changes_nothing(real_dicom: RealDicom, name: str, tmp_path: Path) -> None:
    folder = real_dicom(name)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and isinstance(read(path), Header))
    for number, path in enumerate(paths[:: max(1, len(paths) // 3)]):
        dataset = dcmread(path)
        dataset.save_as(tmp_path / f"{number}.plain")
        for tag, vr, value in UNRELATED[:4]:
            dataset.add_new(tag, vr, value)
        dataset.save_as(tmp_path / f"{number}.more")

        assert says(tmp_path / f"{number}.more") == says(tmp_path / f"{number}.plain")
