"""What is deleted is gone from every document and from the processed folder, stays gone, and is as new when it is read again.

The source's files are looked at before and after: they are never touched.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.dump import differences
from flow.system import NO_SWEEPS, System, eventually
from gyrus.gateway import deleting
from gyrus.shared import debts
from gyrus.shared.bells import bell
from gyrus.shared.scope import Scope
from gyrus.shared.store import Store
from gyrus.shared.topology import STAGES

SCOPED = ("headers", "series", "studies", "subjects", "stacks")
TOMBSTONE = {"_id", "cohort", "rev", "jobs", "outcome", "deleted"}
STUDY = f"c/{cohort.uid('study', 'one')}"
T1 = f"c/{cohort.uid('t1_mprage')}"


async def delete(system: System, level: str, id_: str) -> str:
    """Ask for a deletion; its id."""
    return str((await deleting.ask_for(system.store, Scope(level, id_), "a test"))["_id"])


async def deleted(system: System, level: str, id_: str) -> dict[str, Any]:
    """Delete, and wait for the end; the deletion as people see it."""
    deletion = await delete(system, level, id_)
    await system.at_rest()
    shown = deleting.view(await system.store["deletions"].find_one({"_id": deletion}) or {})
    assert shown["state"] == "done"
    return shown


async def ingested(system: System, **options: Any) -> dict[str, Any]:
    """A job from start to rest; its totals, which account for every file."""
    job = await system.ingest(**options)
    await system.at_rest()
    totals = (await system.store["jobs"].find_one({"_id": job}) or {})["totals"]
    assert totals["unaccounted"] == 0
    return dict(totals)


async def dump(system: System) -> dict[str, Any]:
    """Everything but the ledgers: which jobs and deletions there were."""
    await system.no_orphans()
    whole = await system.dump()
    for ledger in ("jobs", "deletions", "audit"):
        whole.pop(ledger)
    whole["files"] = [{name: value for name, value in file.items() if name != "jobs"} for file in whole["files"]]
    return whole


async def ring_for_all(system: System) -> None:
    """Ring for whatever is owed, as a sweep does: a worker that stalls keeps its own messages in progress."""
    for stage in STAGES.values():
        if stage.event:
            async for owed in system.store[stage.collection].find(debts.is_owed(stage.name)):
                await system.bus.ring(bell(stage, owed)[0])


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*"))


def outputs(system: System) -> list[str]:
    return sorted(str(path.relative_to(system.processed)) for path in system.processed.rglob("*"))


async def subject_of(store: Store, study: str) -> str:
    return str((await store["studies"].find_one({"_id": study}) or {})["subject"])


async def tombstones(system: System) -> list[dict[str, Any]]:
    return await system.store["files"].find({"outcome": "deleted"}).to_list(None)


@pytest.mark.parametrize("level", ["cohort", "subject", "study", "series"])
async def test_what_is_deleted_is_gone_stays_gone_and_is_as_new_when_it_is_read_again(system: System, level: str) -> None:
    cohort.first(system.inbox)
    source = listing(system.inbox)
    system.start_all()
    seen = (await ingested(system))["seen"]
    before = await dump(system)
    id_ = {"cohort": "c", "subject": await subject_of(system.store, STUDY), "study": STUDY, "series": T1}[level]

    shown = await deleted(system, level, id_)

    after = await dump(system)
    gone = {s["_id"] for s in before["series"] if id_ in ("c", s["subject"], s["study"], s["_id"])}
    for name in SCOPED:
        stays = [d for d in before[name] if level != "cohort" and not gone & {d["_id"], d.get("series")} and d["_id"] != id_]
        if name in ("studies", "subjects") and level != "series":
            stays = [d for d in stays if d["_id"] != STUDY and d["_id"] != subject_in(before)]
        assert [d["_id"] for d in after[name]] == [d["_id"] for d in stays], name
        if level != "series":  # its siblings are labelled anew, its study is counted anew
            assert after[name] == stays
    assert len(await tombstones(system)) == shown["counts"]["files"]
    assert all(file.keys() == TOMBSTONE for file in await tombstones(system))
    assert {name.split("/")[1] for name in outputs(system) if "/" in name} == {s["study_instance_uid"] for s in after["studies"]}
    assert listing(system.inbox) == source

    totals = await ingested(system)
    assert (totals["unchanged"], totals["seen"]) == (seen, seen)
    assert differences(await dump(system), after) == []

    await ingested(system, again=True)
    assert differences(await dump(system), before) == []


def subject_in(before: dict[str, Any]) -> Any:
    """The subject of the study, as the dump has it."""
    return next(study["subject"] for study in before["studies"] if study["_id"] == STUDY)


async def test_of_a_deleted_series_the_study_counts_what_is_left(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await ingested(system)

    await deleted(system, "series", T1)

    study = await system.store["studies"].find_one({"_id": STUDY}) or {}
    assert (study["n_series"], study["n_files"], study["n_stacks"]) == (1, 2 * cohort.SLICES, 2)
    assert (await system.store["subjects"].find_one({"_id": study["subject"]}) or {})["n_files"] == 2 * cohort.SLICES


@pytest.mark.parametrize(("level", "id_"), [("cohort", "c"), ("study", STUDY)])
async def test_deleting_while_files_of_it_arrive_leaves_tombstones_and_what_came_later_and_again_is_as_new(
    system: System, level: str, id_: str
) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_AWAY_S": "0.2"}
    rooms = system.start_all()
    await ingested(system)
    fresh = await dump(system)
    await deleted(system, "cohort", "c")
    rooms["extractor"].stop()
    stall = system.stall("read.4")  # one batch stays open, and the job with it
    system.start("extractor", crash=stall.crash)
    job = await system.ingest(again=True, batch_files=1)
    await stall.reached()

    async def some() -> bool:
        return await system.store["files"].count_documents({"study": STUDY}) > 3

    await eventually(some, "some files of the study are read")
    rooms["watcher"].stop()  # nobody takes the job's totals before the deletion is done
    deletion = await delete(system, level, id_)
    stall.go()

    async def is_done() -> bool:
        return "delete" not in await system.owed()

    await eventually(is_done, "the deletion is done")
    system.start("watcher")
    await system.at_rest()

    buried = await system.store["files"].count_documents({"deleted": deletion})
    there = await system.store["files"].find({"series": {"$exists": True}}).to_list(None)
    totals = (await system.store["jobs"].find_one({"_id": job}) or {})["totals"]
    assert buried > 3
    assert (totals.get("deleted", 0), totals["unaccounted"]) == (buried, 0)
    assert sum(n for name, n in totals.items() if name not in ("seen", "unaccounted")) == totals["seen"]
    by_series = {series["_id"]: series["n_files"] async for series in system.store["series"].find()}
    assert by_series == {series: sum(file["series"] == series for file in there) for series in {file["series"] for file in there}}
    assert await system.store["stacks"].count_documents({"volume": None}) == 0
    assert sum(study["n_files"] for study in await system.store["studies"].find().to_list(None)) == len(there)

    await ingested(system, again=True)
    assert differences(await dump(system), fresh) == []


@pytest.mark.parametrize("number", range(1, 10))
async def test_a_killed_deletion_goes_on(system: System, number: int) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all()
    await ingested(system)
    before = await dump(system)
    rooms["extractor"].stop()
    victim = system.start("extractor", crash={f"delete.{number}": "kill"})

    await delete(system, "study", STUDY)
    await victim.dies()
    system.start("extractor")
    await system.at_rest()

    assert await system.store["stacks"].count_documents({"study": STUDY}) == 0
    assert await system.store["headers"].count_documents({}) == len(
        [h for h in before["headers"] if h["series"].endswith(cohort.uid("head_ct"))]
    )
    assert [study["_id"] async for study in system.store["studies"].find()] == [f"c/{cohort.uid('study', 'two')}"]
    assert not [name for name in outputs(system) if str(cohort.uid("study", "one")) in name]

    await ingested(system, again=True)
    assert differences(await dump(system), before) == []


@pytest.mark.parametrize("point", ["preprocess.1", "preprocess.4b", "preprocess.5", "preprocess.6"])
async def test_a_preprocessor_killed_while_it_erases_leaves_no_outputs(system: System, point: str) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all()
    await ingested(system)
    rooms["preprocessor"].stop()
    victim = system.start("preprocessor", crash={point: "kill"})

    await delete(system, "cohort", "c")
    await victim.dies()
    system.start("preprocessor")
    await system.at_rest()

    assert [name for name in outputs(system) if "/" in name] == []


@pytest.mark.parametrize(
    ("room", "point"),
    [
        ("extractor", "read.2"),
        ("extractor", "settle.4"),
        ("extractor", "settle.6"),
        ("classifier", "classify.4"),
        ("preprocessor", "preprocess.5"),
    ],
)
async def test_a_worker_that_stalled_before_a_deletion_neither_brings_anything_back_nor_pays_what_is_owed_after_it(
    system: System, room: str, point: str
) -> None:
    cohort.first(system.inbox)
    system.environment |= NO_SWEEPS | {"GYRUS_SETTLE_AT_ONCE": "1", "GYRUS_OUTPUTS_SWEEP_S": "0.5"}
    system.start_all(but=room)
    stall = system.stall(point)
    slow = system.start(room, crash=stall.crash)
    job = await system.ingest(batch_files=64)
    await stall.reached()
    system.start(room)
    await ring_for_all(system)
    await system.at_rest()
    before = await dump(system)

    await deleted(system, "cohort", "c")
    stall.go()
    await system.at_rest()
    slow.stop()

    assert await system.store["files"].count_documents({"outcome": {"$ne": "deleted"}}) == 0
    assert {name: await system.store[name].count_documents({}) for name in SCOPED} == dict.fromkeys(SCOPED, 0)
    await system.no_orphans()
    assert (await system.store["jobs"].find_one({"_id": job}) or {})["totals"]["unaccounted"] == 0
    await ingested(system, again=True)
    assert differences(await dump(system), before) == []


async def test_a_preprocessor_that_stalled_before_a_deletion_does_not_pay_the_volume_of_after_it(system: System) -> None:
    """Were `n` to begin again, its payment would match, with outputs of files that changed since."""
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"t1/{number:02}.dcm", cohort.image("t1_mprage", number))
    system.environment |= {"GYRUS_OUTPUTS_SWEEP_S": "0.5"}
    system.start_all(but="preprocessor")
    stall = system.stall("preprocess.5")
    slow = system.start("preprocessor", crash=stall.crash)
    await system.ingest(batch_files=64)
    await stall.reached()
    quick = system.start("preprocessor")
    await ring_for_all(system)
    await system.at_rest()
    await deleted(system, "cohort", "c")
    quick.stop()
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"t1/{number:02}.dcm", cohort.image("t1_mprage", number, pixels=number + 90), 40)
    await system.ingest(again=True, batch_files=64)

    async def labelled() -> bool:
        return await system.owed() == {"preprocess": 1}

    await eventually(labelled, "the stack is labelled again")
    stall.go()
    await system.at_rest()
    slow.stop()

    stack = await system.store["stacks"].find_one({}) or {}
    assert stack["volume"]["of"]["version"] == stack["version"]
    assert all((system.processed / name).exists() for name in stack["volume"]["outputs"])


async def test_a_deletion_waits_for_a_settler_that_has_not_paid_yet(system: System) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all()
    await ingested(system)
    rooms["extractor"].stop()
    stall = system.stall("settle.6")
    system.start("extractor", crash=stall.crash)

    await delete(system, "series", T1)
    await stall.reached()
    before = await system.store["deletions"].find_one({}) or {}

    async def looked_again() -> bool:
        return (await system.store["deletions"].find_one({}) or {})["owed"] != before["owed"]

    await eventually(looked_again, "the deletion looks whether it may go on")
    stall.go()
    await system.at_rest()

    assert await system.store["stacks"].count_documents({"series": T1}) == 0
    assert await system.store["series"].count_documents({"_id": T1}) == 0


async def test_tombstones_stay_when_their_files_change_or_vanish(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await ingested(system)
    await deleted(system, "study", STUDY)
    before = await tombstones(system)
    cohort.write(system.inbox / "a/t1/00.dcm", cohort.image("t1_mprage", 0, pixels=3), 60)
    (system.inbox / "a/t1/01.dcm").unlink()

    await ingested(system)
    await ingested(system, path="a/t1/00.dcm")

    assert await tombstones(system) == before


async def test_a_new_file_of_a_deleted_study_is_simply_new(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await ingested(system)
    await deleted(system, "study", STUDY)
    cohort.write(system.inbox / f"a/t1/{cohort.SLICES:02}.dcm", cohort.image("t1_mprage", cohort.SLICES), 20)

    totals = await ingested(system)

    assert totals["extracted"] == 1
    assert (await system.store["studies"].find_one({"_id": STUDY}) or {})["n_files"] == 1


async def test_nothing_is_announced_in_a_cohort_while_a_deletion_takes_up_what_is_there(system: System) -> None:
    cohort.first(system.inbox)
    system.environment |= {"GYRUS_AWAY_S": "0.2"}
    rooms = system.start_all()
    await ingested(system)
    rooms["extractor"].stop()
    await delete(system, "study", STUDY)
    await system.ingest(again=True)

    async def waits() -> Any:
        return await system.store["jobs"].find_one({"owed.scan.waiting": {"$regex": "deletion"}})

    await eventually(waits, "the scan waits for the deletion")
    assert await system.store["batches"].count_documents({}) == 0

    system.start("extractor")
    await system.at_rest()
    assert await tombstones(system) == []
    assert await system.store["stacks"].count_documents({"study": STUDY, "retired": False}) == 3


async def test_a_file_that_names_another_study_than_its_series_goes_with_the_study_that_it_names(system: System) -> None:
    cohort.first(system.inbox)
    stray = cohort.image("head_ct", 9, Modality="CT", study="one", patient="P1", KVP=120, Manufacturer="GE MEDICAL SYSTEMS")
    cohort.write(system.inbox / "b/stray", stray)
    system.start_all()
    await ingested(system)
    series = {"_id": f"c/{cohort.uid('head_ct')}"}
    assert (await system.store["series"].find_one(series) or {})["n_files"] == cohort.SLICES + 1

    await deleted(system, "subject", await subject_of(system.store, STUDY))

    assert await system.store["files"].count_documents({"study": STUDY}) == 0
    assert (await system.store["series"].find_one(series) or {})["n_files"] == cohort.SLICES
    named = await system.store["files"].distinct("header")
    assert sorted(named) == sorted([header["_id"] async for header in system.store["headers"].find()])


async def test_a_header_block_that_was_taken_from_under_a_reader_is_read_again(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await ingested(system)
    before = await dump(system)
    await system.store["headers"].delete_many({"series": T1})
    await system.store["series"].update_one({"_id": T1}, debts.owe("settle", cap_s=0.001))

    await system.at_rest()

    assert differences(await dump(system), before) == []


async def test_what_went_wrong_is_told_and_goes_on_when_it_is_tried_again(system: System) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all()
    await ingested(system)
    rooms["preprocessor"].stop()
    broken = system.start("preprocessor", crash={"preprocess.4b": "raise"})
    deletion = await delete(system, "series", T1)

    async def told() -> Any:
        return await system.store["deletions"].find_one({"_id": deletion, "owed.delete.waiting": {"$regex": "1 of them failed"}})

    await eventually(told, "the deletion says what failed")
    broken.stop()
    system.start("preprocessor")
    await system.steering.retry("preprocess", None)
    await system.at_rest()

    assert await system.store["stacks"].count_documents({"series": T1}) == 0


async def test_corrections_and_failed_batches_go_too(system: System) -> None:
    cohort.first(system.inbox)
    system.start_all()
    await ingested(system)
    stack = await system.store["stacks"].find_one({"series": T1}) or {}
    await system.store["corrections"].insert_one({"_id": "01", "cohort": "c", "stack": stack["_id"], "values": {}})
    await system.store["batches"].insert_one({"_id": "02", "cohort": "c", "failure": {"stage": "read"}, "files": [{"path": "a name"}]})

    await deleted(system, "cohort", "c")

    assert await system.store["corrections"].count_documents({}) == 0
    assert await system.store["batches"].count_documents({}) == 0


async def test_the_sweep_removes_outputs_of_deleted_stacks_and_leaves_those_that_it_knows_nothing_of(system: System) -> None:
    cohort.first(system.inbox)
    rooms = system.start_all()
    await ingested(system)
    await deleted(system, "series", T1)
    strange = {"deleted": f"{T1}/aa", "unknown": f"c/{cohort.uid('never seen')}/aa", "elsewhere": f"d/{cohort.uid('t1_mprage')}/aa"}
    for name, stack in strange.items():
        folder = system.processed / stack.split("/")[0] / f"1.2.{name}"
        folder.mkdir(parents=True, exist_ok=True)
        written = {"about": {"stack": stack, "n": 1}, "files": [f"{name}_metadata.json", f"{name}.pt"]}
        (folder / f"{name}_metadata.json").write_text(json.dumps(written))
        (folder / f"{name}.pt").touch()
    rooms["preprocessor"].stop()
    system.start("preprocessor", GYRUS_OUTPUTS_SWEEP_S="0.2")

    async def swept() -> bool:
        return not list(system.processed.rglob("*deleted*"))

    await eventually(swept, "outputs of the deleted stack are removed, and their folder")
    assert len(list(system.processed.rglob("unknown*"))) == len(list(system.processed.rglob("elsewhere*"))) == 2
