"""A worker that stalls between two steps, while others go on: what it does when it wakes must not count.

Each test names the guard of design §3 without which it turns red.
"""

import asyncio
import shutil
from typing import Any

import pytest

from flow import cohort
from flow.conftest import run_undisturbed
from flow.dump import differences
from flow.system import System, eventually
from gyrus.shared import debts
from gyrus.shared.bells import bell
from gyrus.shared.topology import STAGES


def t1(system: System, count: int = cohort.SLICES) -> None:
    for number in range(count):
        cohort.write(system.inbox / f"t1/{number:02}.dcm", cohort.image("t1_mprage", number))


async def ring(system: System, stage: str, document: str) -> None:
    """Ring again for a debt, as a sweep does."""
    owed = await system.store[STAGES[stage].collection].find_one({"_id": document})
    assert owed
    await system.bus.ring(bell(STAGES[stage], owed)[0])


async def the(system: System, collection: str, **query: Any) -> dict[str, Any]:
    """The one document of a collection that there is by now."""

    async def found() -> Any:
        return await system.store[collection].find_one(query)

    return dict(await eventually(found, f"a document in {collection} with {query}"))


async def pending(system: System, stage: str) -> int:
    return await system.bus.pending(STAGES[stage])


async def answered(system: System, stage: str) -> None:
    """No message of a stage waits for an answer."""

    async def none() -> bool:
        return await pending(system, stage) == 0

    await eventually(none, f"every bell of {stage} is answered")


async def settled(system: System, patience_s: float = 30) -> None:
    """Every job has its totals: whatever was found is read and settled."""

    async def closed() -> bool:
        return not await system.store["jobs"].find_one({"open": True})

    await eventually(closed, "every job is frozen", patience_s)


async def test_settle_is_not_owed_before_the_files_are_written(system: System) -> None:
    """swap-read-2-3: owed first, the series would settle without its files, and nothing would owe it afterwards."""
    t1(system)
    stall = system.stall("read.2")
    system.start("watcher")
    system.start("extractor", crash=stall.crash)
    await system.ingest(quiet_s=0, batch_files=64)
    await stall.reached()
    system.start("extractor")
    await asyncio.sleep(3)  # time in which a series that is owed too early settles

    assert await system.store["files"].count_documents({}) == 0
    assert await system.owed() == {"read": 1}
    stall.go()
    await settled(system)

    assert (await the(system, "series"))["n_files"] == cohort.SLICES


async def test_a_batch_is_not_announced_before_it_is_inserted(system: System) -> None:
    """publish-first: the reader would find no batch, and nobody would ring again."""
    t1(system)
    stall = system.stall("scan.5")
    system.start("watcher", crash=stall.crash)
    system.start("extractor")
    await system.ingest(batch_files=64)
    await stall.reached()

    assert await system.store["batches"].count_documents(debts.is_owed("read")) == 1
    await answered(system, "read")
    stall.go()
    await settled(system)

    assert (await the(system, "series"))["n_files"] == cohort.SLICES


async def settled_by_another(system: System, n_files: int) -> None:
    """Another extractor settles the one series with so many files."""
    system.start("extractor")
    await system.ingest()

    async def newer() -> Any:
        return await system.store["series"].find_one({"n_files": n_files})

    await eventually(newer, "the other extractor settles the series")


@pytest.mark.parametrize("point", ["settle.4", "settle.5", "settle.6"])
async def test_a_stalled_settler_does_not_overwrite_what_came_later(system: System, point: str) -> None:
    """no-guard: it read the files before the last one was there."""
    t1(system, 4)
    stall = system.stall(point)
    slow = system.start("extractor", crash=stall.crash)
    system.start("watcher")
    await system.ingest()
    await stall.reached()
    t1(system, 5)
    await settled_by_another(system, 5)
    stall.go()
    await asyncio.sleep(0.5)  # time in which the stalled one would write
    slow.stop()

    assert (await the(system, "series"))["n_files"] == 5
    assert (await the(system, "stacks"))["n_images"] == 5


async def test_a_stalled_settler_does_not_give_a_file_another_outcome_than_it_has(system: System) -> None:
    """first-blind: when it read, the file was the only one of its instance; then an earlier copy came, which makes it the duplicate."""
    t1(system, 2)
    stall = system.stall("settle.5")
    slow = system.start("extractor", crash=stall.crash)
    system.start("watcher")
    await system.ingest()
    await stall.reached()
    cohort.write(system.inbox / "earlier.dcm", cohort.image("t1_mprage", 0), -60)
    await settled_by_another(system, 3)
    stall.go()
    await asyncio.sleep(0.5)  # time in which the stalled one would write
    slow.stop()

    outcomes = {file["path"]: file["outcome"] async for file in system.store["files"].find({})}
    assert outcomes == {"earlier.dcm": "extracted", "t1/00.dcm": "duplicate", "t1/01.dcm": "extracted"}


