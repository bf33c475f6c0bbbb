"""Which visit of its subject a study is, whatever came first; and fields that a site added, from the file to the study."""

from typing import Any

from flow import cohort
from flow.system import System

SITE = """
- {name: ward, keyword: CurrentPatientLocation, level: study, type: text}
- {name: head_temperature, creator: ACME 01, group: 0029, element: 10, vr: DS, level: image, type: number, unit: °C}
"""


def bring(system: System, name: str, date: str | None, **fields: Any) -> None:
    """A study of one image."""
    image = cohort.image(name, 0, study=name, StudyDate=date, **fields)
    cohort.write(system.inbox / name / "0.dcm", image)


async def visits(system: System) -> dict[str, tuple[int, int | None]]:
    """By date of the study: its number, and the days since the first."""
    found = [study async for study in system.store["studies"].find()]
    return {study["fields"].get("study_date"): (study["visit"]["number"], study["visit"]["days_since_first"]) for study in found}


async def test_an_earlier_study_that_comes_later_renumbers_the_visits_of_its_subject_only(system: System) -> None:
    system.start_all()
    bring(system, "second", "20240111")
    bring(system, "undated", None)
    bring(system, "a stranger's", "20200101", patient="P2")
    await system.ingest()
    await system.at_rest()
    assert await visits(system) == {"2024-01-11": (1, 0), None: (2, None), "2020-01-01": (1, 0)}
    owed = {study["_id"]: study["owed"]["classify"]["n"] async for study in system.store["studies"].find()}

    bring(system, "first", "20240101")
    await system.ingest()
    await system.at_rest()

    assert await visits(system) == {"2024-01-01": (1, 0), "2024-01-11": (2, 10), None: (3, None), "2020-01-01": (1, 0)}
    after = {study["_id"]: study["owed"]["classify"]["n"] async for study in system.store["studies"].find()}
    assert {study: after[study] for study in owed} == owed, "a number is no reason to classify again"


async def test_a_sites_fields_are_read_by_workers_and_reach_file_and_study(system: System) -> None:
    path = system.inbox.parent / "fields.yaml"
    path.write_text(SITE, encoding="utf-8")
    image = cohort.image("one", 0, CurrentPatientLocation="Ward 7")
    image.private_block(0x0029, "ACME 01", create=True).add_new(0x10, "DS", "36.6")
    cohort.write(system.inbox / "one.dcm", image)
    (system.inbox / "notes.txt").write_text("no image")

    system.start_all(GYRUS_SITE_FIELDS=str(path))
    await system.ingest()
    await system.at_rest()

    (study,) = [study async for study in system.store["studies"].find()]
    file = await system.store["files"].find_one({"image": {"$exists": True}}) or {}
    assert (study["fields"]["ward"], file["image"]["head_temperature"]) == ("Ward 7", 36.6)
    assert len({one["fields_version"] async for one in system.store["files"].find()}) == 1
