"""A job that waits for nothing more makes its series due, once."""

from typing import Any

from gyrus.shared import debts, intake
from gyrus.shared.store import Store


async def due(store: Store) -> dict[str, Any]:
    return {series["_id"]: series["owed"]["settle"]["due"] async for series in store["series"].find()}


async def test_series_of_a_job_that_is_read_are_due_at_once_and_are_not_written_again(store: Store) -> None:
    await store["jobs"].insert_one({"_id": "j", "cohort": "c"})
    for name, job in (("c/1", "j"), ("c/2", "another")):
        await store["series"].update_one({"_id": name}, debts.owe("settle", quiet_s=600, cap_s=900, job=job), upsert=True)
    before = await due(store)

    assert await intake.hurry(store, "j")
    hurried = await due(store)
    assert await intake.hurry(store, "j")

    assert hurried["c/1"] <= await store.now() < before["c/1"]
    assert hurried["c/2"] == before["c/2"]
    assert await due(store) == hurried