async def test_a_stalled_reader_does_not_put_back_what_a_file_said_before(system: System) -> None:
    """blind-write: it read the file before it changed on disk once more."""
    t1(system)
    system.start("watcher")
    quick = system.start("extractor")
    await system.ingest(batch_files=64)
    await settled(system)
    quick.stop()
    stall = system.stall("read.2")
    slow = system.start("extractor", crash=stall.crash)
    cohort.write(system.inbox / "t1/00.dcm", cohort.image("t1_mprage", 0, EchoTime=4.4), 25)
    await system.ingest(batch_files=64)
    await stall.reached()
    cohort.write(system.inbox / "t1/00.dcm", cohort.image("t1_mprage", 0, EchoTime=5.5), 30)
    system.start("extractor")
    await system.ingest(batch_files=64)

    async def reread() -> Any:
        return await system.store["files"].find_one({"path": "t1/00.dcm", "mtime_ns": cohort.EPOCH_NS + 30_000_000_000})

    await eventually(reread, "the other extractor reads the changed file")
    stall.go()
    await settled(system)
    slow.stop()

    assert (await the(system, "files", path="t1/00.dcm"))["mtime_ns"] == cohort.EPOCH_NS + 30_000_000_000
    assert {stack["fingerprint"]["echo_time"] async for stack in system.store["stacks"].find({"retired": False})} == {2.98, 5.5}


async def test_a_reader_that_died_before_it_owed_owes_when_it_reads_again(system: System) -> None:
    """owe-only-new: by then no file is new, and no other batch knows the series."""
    t1(system)
    system.start("watcher")
    victim = system.start("extractor", crash={"read.3": "kill"})
    await system.ingest(batch_files=64)
    await victim.dies()
    system.start("extractor")
    await settled(system)

    assert (await the(system, "series"))["n_files"] == cohort.SLICES


EPI = {"ScanningSequence": "EP", "SequenceVariant": "SK", "SequenceName": "*ep_b1000t"}
UNSAID = {"ScanningSequence": "RM", "SequenceVariant": "NONE", "SequenceName": "", "ScanOptions": ""}


def diffusion(system: System, series: str, image_type: list[str], **fields: Any) -> None:
    timing = {"InversionTime": None, "RepetitionTime": 5000, "EchoTime": 80, "MRAcquisitionType": "2D"}
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"{series}/{number:02}.dcm", cohort.image(series, number, ImageType=image_type, **timing, **fields))


def adc(system: System) -> None:
    """A map whose technique only its sibling tells."""
    diffusion(system, "map_ADC", ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], SeriesNumber=6, **UNSAID)


