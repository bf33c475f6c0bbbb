"""A correction says what, why and who, once and in words; it can be taken back wherever it is."""

from typing import Any

import pytest
import pytest_asyncio

from gateway.conftest import Api
from gateway.stored import a_stack, put
from gyrus.shared.documents import ACTIVE, EVERYWHERE

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXES = {"base": {"values": ["T1w", "T2w"], "many": False}, "modifier": {"values": ["FLAIR", "FatSat"], "many": True}}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def rules(api: Api) -> None:
    for document in ({"_id": "ours", "axes": AXES}, {"_id": ACTIVE, "ruleset": "ours"}):
        await api.store["rulesets"].replace_one({"_id": document["_id"]}, {"cohort": EVERYWHERE, **document}, upsert=True)


async def corrects(api: Api, stack: str | None, code: int = 201, **more: Any) -> Any:
    said = {"stack": stack, "axis": "base", "value": "T2w", "reason": "TE 90", "by": "tester"}
    return await api.post("/corrections", code, {**said, **more})


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "     "}, {"reason": "\u200b\u200b\u200b\n"}, {"reason": "..."}, {"by": "  "}, {"reason": None}]
)
async def test_a_reason_or_a_name_without_words_is_refused(api: Api, cohort: str, wrong: dict[str, Any]) -> None:
    await put(api.store, stacks=[a_stack(cohort, "a")])

    refused = await corrects(api, f"{cohort}/1.2/a", 422, **wrong)

    assert next(iter(wrong)) in refused["detail"]
    assert await api.store["corrections"].count_documents({"cohort": cohort}) == 0


async def test_a_value_that_is_named_twice_is_refused(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[a_stack(cohort, "a")])

    refused = await corrects(api, f"{cohort}/1.2/a", 409, axis="modifier", value=["FLAIR", "FatSat", "FLAIR"])

    assert refused["detail"] == "'FLAIR' is named twice. Name each value of 'modifier' once."


async def test_that_an_axis_has_none_is_labelled_as_the_axis_is_written(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[a_stack(cohort, "a")])
    for axis in AXES:
        await corrects(api, f"{cohort}/1.2/a", axis=axis, value=None)

    [labelled] = await api.get("/corrections/labels", cohort=cohort)

    assert labelled["expected"] == {"base": None, "modifier": []}


async def test_what_nobody_set_cannot_be_taken_back(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[a_stack(cohort, "a")])

    refused = await corrects(api, f"{cohort}/1.2/a", 409, withdrawn=True)

    assert "Nobody set 'base' there" in refused["detail"]


async def test_what_was_decided_for_a_group_is_taken_back_as_one_but_for_what_was_said_of_a_stack_since(api: Api, cohort: str) -> None:
    group = f"group of {cohort}"
    await put(api.store, stacks=[a_stack(cohort, name, classification={"review_group": group}) for name in "abc"])
    await corrects(api, None, review_group=group)
    await corrects(api, f"{cohort}/1.2/b", value="T1w")
    await api.store["stacks"].update_many({"cohort": cohort}, {"$set": {"classification.review_group": None}})

    taken_back = await corrects(api, None, review_group=group, withdrawn=True)

    assert {one["stack"] for one in taken_back} == {f"{cohort}/1.2/a", f"{cohort}/1.2/c"}
    assert [one["expected"] for one in await api.get("/corrections/labels", cohort=cohort)] == [{"base": "T1w"}]


async def test_a_correction_of_a_stack_that_is_no_more_can_be_taken_back_but_not_made(api: Api, cohort: str) -> None:
    old = f"{cohort}/1.2/old"
    await put(api.store, stacks=[a_stack(cohort, "old"), *(a_stack(cohort, name) for name in "ab")])
    await corrects(api, old)
    await api.store["stacks"].update_one({"_id": old}, {"$set": {"retired": True}})

    waiting = (await api.get("/corrections", cohort=cohort))["items"]
    await corrects(api, old, 409)
    await corrects(api, old, withdrawn=True)

    assert [(one["state"], one["stack"]) for one in waiting] == [("waits", old)]
    assert [one["state"] for one in (await api.get("/corrections", cohort=cohort))["items"]] == ["superseded", "withdraws"]


async def test_a_correction_that_was_carried_over_is_taken_back_where_it_is_now(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[a_stack(cohort, "old"), a_stack(cohort, "new")])
    await corrects(api, f"{cohort}/1.2/old")
    await api.store["stacks"].update_one({"_id": f"{cohort}/1.2/old"}, {"$set": {"retired": True}})

    carried = (await api.get("/corrections", cohort=cohort))["items"]
    await corrects(api, f"{cohort}/1.2/new", withdrawn=True)

    assert [(one["state"], one["stack"]) for one in carried] == [("carried over", f"{cohort}/1.2/new")]
    assert await api.get("/corrections/labels", cohort=cohort) == []
