"""What contradicts itself is found, told where it lies, and heals once the files do."""

from typing import Any

from flow import cohort
from flow.system import System


async def conflicts(system: System, collection: str) -> dict[str, list[dict[str, Any]]]:
    """By id, those that have some."""
    return {one["_id"]: one["conflicts"] async for one in system.store[collection].find({"conflicts": {"$nin": [None, []]}})}


async def rested(system: System) -> None:
    await system.ingest()
    await system.at_rest()


async def test_a_study_under_two_patients_and_a_series_in_two_studies_are_told_until_their_files_agree(system: System) -> None:
    for name in ("t1_mprage", "other"):
        for number in range(cohort.SLICES):
            patient = "P2" if name == "other" else "P1"
            cohort.write(system.inbox / f"{name}/{number}.dcm", cohort.image(name, number, patient=patient))
    stray = system.inbox / "t1_mprage/0.dcm"
    cohort.write(stray, cohort.image("t1_mprage", 0, study="two"), 5)
    system.start_all()
    await rested(system)
    one, two = (f"c/{cohort.uid('study', name)}" for name in ("one", "two"))
    series = f"c/{cohort.uid('t1_mprage')}"

    of_studies = await conflicts(system, "studies")
    assert of_studies.keys() == {one, two}
    assert [(c["kind"], c["fields"], c["n_series"]) for c in of_studies[one]] == [
        ("two_subjects", ["patient_id", "patient_name"], 1),
        ("two_studies", [], 1),
    ]
    assert of_studies[two] == [of_studies[one][1]]
    assert [c["kind"] for c in (await conflicts(system, "series"))[series]] == ["two_studies"]
    assert "FLOW^" not in str(of_studies)
    stack = await system.store["stacks"].find_one({"series": series}) or {}
    assert (stack["study"], stack["n_files"]) == (one, cohort.SLICES)

    cohort.write(stray, cohort.image("t1_mprage", 0), 6)
    await rested(system)

    assert [c["kind"] for c in (await conflicts(system, "studies"))[one]] == ["two_subjects"]
    assert await conflicts(system, "series") == {}
    assert await system.store["studies"].distinct("_id") == [one], "nothing was ever shown in the other one"


async def test_an_image_that_changed_under_an_equal_header_is_no_duplicate_of_its_former_copy(system: System) -> None:
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"a/{number}.dcm", cohort.image("t1_mprage", number))
    copy = cohort.write(system.inbox / "copy.dcm", cohort.image("t1_mprage", 0), 5)
    system.start_all()
    await rested(system)

    async def outcomes() -> dict[str, Any]:
        return {file["path"]: file.get("differs", file["outcome"]) async for file in system.store["files"].find({"path": {"$in": told}})}

    told = ["a/0.dcm", "copy.dcm"]
    [before] = await system.store["stacks"].find().to_list(None)
    assert await outcomes() == {"a/0.dcm": "extracted", "copy.dcm": "duplicate"}

    size = copy.stat().st_size
    cohort.write(copy, cohort.image("t1_mprage", 0, pixels=7), 9)
    assert copy.stat().st_size == size
    await rested(system)
    assert await outcomes() == {"a/0.dcm": "extracted", "copy.dcm": ["pixel_data"]}
    assert (await system.store["stacks"].find_one())["version"] == before["version"]

    cohort.write(system.inbox / "a/0.dcm", cohort.image("t1_mprage", 0, pixels=8), 12)
    await rested(system)

    assert await outcomes() == {"a/0.dcm": ["pixel_data"], "copy.dcm": "extracted"}
    assert (await system.store["stacks"].find_one())["version"] != before["version"]