def dwi(system: System) -> None:
    diffusion(system, "ep2d_diff", ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"], SeriesNumber=5, **EPI)


async def technique_of_adc(system: System) -> Any:
    stack = await the(system, "stacks", **{"fingerprint.series_description": "map_ADC"})
    return stack.get("classification", {}).get("technique")


async def test_a_classifier_that_died_between_siblings_labels_all_of_them_when_it_is_back(system: System) -> None:
    """clear-study-first: were the study paid before its stacks are written, nobody would look at it again."""
    t1(system)
    dwi(system)
    for name in ("watcher", "extractor"):
        system.start(name)
    victim = system.start("classifier", crash={"classify.4": "kill 2"})
    await system.ingest()
    await victim.dies()
    system.start("classifier")
    await answered(system, "classify")

    stacks = await system.store["stacks"].find().to_list(None)
    assert ["classification" in stack for stack in stacks] == [True, True]


async def test_a_stalled_classifier_does_not_overwrite_a_newer_label(system: System) -> None:
    """no-context: it had not seen the sibling from which the map learns its technique."""
    adc(system)
    stall = system.stall("classify.4")
    system.start("watcher")
    system.start("extractor")
    slow = system.start("classifier", crash=stall.crash)
    await system.ingest()
    await stall.reached()
    assert await technique_of_adc(system) is None
    dwi(system)
    await system.ingest()
    await settled(system)
    system.start("classifier")

    async def newer() -> Any:
        return await technique_of_adc(system)

    expected = await eventually(newer, "the other classifier labels the map")
    stall.go()
    await answered(system, "classify")
    slow.stop()

    assert await technique_of_adc(system) == expected


async def test_a_stalled_classifier_does_not_pay_what_was_owed_later(system: System) -> None:
    """n-reset: were n to begin again, its old payment would match a new debt."""
    adc(system)
    stall = system.stall("classify.5")
    system.start("watcher")
    system.start("extractor")
    slow = system.start("classifier", crash=stall.crash)
    await system.ingest()
    await stall.reached()
    study = (await the(system, "studies"))["_id"]
    quick = system.start("classifier")
    await ring(system, "classify", study)

    async def paid() -> bool:
        return "classify" not in await system.owed()

    await eventually(paid, "the other classifier pays the study")
    quick.stop()
    dwi(system)
    await system.ingest()
    await settled(system)
    stall.go()
    await asyncio.sleep(0.5)  # time in which the stalled one would pay
    slow.stop()
    system.start("classifier")
    await ring(system, "classify", study)
    await eventually(paid, "the study is paid")

    stack = await the(system, "stacks", **{"fingerprint.series_description": "ep2d_diff"})
    assert "classification" in stack


async def test_a_stalled_preprocessor_does_not_replace_a_newer_volume(system: System) -> None:
    """volume-any-n: it made its outputs from the files as they were."""
    t1(system)
    stall = system.stall("preprocess.5")
    system.start_all(but="preprocessor")
    slow = system.start("preprocessor", crash=stall.crash)
    await system.ingest()
    await stall.reached()
    cohort.write(system.inbox / "t1/00.dcm", cohort.image("t1_mprage", 0, pixels=5), 30)
    await system.ingest()
    await settled(system)
    system.start("preprocessor")

    async def newer() -> Any:
        return await system.store["stacks"].find_one({"$expr": {"$eq": ["$volume.of.version", "$version"]}})

    await eventually(newer, "the other preprocessor makes the new volume")
    stall.go()
    await system.at_rest()
    await answered(system, "preprocess")
    slow.stop()

    stack = await the(system, "stacks")
    assert stack["volume"]["of"]["version"] == stack["version"]
    assert all((system.processed / name).exists() for name in stack["volume"]["outputs"])
    assert (await system.dump())["outputs that no volume names"] == []


async def test_the_loser_of_a_race_leaves_what_the_winner_names(system: System) -> None:
    """loser-removes: two preprocessors of one debt write the same names."""
    t1(system)
    stall = system.stall("preprocess.5")
    system.start_all(but="preprocessor")
    slow = system.start("preprocessor", crash=stall.crash)
    await system.ingest()
    await stall.reached()
    system.start("preprocessor")
    await ring(system, "preprocess", (await the(system, "stacks"))["_id"])
    await system.at_rest()
    stall.go()
    await answered(system, "preprocess")
    slow.stop()

    stack = await the(system, "stacks")
    assert stack["volume"]["refused"] is None
    assert all((system.processed / name).exists() for name in stack["volume"]["outputs"])


async def test_a_stack_is_not_preprocessed_while_its_label_is_of_another_version(system: System) -> None:
    """stale-label: when the old version comes back, its label owes nothing, and the volume of the other would stay."""
    t1(system)
    rooms = system.start_all()
    await system.ingest()
    await system.at_rest()
    rooms["classifier"].stop()
    shutil.copy2(system.inbox / "t1/00.dcm", system.folder / "kept")
    cohort.write(system.inbox / "t1/00.dcm", cohort.image("t1_mprage", 0, pixels=5), 30)
    await system.ingest()
    await settled(system)
    stack = await the(system, "stacks")
    await system.store["stacks"].update_one({"_id": stack["_id"]}, debts.owe("preprocess"))
    await ring(system, "preprocess", stack["_id"])

    async def looked() -> bool:
        info = await system.bus.js.consumer_info("FACTS", "preprocess")
        return bool(info.num_redelivered) or "preprocess" not in await system.owed()

    await eventually(looked, "the preprocessor looks at the stack")
    shutil.copy2(system.folder / "kept", system.inbox / "t1/00.dcm")
    await system.ingest()
    await settled(system)
    system.start("classifier")
    await system.at_rest()

    stack = await the(system, "stacks")
    assert stack["volume"]["of"]["version"] == stack["version"]


async def test_two_processes_of_every_service_do_what_one_does(system: System, undisturbed: dict[str, Any]) -> None:
    system.start_all()

    assert differences(await run_undisturbed(system), undisturbed) == []
