"""Who gets volumes: the policy asks, the others have pictures; what another recipe or policy made is owed again."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from flow import cohort, harm
from flow.dump import DIGITS
from flow.system import SWEEPS, Room, System, eventually
from gyrus.classifier.core import load_rules
from gyrus.console import offline, volumes
from gyrus.gateway import status

RENEWED = {"GYRUS_RENEW_EVERY_S": "0.2"}
EPI = {
    "ScanningSequence": "EP",
    "SequenceVariant": "SK",
    "ScanOptions": "",
    "MRAcquisitionType": "2D",
    "InversionTime": None,
    "EchoTime": 30,
}
B_VALUES = (0, 1000, 1000)
DIFFUSION = json.dumps([{"modality": "MR", "intent": "dwi"}])


def write_t1(system: System) -> None:
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"t1/{number}.dcm", cohort.image("t1_mprage", number))


def write_dwi(system: System) -> None:
    for volume, b_value in enumerate(B_VALUES):
        about = {"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"], "SequenceName": f"*ep_b{b_value}t", "SeriesNumber": 5}
        for number in range(cohort.SLICES):
            ds = cohort.image(
                "ep2d_diff", number, DiffusionBValue=float(b_value), AcquisitionNumber=volume + 1, pixels=volume, **EPI, **about
            )
            ds.SOPInstanceUID = cohort.uid("ep2d_diff", number, volume)
            ds.InstanceNumber = volume * cohort.SLICES + number + 1
            cohort.write(system.inbox / f"dwi/{volume}_{number}.dcm", ds)


async def volume_of(system: System, series: str) -> dict[str, Any]:
    stack = await system.store["stacks"].find_one({"fingerprint.series_description": series})
    assert stack
    return dict(stack["volume"])


async def renewed(system: System, room: Room, **chosen: Any) -> None:
    """A classifier that is started otherwise takes the place of one, and everything is paid again."""
    room.stop()
    [mine] = await system.store["stacks"].distinct("classification.of.policy")
    by = system.start("classifier", **chosen)

    async def anew() -> bool:
        return mine not in await system.store["stacks"].distinct("classification.of.policy")

    await eventually(anew, "every label is renewed")
    await system.at_rest()
    assert by.process.poll() is None


def is_there(system: System, outputs: list[str]) -> bool:
    return all((system.processed / name).is_file() for name in outputs)


async def test_what_the_policy_does_not_ask_for_has_pictures_and_a_reason(system: System) -> None:
    write_t1(system), write_dwi(system)
    system.start_all()
    await system.ingest()
    await system.at_rest()

    made, pictured = await volume_of(system, "t1_mprage"), await volume_of(system, "ep2d_diff")
    assert (made["refused"], made["of"]["plan"]["policy"]) == (None, "anatomical MR")
    assert (pictured["refused"], pictured["detail"].partition(":")[0]) == ("not_asked_for", "no wish of the policy fits")
    assert {Path(name).suffix for name in pictured["outputs"]} == {".png", ".json"}
    assert is_there(system, made["outputs"]) and is_there(system, pictured["outputs"])


def by_content(folder: Path) -> dict[str, str]:
    """Tensors and pictures below a folder, by names without what they were made of."""
    files = [path for path in folder.rglob("*") if path.suffix in (".pt", ".png")]
    return {DIGITS.sub("", path.name): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def test_the_command_without_servers_makes_the_same_bytes(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    both = json.dumps([{"modality": "MR"}])
    system.environment["GYRUS_POLICY"] = both
    monkeypatch.setenv("GYRUS_POLICY", both)
    write_t1(system), write_dwi(system)
    system.start_all()
    await system.ingest()
    await system.at_rest()

    def by_command() -> list[Any]:
        stacks = offline.classify(offline.extract(system.inbox, 1).stacks, load_rules())
        return [volume for _, volume in volumes.preprocess(stacks, str(system.folder / "offline"), 1)]

    made = await asyncio.to_thread(by_command)

    assert [volume["refused"] for volume in made] == [None, None]
    assert by_content(system.folder / "offline") == by_content(system.processed)
    assert len(by_content(system.processed)) == 4 + 2 * len(B_VALUES) + 2


async def test_another_policy_makes_what_it_asks_for_and_leaves_alone_what_both_do(system: System) -> None:
    system.environment |= RENEWED
    write_t1(system), write_dwi(system)
    rooms = system.start_all()
    await system.ingest()
    await system.at_rest()
    before = await volume_of(system, "t1_mprage")

    both = json.dumps([{"name": "anatomical MR", "intent": "anat"}, {"intent": "dwi"}])
    await renewed(system, rooms["classifier"], GYRUS_POLICY=both)

    run = await volume_of(system, "ep2d_diff")
    assert [(one["index"], one["b_value"]) for one in run["volumes"]] == list(enumerate(map(float, B_VALUES)))
    assert is_there(system, run["outputs"])
    assert await volume_of(system, "t1_mprage") == before
    await system.no_orphans()


@pytest.mark.parametrize("what", ["recipe", "parameters"])
async def test_volumes_of_another_recipe_or_of_other_parameters_are_made_again(system: System, what: str) -> None:
    system.environment |= RENEWED
    write_t1(system)
    rooms = system.start_all()
    await system.ingest()
    await system.at_rest()
    before = await volume_of(system, "t1_mprage")

    new = {"recipe": {"module": "flow.other_recipe"}, "parameters": {"GYRUS_MOST_VOLUMES": "3"}}[what]
    await renewed(system, rooms["classifier"], **new)

    after = await volume_of(system, "t1_mprage")
    assert after["of"]["plan"]["parameters"] != before["of"]["plan"]["parameters"]
    assert after["refused"] is None
    assert not set(after["outputs"]) & set(before["outputs"])
    await system.no_orphans()


@pytest.mark.parametrize("at", ["preprocess.3", "preprocess.4 1", "preprocess.4 6", "preprocess.4 13", "preprocess.5", "preprocess.6"])
async def test_a_preprocessor_killed_in_a_run_leaves_each_volume_once_and_no_orphan(system: System, at: str) -> None:
    system.environment |= SWEEPS | {"GYRUS_POLICY": DIFFUSION}
    write_dwi(system)
    point, _, count = at.partition(" ")
    system.start_all(but="preprocessor")
    victim = system.start("preprocessor", crash={point: f"kill {count}".strip()})
    await system.ingest()
    await victim.dies()
    system.start("preprocessor")
    await system.at_rest()
    await system.no_orphans()

    run = await volume_of(system, "ep2d_diff")
    assert [one["index"] for one in run["volumes"]] == [0, 1, 2]
    assert len(run["outputs"]) == 3 * len(B_VALUES) + 3 and is_there(system, run["outputs"])
    assert await system.failures() == []


async def test_a_disk_that_is_full_in_the_middle_of_a_run_is_waited_for(system: System) -> None:
    system.environment |= SWEEPS | {"GYRUS_POLICY": DIFFUSION, "GYRUS_AWAY_S": "0.5"}
    write_dwi(system)

    async def told() -> bool:
        return any("takes no more" in text for text in (await status.owing(system.store, None))[1])

    with harm.small_disk(system.processed, kb=256) as disk:
        (disk / "other").write_bytes(b"x" * (216 << 10))
        system.start_all()
        await system.ingest()
        await eventually(told, "status says that the disk is full")
        left = list(disk.rglob("*_v0*.pt"))
        (disk / "other").unlink()
        await system.at_rest()

        run = await volume_of(system, "ep2d_diff")
        assert left, "it was full in the middle, not before"
        assert (run["refused"], len(run["volumes"])) == (None, len(B_VALUES))
        assert is_there(system, run["outputs"])
        assert await system.failures() == []
