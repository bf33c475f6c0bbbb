"""Volumes in an object store: made, replaced, swept and waited for as in a folder."""

from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from flow import cohort
from flow.system import SWEEPS, System, eventually
from gyrus.data.storage import Storage
from gyrus.gateway import status
from s3 import s3_server


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    with s3_server(monkeypatch) as there:
        yield there


def write_series(system: System, **first: Any) -> None:
    for number in range(cohort.SLICES):
        cohort.write(system.inbox / f"{number}.dcm", cohort.image("t1_mprage", number, **(first if not number else {})), 30 if first else 0)


async def volume_of(system: System) -> dict[str, Any]:
    stack = await system.store["stacks"].find_one({})
    assert stack and stack["volume"]
    return dict(stack["volume"])


async def test_volumes_in_a_bucket_are_made_replaced_and_swept(system: System, store: tuple[str, Any]) -> None:
    system.environment |= SWEEPS | {"GYRUS_PROCESSED": f"{store[0]}/volumes"}
    bucket = Storage(f"{store[0]}/volumes")
    write_series(system)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    before = await volume_of(system)
    assert [name for name, _ in bucket.find()] == sorted(before["outputs"])

    write_series(system, pixels=5)
    await system.ingest()
    await system.at_rest()
    after = await volume_of(system)

    async def only_new() -> bool:
        return [name for name, _ in bucket.find()] == sorted(after["outputs"])

    assert not set(before["outputs"]) & set(after["outputs"])
    await eventually(only_new, "the replaced volume is removed")
    assert list(system.processed.iterdir()) == []


@pytest.mark.parametrize("at", ["preprocess.4 2", "preprocess.5", "preprocess.6"])
async def test_a_preprocessor_killed_while_it_writes_to_a_bucket_leaves_the_volume_once(
    system: System, store: tuple[str, Any], at: str
) -> None:
    system.environment |= SWEEPS | {"GYRUS_PROCESSED": store[0]}
    write_series(system)
    system.start_all(but="preprocessor")
    point, _, count = at.partition(" ")
    victim = system.start("preprocessor", crash={point: f"kill {count}".strip()})
    await system.ingest()
    await victim.dies()
    system.start("preprocessor")
    await system.at_rest()
    outputs = sorted((await volume_of(system))["outputs"])

    async def once() -> bool:
        return [name for name, _ in Storage(store[0]).find()] == outputs

    await eventually(once, "what the killed one wrote is gone")


async def test_a_store_that_is_away_is_waited_for(system: System, store: tuple[str, Any]) -> None:
    missing = store[0].replace("//b", "//later-b")
    system.environment |= {"GYRUS_PROCESSED": missing, "GYRUS_AWAY_S": "0.5"}
    write_series(system)
    system.start_all()
    await system.ingest()

    async def told() -> bool:
        return any("store of processed volumes" in text for text in (await status.owing(system.store, None))[1])

    await eventually(told, "status says that the store is waited for")
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(missing.removeprefix("s3://"))
    await system.at_rest()

    assert (await volume_of(system))["refused"] is None
    assert await system.failures() == []
