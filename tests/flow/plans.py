"""What mongod did for each operation, from its profiler, and the law for all of them: little is looked at that is not asked for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gyrus.shared.store import Store

Document = dict[str, Any]
APPLICATION = "gyrus"  # how the services name themselves to mongod; the test does not
PROFILE_BYTES = 500_000_000
MOST_SORTED = 100  # documents that may be sorted in memory
FACTOR, SLACK = 3, 10  # keys or documents that may be looked at for each one that was asked for or found, and in any case

# Questions that may look at more than they find, or at everything: collection, kind, fields that are asked about; and why.
ALLOWED: Mapping[tuple[str, str, frozenset[str]], str] = {
    ("files", "aggregate", frozenset({"jobs"})): "the totals of a job are taken once, over its own files",
    ("files", "aggregate", frozenset({"unsettled"})): "what is not settled yet is a debt: it passes",
    ("files", "aggregate", frozenset({"unsettled", "deleted"})): "the same, while a deletion waits",
    ("files", "find", frozenset({"unsettled", "study"})): "the same: a deletion asks once for what its series do not say yet",
    ("files", "find", frozenset({"unsettled", "subject"})): "the same",
    ("files", "aggregate", frozenset({"$or"})): "and a preview of it",
    ("series", "update", frozenset({"owed.settle.since", "cohort"})): "a person asks; keys of all that is owed, documents of the cohort",
    ("deletions", "find", frozenset({"cohort", "$or"})): "people delete seldom; asked about outputs whose stack is not there",
    ("series", "update", frozenset()): "reconcile: a person wants every series looked at",
    ("stacks", "update", frozenset({"volume", "volume.refused"})): "reconcile: and every volume",
    ("cohorts", "find", frozenset({"fed_from"})): "reconcile: and every place",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. asked: values that it lists. found: documents that it returned, changed or removed; for a count, 1."""

    collection: str
    kind: str
    question: Mapping[str, Any]
    order: tuple[str, ...]
    plan: str
    keys: int
    documents: int
    asked: int
    found: int
    sorts: bool

    @property
    def shape(self) -> str:
        """The operation without its values."""
        order = f" by {', '.join(self.order)}" if self.order else ""
        return f"{self.kind} {self.collection} {shape_of(self.question)}{order}"

    @property
    def about(self) -> tuple[str, str, frozenset[str]]:
        """Collection, kind, and the fields that it asks about."""
        return self.collection, self.kind, frozenset(self.question)

    @property
    def looks_at_little(self) -> bool:
        """Whether it looked at about as much as it was asked for or found, or counted in an index without reading a document."""
        if "COLLSCAN" in self.plan or (self.sorts and self.documents > MOST_SORTED):
            return False
        counts = self.kind == "aggregate" and self.documents == 0
        return counts or max(self.keys, self.documents) <= FACTOR * (self.asked + self.found) + SLACK

    def __str__(self) -> str:
        sorts = ", sorted in memory" if self.sorts else ""
        return f"{self.shape}: {self.plan}; {self.keys} keys, {self.documents} documents for {self.asked} + {self.found}{sorts}"


def shape_of(value: Any) -> Any:
    """A query without its values."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {shape_of(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(sorted({str(shape_of(one)) for one in value})) + "]"
    return f"…{value[:12]}" if isinstance(value, str) and value.startswith("$") else type(value).__name__


def listed(value: Any) -> int:
    """How many values a query lists in `$in`."""
    if isinstance(value, Mapping):
        return sum(len(one) if name == "$in" else listed(one) for name, one in value.items())
    return sum(map(listed, value)) if isinstance(value, list) else 0


# ── the profiler ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def start(store: Store) -> None:
    """Have mongod write down every operation on the database."""
    database = store["files"].database
    await database.create_collection("system.profile", capped=True, size=PROFILE_BYTES)
    await database.command("profile", 2)


async def stop(store: Store) -> list[Operation]:
    """What the services did since then, but for what has no plan: inserts, commits, making indexes."""
    database = store["files"].database
    await database.command("profile", 0)
    entries = await database["system.profile"].find({"appName": APPLICATION, "planSummary": {"$exists": True}}).to_list(None)
    return [operation(entry) for entry in entries]


def operation(entry: Document) -> Operation:
    """One entry of system.profile. Of a cursor each reply has its own."""
    command = entry.get("originatingCommand") or entry["command"]
    kind = next((name for name in ("find", "aggregate", "distinct", "findAndModify", "count") if name in command), entry["op"])
    question = command.get("filter") or command.get("query") or command.get("q") or {}
    if kind == "aggregate":
        question = command["pipeline"][0].get("$match", {})
    return Operation(
        collection=entry["ns"].partition(".")[2],
        kind=kind,
        question=question,
        order=tuple(command.get("sort") or ()),
        plan=entry["planSummary"],
        keys=entry.get("keysExamined", 0),
        documents=entry.get("docsExamined", 0),
        asked=listed(question),
        found=sum(entry.get(name, 0) for name in ("nreturned", "nMatched", "ndeleted")) + entry.get("writeConflicts", 0),
        sorts=bool(entry.get("hasSortStage")),
    )


# ── indexes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def used(operations: list[Operation]) -> set[str]:
    """The indexes in the plans of operations, as `collection: { field: 1 }`."""
    return {f"{one.collection}: {keys}" for one in operations for keys in re.findall(r"SCAN (\{[^}]*\})", one.plan)}


def made(indexes: Iterable[tuple[str, list[tuple[str, int]]]]) -> set[str]:
    """Indexes in the same form."""
    return {f"{collection}: {{ {', '.join(f'{name}: {way}' for name, way in keys)} }}" for collection, keys in indexes}
