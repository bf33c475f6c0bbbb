"""Deletions: what one would remove, asking for it, and how far it is. The extractor executes them; DICOM files are never touched."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import Field, model_validator

from gyrus.gateway.models import Model, Page
from gyrus.gateway.paging import page
from gyrus.shared.errors import Misuse
from gyrus.shared.ids import ulid
from gyrus.shared.scope import LEVELS, Scope, files_of, series_of
from gyrus.shared.service import Service
from gyrus.shared.store import Store

Document = dict[str, Any]


class ScopeQuestion(Model):
    """What to delete: exactly one of these."""

    cohort: str | None = Field(None, description="A whole cohort, by name.")
    subject: str | None = Field(None, description="Id of a subject: cohort/code.")
    study: str | None = Field(None, description="Id of a study: cohort/StudyInstanceUID.")
    series: str | None = Field(None, description="Id of a series: cohort/SeriesInstanceUID.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, level) is not None for level in LEVELS) != 1:
            raise ValueError(f"name exactly one of {', '.join(LEVELS)}")
        return self

    @property
    def scope(self) -> Scope:
        """The one that is named."""
        return next(Scope(level, id_) for level in LEVELS if (id_ := getattr(self, level)) is not None)


class DeletionRequest(Model):
    """A deletion to start."""

    scope: ScopeQuestion


class DeletionsQuestion(Model):
    """Which deletions to list."""

    cohort: str | None = Field(None, description="Only of this cohort.")
    cursor: str | None = Field(None, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000, description="How many at most.")


def router(service: Service) -> APIRouter:
    """The part of the API that deletes."""
    store, api = service.store, APIRouter(tags=["deletions"])

    @api.get("/deletions/preview")
    async def preview(asked: Annotated[ScopeQuestion, Query()]) -> Document:
        """What a deletion would remove; nothing happens."""
        return {"scope": _shown(asked.scope), "counts": await counts(store, asked.scope)}

    @api.post("/deletions", status_code=201)
    async def start_deletion(request: DeletionRequest, caller: Request) -> Document:
        """Delete everything of a cohort, subject, study or series but its DICOM files, which stay as they are."""
        return view(await ask_for(store, request.scope.scope, caller.client.host if caller.client else None))

    @api.get("/deletions")
    async def list_deletions(asked: Annotated[DeletionsQuestion, Query()]) -> Page:
        """Deletions, oldest first."""
        query = {"cohort": asked.cohort} if asked.cohort else {}
        items, following = await page(store["deletions"], query, asked.cursor, asked.limit)
        return Page(items=[view(item) for item in items], next=following)

    @api.get("/deletions/{id}")
    async def get_deletion(id: str) -> Document:
        """One deletion: what it concerned, and how far it is."""
        document = await store["deletions"].find_one({"_id": id})
        if document is None:
            raise HTTPException(404, f"There is no deletion '{id}'. List them to see which there are.")
        return view(document)

    return api


async def counts(store: Store, scope: Scope) -> dict[str, int]:
    """What lies in a scope. Raises Misuse where nothing does."""
    series = [] if scope.whole else [one["_id"] for one in await series_of(store, scope)]
    stacks = scope.stacks(series)
    questions: dict[str, tuple[str, Document]] = {
        "subjects": ("subjects", _own(scope, "subject")),
        "studies": ("studies", {"subject": scope.id} if scope.level == "subject" else _own(scope, "study")),
        "series": ("series", {"cohort": scope.id} if scope.whole else {"_id": {"$in": series}}),
        "files": ("files", {"$or": [query async for query in files_of(store, scope, series)]}),
        "stacks": ("stacks", {**stacks, "retired": False}),
        "volumes": ("stacks", {**stacks, "volume.refused": None, "volume.outputs.0": {"$exists": True}}),
    }
    found = {name: await store[collection].count_documents(query) for name, (collection, query) in questions.items()}
    if not any(found.values()):
        raise Misuse(f"there is nothing of {_named(scope)} to delete. List cohorts' documents to see which there are.")
    return found


def _own(scope: Scope, level: str) -> Document:
    """Query: the documents of a level that lie wholly in the scope; a study does not lie in its series."""
    return {"cohort": scope.id} if scope.whole else {"_id": scope.id if scope.level == level else None}


def _named(scope: Scope) -> str:
    like = {"subject": "cohort/code", "study": "cohort/StudyInstanceUID", "series": "cohort/SeriesInstanceUID"}.get(scope.level)
    return f"{scope.level} '{scope.id}'" + (f" (an id is {like})" if like else "")


async def ask_for(store: Store, scope: Scope, caller: str | None) -> Document:
    """Audit, then owe: a deletion that nobody wrote down does not happen. Raises Misuse where there is nothing to delete."""
    told = {"scope": _shown(scope), "counts": await counts(store, scope)}
    deletion = {"_id": ulid(), "cohort": scope.cohort, **told, "series": [], "studies": [], "subjects": []}
    record = {"what": "delete", "cohort": scope.cohort, "deletion": deletion["_id"], "caller": caller, **told}
    await store["audit"].insert_one({"_id": ulid(), "at": await store.now(), **record})
    await store.insert("deletions", deletion, "delete")
    return await store["deletions"].find_one({"_id": deletion["_id"]}) or deletion


def _shown(scope: Scope) -> Document:
    return {"level": scope.level, "id": scope.id}


def view(document: Mapping[str, Any]) -> Document:
    """A deletion as people see it."""
    state = "failed" if "failure" in document else "done" if "finished_at" in document else "working"
    told = {name: document.get(name) for name in ("cohort", "scope", "counts", "failure", "finished_at")}
    waiting = document.get("owed", {}).get("delete", {}).get("waiting")
    return {"id": document["_id"], "state": state, **told, "waiting_for": waiting}
