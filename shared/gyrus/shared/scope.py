"""What a deletion is about – a cohort, a subject, a study or a series –, which documents lie in it, and what remains of a file."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from gyrus.shared.store import Store

Document = dict[str, Any]

LEVELS = ("cohort", "subject", "study", "series")
NAMED = {"study": "studies", "subject": "subjects"}  # what a series says of all its files
DELETED = "deleted"  # the outcome of a tombstone, and its field that names the deletion


@dataclass(frozen=True)
class Scope:
    """One level of what was scanned, and the `_id` of its document."""

    level: str
    id: str

    @property
    def cohort(self) -> str:
        """The cohort that it lies in."""
        return self.id.split("/", 1)[0]

    @property
    def whole(self) -> bool:
        """Whether it is a whole cohort."""
        return self.level == "cohort"

    def stacks(self, series: list[str]) -> Document:
        """Query: the stacks of the scope."""
        return {"cohort": self.id} if self.whole else {"series": {"$in": series}}


async def series_of(store: Store, scope: Scope) -> list[Document]:
    """The series of a scope that is no whole cohort, as they are shown: {_id, study, subject}."""
    query: Document = {"_id": scope.id} if scope.level == "series" else {scope.level: scope.id}
    if scope.level == "subject":  # a study goes to the subject that most of its series name: a single series may name another one
        studies = await store["studies"].distinct("_id", {"subject": scope.id})
        query = {"$or": [query, {"study": {"$in": studies}}]}
    return await store["series"].find(query, {"study": 1, "subject": 1}).to_list(None)


async def files_of(store: Store, scope: Scope, series: list[str]) -> AsyncIterator[Document]:
    """Queries: the files of a scope that are no tombstones – those of its series, and those that name it themselves.

    Each is exhausted before the next is asked for. So a file that is settled meanwhile is found by one of them: it is unsettled until
    its series says whom its files name.
    """
    if scope.whole:
        yield {"cohort": scope.id, "outcome": {"$ne": DELETED}}
    elif scope.level == "series":
        yield {"series": {"$in": sorted({scope.id, *series})}}
    else:
        yield {"unsettled": {"$exists": True}, scope.level: scope.id}
        naming = await store["series"].distinct("_id", {NAMED[scope.level]: scope.id})
        yield {"$or": [{"series": {"$in": series}}, {"series": {"$in": naming}, scope.level: scope.id}]}


def is_left_alone(file: Mapping[str, Any] | None, job: str, again: bool) -> bool:
    """Whether a file's document is a tombstone that a job leaves alone: unless it was asked for after the deletion, with `again`.

    Jobs and deletions are named by ULIDs of the gateway, which sort by time.
    """
    return file is not None and DELETED in file and not (again and job > file[DELETED])


def tombstone(deletion: str) -> list[Document]:
    """The pipeline that leaves of a file what is needed to leave it alone, and nothing that says what it was or where.

    `rev` moves, so that no reader or settler that read the document before writes it afterwards; `unsettled` names the series that lost it.
    """
    had: Document = {"$cond": [{"$gt": ["$series", None]}, ["$series"], []]}
    kept = {name: f"${name}" for name in ("_id", "cohort", "jobs")} | {"rev": {"$add": ["$rev", 1]}}
    lost = {"unsettled": {"$setUnion": [{"$ifNull": ["$unsettled", []]}, had]}}
    none = {"$eq": ["$unsettled", []]}
    return [
        {"$replaceWith": {**kept, "outcome": {"$literal": DELETED}, DELETED: {"$literal": deletion}, **lost}},
        {"$set": {"unsettled": {"$cond": [none, "$$REMOVE", "$unsettled"]}}},
    ]
