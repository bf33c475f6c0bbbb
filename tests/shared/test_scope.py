"""What lies in a scope is found by an index, and what remains of a deleted file says nothing."""

from typing import Any

import pytest

from gyrus.shared import debts
from gyrus.shared.scope import LEVELS, Scope, files_of, is_left_alone, series_of, tombstone
from gyrus.shared.store import Store

SAID = {
    "_id": "f", "cohort": "c", "source": "inbox", "path": "DOE^JANE/1.dcm", "size": 5, "mtime_ns": 7, "rev": 3, "jobs": ["a", "b"],
    "gone": False, "outcome": "extracted", "series": "c/1.2", "study": "c/1", "subject": "c/S0", "image": {"instance_number": 1},
    "sop_instance_uid": "1.2.3", "header": "c/1.2/aa", "digest": "dd", "again_at": 5, "reason": "$x",
}  # fmt: skip
REMAINS = {"_id": "f", "cohort": "c", "rev": 4, "jobs": ["a", "b"], "outcome": "deleted", "deleted": "01D"}


async def buried(store: Store, file: dict[str, Any]) -> dict[str, Any]:
    await store["files"].insert_one(file)
    await store["files"].update_one({"_id": "f"}, tombstone("01D"))
    return await store["files"].find_one({"_id": "f"}) or {}


@pytest.mark.parametrize(
    ("file", "unsettled"),
    [
        (SAID, ["c/1.2"]),
        ({**SAID, "unsettled": ["c/1.2", "c/9"]}, ["c/1.2", "c/9"]),
        ({**SAID, "unsettled": ["c/9"]}, ["c/1.2", "c/9"]),
        ({name: value for name, value in SAID.items() if name != "series"}, None),
    ],
    ids=["an image", "an image that is not settled", "one that moved", "a file that was rejected"],
)
async def test_what_remains_of_a_file_leaves_its_series_to_settle_and_says_nothing_else(
    store: Store, file: dict[str, Any], unsettled: list[str] | None
) -> None:
    remains = await buried(store, dict(file))

    assert sorted(remains.pop("unsettled", [])) == (unsettled or [])
    assert remains == REMAINS


@pytest.mark.parametrize(
    ("file", "job", "again", "left"),
    [
        (REMAINS, "01C", False, True),
        (REMAINS, "01E", False, True),
        (REMAINS, "01C", True, True),
        (REMAINS, "01E", True, False),
        (SAID, "01C", False, False),
        (None, "01C", False, False),
    ],
)
def test_a_tombstone_is_read_anew_only_by_a_later_job_that_asks_for_everything_again(file: Any, job: str, again: bool, left: bool) -> None:
    assert is_left_alone(file, job, again) is left


@pytest.mark.parametrize("level", LEVELS)
async def test_each_question_about_a_scope_has_its_index(store: Store, level: str) -> None:
    await store.ensure()
    scope = Scope(level, "c" if level == "cohort" else "c/1")
    open_ones = {"cohort": "c", "swept": {"$exists": False}, **debts.is_owed("delete")}
    of_series = {"cohort": "c", "$or": [{"scope.level": "cohort"}, {"series": "c/1.2"}]}

    plans = [
        await store[collection].find(query).explain()
        for collection, query in (
            *[("files", query) async for query in files_of(store, scope, ["c/1.2"])],
            ("stacks", {**scope.stacks(["c/1.2"]), "retired": True}),
            ("series", {"$or": [{"subject": "c/S"}, {"study": {"$in": ["c/1"]}}]}),
            ("files", {"unsettled": {"$exists": True}, "deleted": "01D"}),
            ("corrections", {"stack": {"$in": ["c/1.2/a"]}}),
            ("headers", {"_id": {"$gte": "c/", "$lt": "c0"}}),
            ("deletions", open_ones),
            ("deletions", of_series),
        )
    ]

    assert not [plan["queryPlanner"]["parsedQuery"] for plan in plans if "COLLSCAN" in str(plan["queryPlanner"]["winningPlan"])]


@pytest.mark.parametrize("level", ["study", "subject"])
@pytest.mark.parametrize("settles", ["before", "between", "after"])
async def test_a_file_that_settles_in_another_series_while_a_scope_is_looked_through_is_found(
    store: Store, level: str, settles: str
) -> None:
    id_ = {"study": "c/1", "subject": "c/S0"}[level]
    await store["files"].insert_one({**SAID, "series": "c/9", "unsettled": ["c/9"]})
    await store["series"].insert_one({"_id": "c/9"})

    async def settle(when: str) -> None:
        if when == settles:
            await store["files"].update_one({"_id": "f"}, {"$unset": {"unsettled": ""}})
            await store["series"].update_one({"_id": "c/9"}, {"$set": {"studies": ["c/1", "c/2"], "subjects": ["c/S0", "c/S1"]}})

    found = []
    queries = files_of(store, Scope(level, id_), ["c/1.2"])
    await settle("before")
    found += await store["files"].find(await anext(queries)).to_list(None)
    await settle("between")
    found += await store["files"].find(await anext(queries)).to_list(None)
    await settle("after")

    assert {file["_id"] for file in found} == {"f"}


async def test_a_subject_has_the_series_that_name_it_and_those_of_its_studies(store: Store) -> None:
    await store["studies"].insert_many([{"_id": "c/1", "subject": "c/A"}, {"_id": "c/2", "subject": "c/B"}])
    shown = [("c/1.1", "c/1", "c/A"), ("c/1.2", "c/1", "c/B"), ("c/2.1", "c/2", "c/A"), ("c/2.2", "c/2", "c/B")]
    await store["series"].insert_many([{"_id": id_, "study": study, "subject": subject} for id_, study, subject in shown])

    async def named(level: str, id_: str) -> list[str]:
        return sorted(one["_id"] for one in await series_of(store, Scope(level, id_)))

    assert await named("subject", "c/A") == ["c/1.1", "c/1.2", "c/2.1"]
    assert await named("study", "c/2") == ["c/2.1", "c/2.2"]
    assert await named("series", "c/2.2") == ["c/2.2"]
