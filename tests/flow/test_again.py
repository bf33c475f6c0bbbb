"""The same folder again, and files in every order."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.dump import differences
from flow.openings import READ, Openings
from flow.system import System, eventually


@pytest.fixture
def opened(tmp_path: Path, system: System) -> Openings:
    """Every file that a service or its worker opens below the inbox."""
    log = Openings(tmp_path / "opened.log", system.inbox)
    system.environment |= log.environment
    return log


async def test_an_unchanged_folder_opens_no_file_and_computes_nothing(system: System, opened: Openings) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    before, files = await system.dump(), sum(path.is_file() for path in system.inbox.rglob("*"))
    versions = [stack["history"] async for stack in system.store["stacks"].find().sort("_id")]
    assert len(opened.paths()) == files
    opened.forget()

    job = await system.ingest()
    await system.at_rest()

    totals = (await system.store["jobs"].find_one({"_id": job}) or {})["totals"]
    assert totals["unchanged"] == totals["seen"] == files
    assert not opened.paths()
    assert [stack["history"] async for stack in system.store["stacks"].find().sort("_id")] == versions
    after = await system.dump()
    after["jobs"] = before["jobs"]
    after["cohorts"] = before["cohorts"]
    assert differences(after, before) == []


async def test_no_resume_opens_every_file_and_changes_nothing(system: System, opened: Openings) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    before, files = await system.dump(), sum(path.is_file() for path in system.inbox.rglob("*"))
    opened.forget()

    await system.ingest(again=True)
    await system.at_rest()

    assert len({path for path in opened.paths() if "empty" not in path}) >= files - 1
    after = await system.dump()
    for whole in (before, after):
        whole["jobs"] = []
        whole["files"] = [{key: value for key, value in file.items() if key != "jobs"} for file in whole["files"]]
    assert differences(after, before) == []


@pytest.mark.parametrize("point", ["read.3", "read.4"])
async def test_a_batch_whose_reader_was_killed_opens_no_file_again_that_has_a_receipt(system: System, opened: Openings, point: str) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_READ_BATCHES": "1"}
    system.start("watcher")
    reader = system.start("extractor", crash={point: "kill 3"})
    await system.ingest()
    await reader.dies()

    system.start("extractor")

    async def settled() -> bool:
        return not {"scan", "read", "settle"} & (await system.owed()).keys()

    await eventually(settled, "everything is read and settled")
    reads = [opening.path for opening in opened if opening.by == READ]
    assert sorted(reads) == sorted(str(path.relative_to(system.inbox)) for path in system.inbox.rglob("*") if path.is_file())
    assert not await system.store["files"].find_one({"outcome": None})


async def test_a_moved_tree_keeps_its_stacks_versions_and_volumes(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    before = [stack async for stack in system.store["stacks"].find({}, {"version": 1, "volume": 1}).sort("_id")]

    (system.inbox / "a").rename(system.inbox / "z")
    await system.ingest()
    await system.at_rest()

    after = [stack async for stack in system.store["stacks"].find({}, {"version": 1, "volume": 1}).sort("_id")]
    assert after == before
    assert await system.store["files"].count_documents({"gone": True}) == await system.store["files"].count_documents(
        {"path": {"$gte": "a/", "$lt": "a0"}}
    )


async def test_reconcile_makes_a_volume_again_in_which_a_bit_was_flipped_and_keeps_the_others(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    before = {stack["_id"]: stack["volume"] async for stack in system.store["stacks"].find({"volume.refused": None, "retired": False})}
    damaged, *others = before
    [name, *_] = [name for name in before[damaged]["outputs"] if name.endswith(".pt")]
    file = system.processed / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    await system.steering.reconcile()
    await system.at_rest()

    after = {stack["_id"]: stack["volume"] async for stack in system.store["stacks"].find({"volume.refused": None, "retired": False})}
    assert not set(after[damaged]["outputs"]) & set(before[damaged]["outputs"])
    assert others and {one: after[one] for one in others} == {one: before[one] for one in others}
    await system.no_orphans()


async def test_a_stack_whose_files_are_gone_keeps_its_volume_and_what_was_not_made_is_refused_until_they_are_back(system: System) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all(but="preprocessor")
    await system.ingest()

    async def classified() -> bool:
        return (await system.owed()).keys() == {"preprocess"}

    await eventually(classified, "only volumes are owed")
    (system.inbox / "b").rename(system.folder / "elsewhere")
    system.start("preprocessor")
    await system.at_rest()
    refused = await system.store["stacks"].find_one({"modality": "CT"}) or {}
    assert refused["volume"]["refused"] == "vanished"

    (system.folder / "elsewhere").rename(system.inbox / "b")
    await system.ingest()
    await system.at_rest()

    back = await system.store["stacks"].find_one({"modality": "CT"}) or {}
    assert back["volume"]["refused"] is None
    assert back["version"] == refused["version"]
    assert len(rooms) == 3


async def test_a_job_on_one_file_finds_that_it_is_gone(system: System) -> None:
    cohort.first(system.inbox)
    for name in ("watcher", "extractor"):
        system.start(name)
    await system.ingest("notes.txt")

    async def gone() -> Any:
        return await system.store["files"].find_one({"path": "notes.txt", "gone": True})

    await eventually(lambda: system.store["files"].find_one({"path": "notes.txt"}), "the file is read")
    (system.inbox / "notes.txt").unlink()
    await system.ingest("notes.txt")

    await eventually(gone, "the document says that the file is gone")


async def test_every_order_of_arrival_gives_the_same(system: System) -> None:
    """Four files that dispute an instance, in all 24 orders, each order in a cohort of its own."""
    disputed = {
        "first": (cohort.image("t1_mprage", 0), 1),
        "copy": (cohort.image("t1_mprage", 0), 2),
        "pixels": (cohort.image("t1_mprage", 0, pixels=9), 3),
        "fields": (cohort.image("t1_mprage", 0, FlipAngle=12), 4),
    }
    for name, (ds, tick) in disputed.items():
        cohort.write(system.inbox / name / "x.dcm", ds, tick)
    for name in ("watcher", "extractor", "classifier"):
        system.start(name)

    async def arrive(number: int, order: tuple[str, ...]) -> None:
        for name in order:
            await system.ingest(name, cohort=f"order-{number}", quiet_s=0.05)
            await asyncio.sleep(0.02 * (number % 7))

    orders = list(itertools.permutations(disputed))
    await asyncio.gather(*(arrive(number, order) for number, order in enumerate(orders)))

    async def settled() -> bool:
        return not {"scan", "read", "settle", "classify"} & (await system.owed()).keys()

    await eventually(settled, "all orders are settled")
    ends = {number: await end_of(system, f"order-{number}") for number in range(len(orders))}

    assert len(ends) == 24
    assert {number for number, end in ends.items() if end != ends[0]} == set()
    assert [file["outcome"] for file in json.loads(ends[0])["files"]] == ["duplicate", "conflicting", "extracted", "conflicting"]


async def end_of(system: System, cohort_name: str) -> str:
    """Everything of a cohort but its jobs (their totals tell what was true then), without its name and what is derived from that."""
    whole: dict[str, list[Any]] = await system.dump()
    kept = {}
    for name in ("files", "headers", "series", "studies", "subjects", "stacks"):
        mine = [document for document in whole[name] if document["cohort"] == cohort_name]
        plain = [{key: value for key, value in document.items() if key not in ("_id", "jobs")} for document in mine]
        kept[name] = sorted(plain, key=lambda document: document.get("path", json.dumps(document, sort_keys=True)))
    return json.dumps(kept, sort_keys=True).replace(cohort_name, "c")
