"""The few ways in which documents are written."""

import asyncio

from pymongo.errors import AutoReconnect, CursorNotFound, OperationFailure

from gyrus.shared import debts
from gyrus.shared.store import Store, UpdateOne, is_away


async def test_what_is_inserted_owes_its_stage_since_now(store: Store) -> None:
    odd = {"$gt": 1, "text": "$field", "path": "$$NOW", "list": [{"$literal": 1}]}

    assert await store.insert("batches", {"_id": "b", "cohort": "c", "odd": odd}, "read")

    document = await store["batches"].find_one({"_id": "b"}) or {}
    debt = document.pop("owed")["read"]
    assert document == {"_id": "b", "cohort": "c", "odd": odd}
    assert (debt["n"], debt["tries"]) == (1, 0)
    assert abs((await store.now() - debt["since"]).total_seconds()) < 10


async def test_inserting_twice_changes_nothing_and_says_so(store: Store) -> None:
    await store.insert("batches", {"_id": "b", "cohort": "c", "files": [1]}, "read")
    await store["batches"].update_one({"_id": "b"}, debts.owe("read"))
    before = await store["batches"].find_one({"_id": "b"})

    assert not await store.insert("batches", {"_id": "b", "cohort": "other", "files": [2]}, "read")
    assert await store["batches"].find_one({"_id": "b"}) == before


async def test_of_many_who_insert_at_once_one_is_told_that_it_did(store: Store) -> None:
    done = await asyncio.gather(*(store.insert("jobs", {"_id": "j", "cohort": "c", "by": number}, "scan") for number in range(8)))

    assert sum(done) == 1
    assert await store["jobs"].count_documents({}) == 1


async def test_of_many_documents_those_that_were_there_are_named_and_stay_as_they_were(store: Store) -> None:
    await store.insert_new("files", [{"_id": "a", "v": 1}, {"_id": "b", "v": 1}])

    there = await store.insert_new("files", [{"_id": name, "v": 2} for name in "abc"])

    assert there == {"a", "b"}
    assert {file["_id"]: file["v"] async for file in store["files"].find()} == {"a": 1, "b": 1, "c": 2}
    assert await store.insert_new("files", []) == set()


async def test_a_round_of_updates_tells_how_many_documents_matched(store: Store) -> None:
    await store.insert_new("files", [{"_id": "a", "rev": 1}, {"_id": "b", "rev": 2}])

    assert await store.write("files", [UpdateOne({"_id": name, "rev": 1}, {"$set": {"rev": 2}}) for name in "ab"]) == 1
    assert await store.write("files", []) == 0


async def test_making_collections_and_indexes_again_and_at_once_is_harmless(store: Store) -> None:
    await asyncio.gather(store.ensure(), store.ensure())
    await store.ensure()

    assert "owed.settle.since_1_cohort_1_owed.settle.waiting_1" in await store["series"].index_information()


def test_only_a_server_that_is_not_there_is_away() -> None:
    assert is_away(AutoReconnect("gone"))
    assert is_away(OperationFailure("stepping down", 189))
    assert is_away(CursorNotFound("the server was restarted", 43))
    assert not is_away(OperationFailure("a bad update", 9))
    assert not is_away(ValueError("x"))
