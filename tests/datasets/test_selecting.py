"""What the services made, by what it is: the whole way from DICOM files to an item, and each part of a question."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from datasets.small import write_csv
from flow import cohort
from flow.asking import gateway_is_up
from flow.conftest import mongo
from flow.system import System
from gyrus.console.servers import Mongo
from gyrus.datasets import ImageDataset, Selection, Wanted, gateway, select
from gyrus.datasets.selecting import _with_tensors
from gyrus.shared.errors import Away, Misuse

__all__ = ["mongo"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a key for tests only"
T1 = {"SeriesDescription": "t1"}
CT = {"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "SeriesDescription": "HEAD", "RescaleType": "HU"}


class Served:
    """A system that made volumes, and its gateway."""

    def __init__(self, system: System) -> None:
        self.system, self.processed = system, system.processed
        self.port = system._ports.get("http")
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> "Served":
        self.system.start_all()
        self.system.start("gateway", GYRUS_HTTP_PORT=str(self.port))
        for study, date, accession in (("one", "20240101", "A001"), ("two", "20240301", None), ("other", "20240101", "A003")):
            patient = "P2" if study == "other" else "P1"
            more = {"study": study, "patient": patient, "StudyDate": date, "AccessionNumber": accession}
            for name, fields in ((f"t1 {study}", T1), (f"ct {study}", CT)):
                for slice_ in range(5):
                    cohort.write(self.system.inbox / study / f"{name}{slice_}.dcm", cohort.image(name, slice_, **more, **fields))
        await self.system.ingest()
        await self.system.at_rest()
        async with httpx.AsyncClient(trust_env=False) as client:
            await gateway_is_up(client, self.port)
        return self

    async def select(
        self, processed: Path | None = None, url: str = "", key: str = KEY, study_id: Any = "study", **wanted: Any
    ) -> Selection:
        question = Wanted(**{"cohort": "c", **wanted})
        return await asyncio.to_thread(select, processed or self.processed, question, url=url or self.url, key=key, study_id=study_id)

    async def audited(self) -> list[str]:
        return [record["what"] async for record in self.system.store["audit"].find()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(mongo: Mongo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    system = await System(tmp_path_factory.mktemp("served"), mongo).open()
    yield await Served(system).start()
    await system.close()


async def test_what_the_services_made_is_an_item_and_labels_go_by_study(served: Served, tmp_path: Path) -> None:
    relative = Path(os.path.relpath(served.processed))
    found = await served.select(relative, modality="MR", axes={"base": "T1w"})

    studies = {str(cohort.uid("study", name)): label for label, name in enumerate(("one", "two", "other"))}
    dataset = ImageDataset(found, study_labels=studies)
    assert len(dataset) == 3
    assert {item["study"]: item["label"] for item in (dataset[index] for index in range(3))} == studies
    assert {(tuple(dataset[index]["size"].tolist()), dataset[index]["mode"]) for index in range(3)} == {((1, 2, 2), "mri")}
    assert len(set(dataset.subjects().values())) == 2
    found.save(tmp_path / "selection.json")
    loaded = Selection.load(tmp_path / "selection.json").images
    assert loaded == found.images and all(ref.folder.is_absolute() for ref in loaded)


async def test_labels_go_by_subject_and_visit(served: Served) -> None:
    found = await served.select(study_id="visit", modality="CT")

    ids = sorted({ref.label_id for ref in found.images})
    assert sorted(one.rpartition("/")[2] for one in ids) == ["1", "1", "2"]
    assert {one.rpartition("/")[0] for one in ids} == {ref.subject for ref in found.images}
    assert ImageDataset(found, study_labels={one: n for n, one in enumerate(ids)})[0]["label"] in (0, 1, 2)


async def test_the_block_of_the_documentation_runs(served: Served) -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    [block] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "select(" in block]
    for said, here in (("/processed", str(served.processed)), ("trial'", "c'"), ("http://127.0.0.1:8080", served.url)):
        assert said in block
        block = block.replace(said, here)
    found = await served.select(study_id="visit", modality="MR")
    write_csv(served.processed / "labels.csv", [(found.images[0].label_id, 1), (found.images[1].label_id, 0)])

    known: dict[str, Any] = {"key": KEY}
    await asyncio.to_thread(exec, block, known)

    assert sorted(item["label"] for item in known["dataset"]) == [0, 1]
    assert Selection.load(served.processed / "trial-t1-t2.json").images == known["found"].images


async def test_labels_go_by_accession_number_which_is_audited(served: Served) -> None:
    before = await served.audited()
    found = await served.select(study_id="accession", modality="MR")

    dataset = ImageDataset(found, study_labels={"A001": 1, "A003": 0}, unlabelled="keep")
    assert sorted(str(dataset[index]["label"]) for index in range(3)) == ["0", "1", "None"]
    assert (await served.audited())[len(before) :] == ["list studies with identifying fields"]


async def test_a_question_is_answered_page_by_page(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await served.select()
    monkeypatch.setattr(gateway, "PAGE", 2)

    assert (await served.select()).images == whole.images
    assert len(whole.images) == 6 and {ref.mode for ref in whole.images} == {"mri", "ct"}


async def test_another_cohort_has_nothing(served: Served) -> None:
    assert (await served.select(cohort="nobody")).images == ()


async def test_files_that_lie_elsewhere_are_told_of(served: Served, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none of 6 volumes is below"):
        await served.select(processed=tmp_path)


async def test_a_gateway_that_refuses_or_is_not_there_is_told_of(served: Served) -> None:
    with pytest.raises(Misuse, match="401: This key is not the gateway"):
        await served.select(key="wrong")
    with pytest.raises(Away, match=r"Nothing answers at http://127\.0\.0\.1:9"):
        await served.select(url="http://127.0.0.1:9")
    with pytest.raises(Misuse, match="is no address of a gateway"):
        await served.select(url="localhost:8080")


STACK = {
    "modality": "MR",
    "completeness": {"verdict": "complete"},
    "base": "T1w",
    "technique": "MPRAGE",
    "modifier": ["FatSat", "FLAIR"],
    "construct": [],
    "contrast": None,
    "body_part": None,
    "probability": {"base": 0.93, "technique": None},
}


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ({}, True),
        ({"modality": "CT"}, False),
        ({"axes": {"base": "T1w", "technique": ["MPRAGE", "TSE"]}}, True),
        ({"axes": {"base": "T1w", "technique": "TSE"}}, False),
        ({"axes": {"modifier": "FLAIR"}}, True),
        ({"axes": {"modifier": "MT"}}, False),
        ({"axes": {"construct": None, "contrast": None}}, True),
        ({"axes": {"modifier": None}}, False),
        ({"complete": True}, True),
        ({"probability": {"base": 0.9}}, True),
        ({"probability": {"base": 0.95}}, False),
        ({"probability": {"technique": 0.1}}, False),
    ],
)
async def test_all_that_is_asked_must_hold(question: dict[str, Any], holds: bool) -> None:
    assert Wanted(cohort="c", **question).holds(STACK) is holds


async def test_what_is_incomplete_is_not_complete() -> None:
    for completeness in ({"verdict": "uncertain"}, {"verdict": "incomplete"}, None):
        assert not Wanted(cohort="c", complete=True).holds({**STACK, "completeness": completeness})


async def test_an_axis_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no axis colour; axes are base, technique"):
        Wanted(cohort="c", axes={"colour": "red"})
    with pytest.raises(ValueError, match="study_id 'uid' is none of study, accession, visit"):
        select("/tmp", Wanted(cohort="c"), url="http://127.0.0.1:9", key="", study_id="uid")  # type: ignore[arg-type]


async def test_of_a_run_each_volume_is_an_image_and_its_list_is_none() -> None:
    run = [
        "c/1/dwi.png",
        "c/1/dwi_metadata.json",
        *(f"c/1/dwi_v00{k}{end}" for k in (0, 3) for end in (".pt", "_mask.pt", "_metadata.json")),
    ]

    assert _with_tensors(run) == ["c/1/dwi_v000_metadata.json", "c/1/dwi_v003_metadata.json"]
    assert _with_tensors(["c/1/t1.pt", "c/1/t1_mask.pt", "c/1/t1_metadata.json"]) == ["c/1/t1_metadata.json"]


async def test_that_nothing_is_wanted_is_told_and_a_key_may_end_with_its_line(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    nothing = await served.select(key=f"{KEY}\n", axes={"base": "T1"})  # T1w is the word

    assert nothing.images == ()
    assert re.search(r"none of \d+ stacks with volumes of cohort c is wanted", caplog.text)


@pytest.mark.parametrize(("wrong", "said"), [({"cohort": ""}, "cohort is empty"), ({"probability": {"base": 90}}, "from 0 to 1")])
async def test_a_question_that_cannot_be_meant_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Wanted(**{"cohort": "c", **wrong})


async def test_a_modality_without_volumes_is_no_empty_selection() -> None:
    with pytest.raises(ValueError, match="modality is 'mri'; there are volumes of MR and CT"):
        Wanted(cohort="c", modality="mri")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"images": [{"study": "1"}]}'])
async def test_a_file_that_holds_no_selection_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "found.json").write_text(content)

    with pytest.raises(ValueError, match=r"found\.json holds no selection"):
        Selection.load(tmp_path / "found.json")
