"""What a person should look at comes in groups of identical evidence."""

from typing import Any

import pytest

from gateway.conftest import Api
from gateway.stored import a_stack, put

pytestmark = pytest.mark.asyncio(loop_scope="session")


def looked_at(cohort: str, name: str, group: str | None, **more: Any) -> dict[str, Any]:
    label = {"base": "T2w", "review": ["base: the numbers say T2w, the text says T1w"], "review_kinds": ["conflict"], "review_group": group}
    return a_stack(cohort, name, classification=label, **more)


async def test_groups_are_counted_the_largest_first_with_an_example_of_each(api: Api, cohort: str) -> None:
    some = [looked_at(cohort, f"a{number}", "aa") for number in range(3)]
    await put(api.store, stacks=[*some, looked_at(cohort, "b", "bb"), looked_at(cohort, "c", None), looked_at(cohort + "x", "d", "aa")])

    groups = await api.get("/review", cohort=cohort)

    assert [(one["group"], one["n"], one["kinds"]) for one in groups] == [("aa", 3, ["conflict"]), ("bb", 1, ["conflict"])]
    assert groups[0]["example"] in [stack["_id"] for stack in some]
    assert groups[0]["label"]["base"] == "T2w"
    assert groups[0]["review"] == ["base: the numbers say T2w, the text says T1w"]


async def test_the_stacks_of_a_group_are_listed_page_by_page(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[looked_at(cohort, f"{number}", "aa" if number % 2 else "bb") for number in range(6)])

    pages = await api.walk("/stacks", cohort=cohort, review_group="aa", limit=2)

    assert [len(page) for page in pages] == [2, 1]
