"""What a person should look at: stacks in groups of identical evidence, so that one decision serves all of a group."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from gyrus.shared.documents import stack_record
from gyrus.shared.service import Service
from gyrus.shared.store import Store

Document = dict[str, Any]
GROUP = "classification.review_group"


def router(service: Service) -> APIRouter:
    """The part of the API that lists what to look at."""
    api = APIRouter(tags=["review"])

    @api.get("/review")
    async def list_groups(
        cohort: Annotated[str | None, Query(description="Only of this cohort.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
    ) -> list[Document]:
        """Groups of stacks with the same reasons to look and the same evidence, the largest first; an example of each."""
        return await groups(service.store, cohort, limit)

    return api


async def groups(store: Store, cohort: str | None, limit: int) -> list[Document]:
    """{group, n, kinds, review, label, example} each. `example` is the id of one of its stacks."""
    wanted: Document = {GROUP: {"$type": "string"}, **({"cohort": cohort} if cohort else {})}
    by_group: Document = {"_id": f"${GROUP}", "n": {"$sum": 1}}
    counted: list[Document] = [{"$match": wanted}, {"$group": by_group}, {"$sort": {"n": -1, "_id": 1}}, {"$limit": limit}]
    found = []
    async for group in store["stacks"].aggregate(counted):
        example = await store["stacks"].find_one({**wanted, GROUP: group["_id"]})
        if example is not None:  # it may have been classified anew meanwhile
            found.append({"group": group["_id"], "n": group["n"], **_shown(example)})
    return found


def _shown(stack: Document) -> Document:
    label = stack["classification"]
    record = stack_record(stack, label)
    values = ("base", "technique", "modifier", "construct", "provenance", "acceleration", "contrast", "intent")
    return {
        "kinds": label["review_kinds"],
        "review": label["review"],
        "label": {name: record[name] for name in values},
        "probability": record["probability"],
        "example": stack["_id"],
    }
