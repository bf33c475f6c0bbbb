"""Subjects from folders: by a pattern, by a map with a missing entry, and what becomes of a subject whose files go to another one."""

import json
from typing import Any

import pytest

from flow import cohort
from flow.system import System, eventually
from flow.test_again import end_of

P1 = "{subject}"


async def subjects(system: System, cohort_name: str = "c") -> dict[str, int]:
    """The files of each subject, by code."""
    return {one["code"]: one["n_files"] async for one in system.store["subjects"].find({"cohort": cohort_name})}


async def totals(system: System, job: str) -> dict[str, int]:
    return dict((await system.store["jobs"].find_one({"_id": job}) or {})["totals"])


async def made(system: System) -> dict[str, Any]:
    """By stack: its version, and how often its volume was owed."""
    return {stack["_id"]: (stack["version"], stack["owed"]["preprocess"]["n"]) async for stack in system.store["stacks"].find()}


async def test_a_pattern_gives_each_folder_its_subject_in_every_document(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()

    job = await system.ingest(subjects=P1)
    await system.at_rest()

    files = [file async for file in system.store["files"].find({"image": {"$exists": True}})]
    assert {(file["path"][0], file["subject"], file["subject_from"]) for file in files} == {("a", "c/a", "rule"), ("b", "c/b", "rule")}
    assert await subjects(system) == {"a": 18, "b": 5}
    for collection in ("series", "studies", "stacks"):
        assert {document["subject"] async for document in system.store[collection].find()} == {"c/a", "c/b"}
    assert (await totals(system, job))["unmapped"] == 0


async def test_a_missing_entry_of_a_map_falls_back_is_counted_and_moves_once_it_is_added(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()

    job = await system.ingest(subject_map={"a": "P001"})
    await system.at_rest()

    before, found = await made(system), await subjects(system)
    assert found.pop("P001") == 18
    [(code, count)] = found.items()
    assert (code[0], len(code), count) == ("S", 17, 5), "a digest of its PatientID"
    assert (await totals(system, job))["unmapped"] == 5
    unmapped = {(file["path"][0], file["subject_from"]) async for file in system.store["files"].find({"unmapped": True})}
    assert unmapped == {("b", "patient_id")}

    second = await system.ingest(subject_map={"a": "P001", "b": "P002"})
    await system.at_rest()
    assert "--no-resume" in (await system.store["jobs"].find_one({"_id": second}) or {})["note"]
    assert "P002" not in await subjects(system), "what is not read again keeps its subject"

    again = await system.ingest(again=True)
    await system.at_rest()

    assert await subjects(system) == {"P001": 18, "P002": 5}
    assert {study["subject"] async for study in system.store["studies"].find()} == {"c/P001", "c/P002"}
    assert {stack["subject"] async for stack in system.store["stacks"].find()} == {"c/P001", "c/P002"}
    assert (await totals(system, again))["unmapped"] == await system.store["files"].count_documents({"unmapped": True}) == 0
    assert await made(system) == before, "no stack changed, so nothing is preprocessed again"


async def test_without_a_rule_totals_say_nothing_of_one(system: System) -> None:
    cohort.first(system.inbox)
    for name in ("watcher", "extractor"):
        system.start(name)

    job = await system.ingest()
    await eventually(lambda: system.store["jobs"].find_one({"_id": job, "totals": {"$exists": True}}), "the job has its totals")

    assert "unmapped" not in await totals(system, job)
    assert {file["subject_from"] async for file in system.store["files"].find({"image": {"$exists": True}})} == {"patient_id"}


async def test_a_source_may_say_it_in_the_settings_and_a_cohorts_own_rule_comes_first(system: System) -> None:
    cohort.first(system.inbox)
    system.environment["GYRUS_SOURCES"] = json.dumps({"inbox": {"path": str(system.inbox), "subjects": P1}})
    for name in ("watcher", "extractor"):
        system.start(name)

    await system.ingest(cohort="settings")
    await system.ingest(cohort="own", subject_map={"a": "P001", "b": "P002"})

    async def settled() -> bool:
        return not {"scan", "read", "settle"} & (await system.owed()).keys()

    await eventually(settled, "both cohorts are settled")
    assert (await subjects(system, "settings")).keys() == {"a", "b"}
    assert (await subjects(system, "own")).keys() == {"P001", "P002"}


async def test_a_series_in_two_subject_folders_is_of_the_same_subject_in_either_order(system: System) -> None:
    for name in ("watcher", "extractor", "classifier"):
        system.start(name)
    for name in ("order-0", "order-1"):
        await system.ingest(cohort=name, subjects=P1)
    for folder, slices in (("x", 2), ("y", 3), ("z", 1)):
        for number in range(slices):
            cohort.write(system.inbox / folder / f"{number}.dcm", cohort.image("t1_mprage", slices * 2 + number), number)

    async def settled() -> bool:
        return not {"scan", "read", "settle", "classify"} & (await system.owed()).keys()

    for name, order in (("order-0", "xyz"), ("order-1", "zyx")):
        for folder in order:
            await system.ingest(folder, cohort=name, quiet_s=0.05)
            await eventually(settled, f"{folder} is settled")

    assert await subjects(system, "order-0") == {"y": 6}, "the most frequent; nothing lingers of those that it was before"
    assert await end_of(system, "order-0") == await end_of(system, "order-1")


@pytest.mark.parametrize("killed", [False, True])
async def test_files_that_are_in_hand_while_the_rule_changes_get_the_new_one(system: System, killed: bool) -> None:
    cohort.first(system.inbox)
    stall = system.stall("read.3")
    reader = system.start("extractor", crash=stall.crash)
    system.start("watcher")
    await system.ingest(batch_files=64)
    await stall.reached()

    job = await system.ingest(batch_files=64, subjects=P1, again=True)
    scanned = await eventually(lambda: system.store["jobs"].find_one({"_id": job, "unchanged": {"$exists": True}}), "it is scanned")
    assert scanned["progress"]["announced"] == 0, "what waits in a batch is not announced a second time"
    if killed:
        reader.kill()
        system.start("extractor")
    stall.go()

    async def settled() -> bool:
        return not {"scan", "read", "settle"} & (await system.owed()).keys()

    await eventually(settled, "everything is settled")
    assert (await subjects(system)).keys() == {"a", "b"}


@pytest.mark.parametrize("point", ["none", "read.2", "read.3", "settle.6", "settle.8", "settle.9"])
async def test_two_subjects_that_change_places_keep_their_own_counts_and_a_third_that_joins_them_is_no_more(
    system: System, point: str
) -> None:
    cohort.first(system.inbox)
    for number in range(3):
        cohort.write(system.inbox / f"c/{number}.dcm", cohort.image("late", number, study="three", patient="P3"), number)
    system.start("watcher")
    before = system.start("extractor")

    async def settled() -> bool:
        return not {"scan", "read", "settle"} & (await system.owed()).keys()

    await system.ingest(subject_map={"a": "X", "b": "Y", "c": "Z"})
    await eventually(settled, "the first rule is applied")
    assert await subjects(system) == {"X": 18, "Y": 5, "Z": 3}

    assert before.stop() == 0
    system.environment["GYRUS_READ_WORKERS"] = "1"  # each counts for itself how often a point is reached
    victim = system.start("extractor", crash={point: "kill 2"} if point != "none" else None)
    await system.ingest(subject_map={"a": "Y", "b": "X", "c": "X"}, again=True)
    if point != "none":
        await victim.dies()
        system.start("extractor")
    await eventually(settled, "the second rule is applied")
    assert await subjects(system) == {"X": 8, "Y": 18}
