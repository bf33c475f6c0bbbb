"""Rules as people steer them: versions, what one would change, making one active. The classifier compares and applies."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import Field

from gyrus.gateway.models import Model, Page
from gyrus.gateway.paging import page
from gyrus.shared import debts
from gyrus.shared.documents import ACTIVE, EVERYWHERE
from gyrus.shared.errors import Misuse
from gyrus.shared.ids import ulid
from gyrus.shared.service import Service
from gyrus.shared.store import AFTER, Store

Document = dict[str, Any]
LONGEST = 1 << 20  # of an overlay, in characters: hundreds of rules; a document of 16 MB holds it twice, in any script
STAGES = ("diff", "apply")


class RulesetRequest(Model):
    """A version to compare with the active rules: a site's overlay (YAML) on top of ours; empty: ours alone."""

    overlay: str = Field("", max_length=LONGEST, description="The text of the overlay.")
    name: str = Field("overlay", min_length=1, max_length=200, description="What errors call it.")
    note: str | None = Field(None, max_length=2000, description="Why.")


def router(service: Service) -> APIRouter:
    """The part of the API that steers rules."""
    store, api = service.store, APIRouter(tags=["rules"])

    @api.get("/rules")
    async def list_rules(
        cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100
    ) -> Page:
        """Versions of the rules, oldest first, and which of them is active."""
        items, following = await page(store["rulesets"], {"cohort": EVERYWHERE, "_id": {"$ne": ACTIVE}}, cursor, limit)
        active = await store["rulesets"].find_one({"_id": ACTIVE}) or {}
        return Page(items=[{**view(item, active), "diff": None} for item in items], next=following)

    @api.get("/rules/{id}")
    async def get_rules(id: str) -> Document:
        """One version, `active` for the one that labels are made by: what it would change, or did."""
        active = await store["rulesets"].find_one({"_id": ACTIVE}) or {}
        return view(await _found(store, active.get("ruleset", id) if id == ACTIVE else id), active)

    @api.post("/rules", status_code=201)
    async def propose(request: RulesetRequest, caller: Request) -> Document:
        """Store a version and have it compared with every stored label; nothing else changes."""
        document = {"_id": ulid(), "cohort": EVERYWHERE, **request.model_dump(), "at": await store.now()}
        await store.insert("rulesets", document, "diff")
        await _audit(store, "propose rules", document["_id"], caller)
        return view(await _found(store, document["_id"]), {})

    @api.post("/rules/{id}/{action}")
    async def act(id: str, action: str, caller: Request) -> Document:
        """Compare again (`diff`), or make active (`apply`): studies whose labels differ are classified anew."""
        if action not in STAGES:
            raise HTTPException(404, f"A version of the rules knows {' and '.join(STAGES)}, not '{action}'.")
        document = await _found(store, id)
        if document.get("error"):
            raise Misuse(f"These rules are wrong: {document['error']}")
        change = [*debts.owe(action), {"$unset": "refused"}]
        owed = await store["rulesets"].find_one_and_update({"_id": id}, change, return_document=AFTER)
        await _audit(store, f"{action} rules", id, caller)
        return view(owed or document, await store["rulesets"].find_one({"_id": ACTIVE}) or {})

    return api


async def _found(store: Store, id_: str) -> Document:
    document = await store["rulesets"].find_one({"_id": id_}, {"content": 0}) if id_ != ACTIVE else None
    if document is None:
        raise HTTPException(404, f"There is no version '{id_}' of the rules. List them to see which there are.")
    return document


async def _audit(store: Store, what: str, ruleset: str, caller: Request) -> None:
    """Nothing of a person's doing stays unwritten."""
    who = caller.client.host if caller.client else None
    record = {"what": what, "cohort": None, "ruleset": ruleset, "caller": who}
    await store["audit"].insert_one({"_id": ulid(), "at": await store.now(), **record})


def view(document: Mapping[str, Any], active: Mapping[str, Any]) -> Document:
    """A version as people see it. state: comparing, applying, wrong, refused, failed, or ready."""
    owed = [stage for stage in STAGES if debts.owes(dict(document), stage)]
    state = (
        {"diff": "comparing", "apply": "applying"}[owed[0]]
        if owed
        else next((name for key, name in (("error", "wrong"), ("failure", "failed"), ("refused", "refused")) if document.get(key)), "ready")
    )
    told = ("digest", "name", "note", "at", "packaged", "says", "error", "failure", "refused", "diff", "applied", "fit", "overlay")
    return {
        "id": document["_id"],
        "state": state,
        "active": document["_id"] == active.get("ruleset"),
        **{name: document.get(name) for name in told},
    }
