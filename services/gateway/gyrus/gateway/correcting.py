"""Corrections: what a person sets, why and who; what became of each; all of them as labelled headers. They are only ever added."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request
from pydantic import Field, ValidationInfo, field_validator, model_validator

from gyrus.gateway.models import Listing, Model, Page
from gyrus.gateway.paging import page
from gyrus.gateway.steering import Steering
from gyrus.gateway.views import HIDDEN, visible
from gyrus.shared import debts
from gyrus.shared.corrections import CARRIED, STANDS, last_of, standing
from gyrus.shared.documents import ACTIVE, LIST_AXES
from gyrus.shared.errors import Misuse
from gyrus.shared.ids import ulid
from gyrus.shared.service import Service
from gyrus.shared.store import Session, Store

Document = dict[str, Any]
FEWEST = {"reason": 3, "by": 1}  # letters and digits; blanks and dots say nothing to whoever asks later
FOR_STATES = {"series": 1, "retired": 1}


class CorrectionRequest(Model):
    """What an axis is: of one stack, or of all stacks of a group that is looked at. `withdrawn`: what was set no longer holds."""

    stack: str | None = Field(None, description="Id of a stack.")
    review_group: str | None = Field(None, description="A group of stacks to look at: one decision for all of them, taken back as one.")
    cohort: str | None = Field(None, description="Of a group, only the stacks of this cohort.")
    axis: str = Field(description="Which axis.")
    value: str | list[str] | None = Field(None, description="A value, a list where the axis has several, null for none.")
    withdrawn: bool = Field(False, description="Take back what was set; `value` says nothing then.")
    reason: str = Field(max_length=2000, description="Why, for whoever asks later.")
    by: str = Field(max_length=200, description="Who says so.")

    @field_validator("reason", "by")
    @classmethod
    def _in_words(cls, said: str, field: ValidationInfo) -> str:
        fewest = FEWEST[str(field.field_name)]
        if sum(one.isalnum() for one in said) < fewest:
            raise ValueError(f"say it in words: {fewest} letters or digits at least")
        return said.strip()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.stack is None) is (self.review_group is None):
            raise ValueError("name a stack or a review_group")
        return self


def router(service: Service, steering: Steering) -> APIRouter:
    """The part of the API that corrects."""
    store, api = service.store, APIRouter(tags=["corrections"])

    @api.post("/corrections", status_code=201)
    async def correct(request: CorrectionRequest, caller: Request) -> list[Document]:
        """Set an axis; its studies are classified anew, and other axes draw their conclusions from it."""
        await _check(store, request)
        made = await _made(store, request)
        await _audit(store, request, made, caller)
        studies = await store.transaction(lambda session: _write(store, made, session))
        await steering.ring_for("classify", studies)
        return [_shown(one) for one in made]

    @api.get("/corrections")
    async def list_corrections(asked: Annotated[Listing, Query()]) -> Page:
        """All that was ever set, oldest first, and whether it stands, was carried over to another stack, or waits for a person."""
        query = {"cohort": asked.cohort} if asked.cohort else {}
        items, following = await page(store["corrections"], query, asked.cursor, asked.limit)
        states = await _states(store, {item["series"] for item in items if "series" in item})
        return Page(items=[{**_shown(item), **states.get(item["_id"], _past(item))} for item in items], next=following)

    @api.get("/corrections/labels")
    async def labelled(cohort: str | None = None) -> list[Document]:
        """What people set as labelled headers, {id, family, fingerprint, expected} each: `make calibrate` takes them, one a line."""
        return await labels(store, cohort)

    return api


async def _check(store: Store, request: CorrectionRequest) -> None:
    """Raises Misuse where the active rules have no such axis or value."""
    active = await store["rulesets"].find_one({"_id": ACTIVE}) or {}
    rules = await store["rulesets"].find_one({"_id": active.get("ruleset")}, {"axes": 1})
    if rules is None:
        raise Misuse("No rules are known yet: start a classifier.")
    axis = rules["axes"].get(request.axis)
    if axis is None:
        raise Misuse(f"There is no axis '{request.axis}'. Axes: {', '.join(rules['axes'])}.")
    if request.withdrawn or request.value is None or (request.axis == "contrast" and request.value == "unknown"):
        return
    if axis["many"] is not isinstance(request.value, list):
        raise Misuse(f"Axis '{request.axis}' takes {'a list of values' if axis['many'] else 'one value'}.")
    values = request.value if isinstance(request.value, list) else [request.value]
    if wrong := [value for value in values if value not in axis["values"]]:
        raise Misuse(f"Axis '{request.axis}' has no value '{wrong[0]}'. Values: {', '.join(axis['values'])}.")
    if twice := [value for place, value in enumerate(values) if value in values[:place]]:
        raise Misuse(f"'{twice[0]}' is named twice. Name each value of '{request.axis}' once.")


async def _made(store: Store, request: CorrectionRequest) -> list[Document]:
    """A correction for each stack that it is for. Raises Misuse where there is none, or nothing to take back."""
    about = await (_held(store, request) if request.withdrawn else _chosen(store, request))
    said = request.model_dump(include={"axis", "value", "withdrawn", "reason", "by", "review_group"})
    at = await store.now()
    return [{"_id": ulid(), **one, **said, **({"value": None} if request.withdrawn else {}), "at": at} for one in about]


async def _chosen(store: Store, request: CorrectionRequest) -> list[Document]:
    """The living stacks that are corrected."""
    where: Document = {"_id": request.stack} if request.stack else {"classification.review_group": request.review_group}
    if request.cohort:
        where["cohort"] = request.cohort
    fields = {"cohort": 1, "series": 1, "study": 1, f"classification.{request.axis}": 1}
    stacks = await store["stacks"].find({**where, "retired": False}, fields).to_list(None)
    if not stacks:
        raise Misuse("There is no such stack that lives. `gyrus stacks` lists them, `gyrus review` the groups.")
    return [
        {
            **{name: stack[name] for name in ("cohort", "series", "study")},
            "stack": stack["_id"],
            "was": (stack.get("classification") or {}).get(request.axis),
        }
        for stack in stacks
    ]


async def _held(store: Store, request: CorrectionRequest) -> list[Document]:
    """The stacks of which something is taken back: each that it was said of, and the study of the stack that it is for now."""
    decided: Document = {"review_group": request.review_group, **({"cohort": request.cohort} if request.cohort else {})}
    series = [request.stack.rpartition("/")[0]] if request.stack else await store["corrections"].distinct("series", decided)
    wanted = {"axis": request.axis, **({} if request.stack else decided)}
    held = [one for one in await _standing(store, series) if all(one.get(name) == value for name, value in wanted.items())]
    if request.stack:
        held = [one for one in held if request.stack in (one["stack"], one["corrected"])]
    if not held:
        raise Misuse(f"Nobody set '{request.axis}' there: nothing is to be taken back. `gyrus corrections` lists what was set.")
    now = await store["stacks"].find({"_id": {"$in": [one["stack"] for one in held]}}, {"study": 1}).to_list(None)
    studies = {stack["_id"]: stack["study"] for stack in now}
    return [
        {
            **{name: one[name] for name in ("cohort", "series")},
            "study": studies.get(one["stack"], one["study"]),
            "stack": one["corrected"],
            "was": one["value"],
        }
        for one in held
    ]


async def _write(store: Store, made: Sequence[Document], session: Session) -> list[str]:
    """The corrections and the debts of their studies: both, or neither."""
    studies = sorted({one["study"] for one in made})
    await store["corrections"].insert_many(list(made), session=session)
    await store["studies"].update_many({"_id": {"$in": studies}}, debts.owe("classify"), session=session)
    return studies


async def _audit(store: Store, request: CorrectionRequest, made: Sequence[Document], caller: Request) -> None:
    """A correction that nobody wrote down does not happen."""
    about = {"axis": request.axis, "corrections": len(made), "by": request.by, "caller": caller.client.host if caller.client else None}
    for cohort in sorted({one["cohort"] for one in made}):
        await store["audit"].insert_one({"_id": ulid(), "at": await store.now(), "what": "correct", "cohort": cohort, **about})


async def _standing(store: Store, series: Iterable[str]) -> list[Document]:
    """What was set in these series and counts, each for the stack that it is for now."""
    named = sorted(series)
    said = await store["corrections"].find({"series": {"$in": named}}).sort("_id").to_list(None)
    return standing(said, await store["stacks"].find({"series": {"$in": named}}, FOR_STATES).to_list(None))


async def _states(store: Store, series: Iterable[str]) -> dict[str, Document]:
    """Correction id → its state, and the stack that it is for now."""
    return {one["_id"]: {name: one[name] for name in ("state", "stack", "corrected")} for one in await _standing(store, series)}


def _past(correction: Mapping[str, Any]) -> Document:
    return {"state": "withdraws" if correction.get("withdrawn") else "superseded"}


async def labels(store: Store, cohort: str | None) -> list[Document]:
    """The stacks whose corrections stand, with what they should say."""
    said = await store["corrections"].find({"cohort": cohort} if cohort else {}).sort("_id").to_list(None)
    series = sorted({one["series"] for one in last_of(said).values() if "series" in one})
    stacks = await store["stacks"].find({"series": {"$in": series}}, {**FOR_STATES, "fingerprint": 1}).to_list(None)
    fingerprints = {stack["_id"]: stack["fingerprint"] for stack in stacks}
    expected: dict[str, Document] = defaultdict(dict)
    for one in standing(said, stacks):
        if one["state"] in (STANDS, CARRIED):
            expected[one["stack"]][one["axis"]] = one["value"] or ([] if one["axis"] in LIST_AXES else None)
    return [_labelled(stack, values, fingerprints[stack]) for stack, values in expected.items()]


def _labelled(stack: str, expected: Document, fingerprint: Mapping[str, Any]) -> Document:
    """A labelled header; headers of one protocol are a family, so that none of them judges itself."""
    family = fingerprint.get("protocol_name") or fingerprint.get("series_description") or stack
    return {"id": stack, "family": f"corrected {family}", "fingerprint": visible(fingerprint, HIDDEN), "expected": expected}


def _shown(correction: Mapping[str, Any]) -> Document:
    return {"id" if name == "_id" else name: value for name, value in correction.items()}
