"""How far things are: what is owed, what failed, what each file came to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gyrus.shared import debts
from gyrus.shared.scope import DELETED
from gyrus.shared.store import BY_OUTCOME, Store, owed_keys
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
STANDING: Document = {"_id": {"$gte": "watch:", "$lt": "watch;"}}  # the jobs of watched sources; ";" follows ":"


async def owing(store: Store, cohort: str | None) -> tuple[dict[str, int], list[str]]:
    """How many documents owe each stage, of one cohort or of all; and what work waits for that is not there: sources, room in storage."""
    where = {"cohort": cohort} if cohort else {}
    counts: dict[str, int] = {}
    said = {source["waiting"] for source in await watched(store, cohort)}
    for stage in STAGES.values():
        asked = [
            {"$match": {**debts.is_owed(stage.name), **where}},
            {"$group": {"_id": f"$owed.{stage.name}.waiting", "n": {"$sum": 1}}},
        ]
        rows = await store[stage.collection].aggregate(asked, hint=dict(owed_keys(stage.name))).to_list(None)
        counts[stage.name] = sum(row["n"] for row in rows)
        said |= {row["_id"] for row in rows}
    return counts, sorted(said - {None})


async def watched(store: Store, cohort: str | None) -> list[Document]:
    """The watched sources: when they were last looked at, and what they wait for."""
    where = {**STANDING, **({"cohort": cohort} if cohort else {})}
    fields = {"source": 1, "cohort": 1, "watch": 1, "progress": 1}
    now = await store.now()
    found = [job async for job in store["jobs"].find(where, fields).sort("_id") if not _is_over(job, now)]
    told = ("looked_at", "waiting")
    return [
        {"source": job["source"], "cohort": job["cohort"], **{name: job["watch"].get(name) for name in told}, **(job.get("progress") or {})}
        for job in found
    ]


async def failures(store: Store, cohort: str | None) -> dict[str, int]:
    """Documents whose work failed, by stage."""
    where = {"cohort": cohort} if cohort else {}
    counts = {s.name: await store[s.collection].count_documents({**where, "failure.stage": s.name}) for s in STAGES.values()}
    return {stage: count for stage, count in counts.items() if count}


async def conflicts(store: Store, cohort: str | None) -> dict[str, int]:
    """Studies whose series name two subjects, and series that lie in two studies; files that conflict are an outcome."""
    where = {"cohort": cohort} if cohort else {}
    asked = (("studies", "two_subjects"), ("series", "two_studies"))
    counts = {kind: await store[name].count_documents({**where, "conflicts.kind": kind}) for name, kind in asked}
    return {kind: count for kind, count in counts.items() if count}


async def jobs(store: Store, documents: Sequence[Document]) -> list[Document]:
    """Jobs: their totals once they are frozen, and what their cohort still owes – asked once for each cohort."""
    cohorts = {document["cohort"] for document in documents}
    told_of = {name: await owing(store, name) for name in cohorts}
    owed = {name: {stage: count for stage, count in counts.items() if count} for name, (counts, _) in told_of.items()}
    now = await store.now()
    paces = [await _pace(store, document, now) for document in documents]
    states = [_state(one, owed[one["cohort"]], now) for one in documents]
    told = zip(documents, states, paces, strict=True)
    return [_job(one, state, owed[one["cohort"]], told_of[one["cohort"]][1], pace) for one, state, pace in told]


def _job(document: Document, state: str, owing: dict[str, int], lacking: list[str], pace: Document) -> Document:
    names = ("cohort", "source", "options", "skipped", "totals", "failure", "finished_at", "note")
    told = {name: document.get(name) for name in names}
    progress = {**(document.get("progress") or {}), **pace}
    return {"id": document["_id"], "state": state, "progress": progress, **told, "owed": owing, "waiting_for": lacking}


def _is_over(standing: Document, now: datetime) -> bool:
    """Whether nobody looks at a watched source any more: its lease ran out."""
    return bool(standing["watch"].get("until", now) < now)


def _state(document: Document, owing: dict[str, int], now: datetime) -> str:
    """working, done, failed; pausing, paused, cancelling, cancelled; watching, waiting for a source that is not there, ended."""
    if "watch" in document:
        return "ended" if _is_over(document, now) else "waiting" if "waiting" in document["watch"] else "watching"
    if "wanted" in document:
        return {"pause": "pausing", "cancel": "cancelling"}[document["wanted"]]
    if document.get("stopped") == "pause":
        return "paused"
    if "open" in document or (owing and not document["options"].get("dry_run")):
        return "working"
    if document.get("stopped") == "cancel":
        return "cancelled"
    return "failed" if "failure" in document or (document.get("totals") or {}).get("unaccounted") else "done"


async def _pace(store: Store, document: Document, now: datetime) -> Document:
    """How many files are done (known before, or read), how many a second since the scan began, and how long the rest will take."""
    progress = document.get("progress") or {}
    if "since" not in progress or "open" not in document:
        return {}
    unread = 0
    async for batch in store["batches"].find({"job": document["_id"], **debts.is_owed("read")}, {"n_files": {"$size": "$files"}}):
        unread += batch["n_files"]
    done = max(progress["seen"] - progress["waiting"] - unread, 0)
    rate = done / max((now - progress["since"]).total_seconds(), 0.1)
    left = (progress["total"] - done) / rate if rate and progress.get("total") is not None else None
    return {"done": done, "files_per_s": round(rate, 1), "left_s": None if left is None else round(max(left, 0.0))}


async def overview(store: Store, cohort: str | None) -> Document:
    """Everything at a glance."""
    where = {"cohort": cohort} if cohort else {}
    outcomes, gone = await _outcomes(store, where)
    # What remains of a deleted file only keeps it from being read.
    counts = {"files": sum(count for outcome, count in outcomes.items() if outcome != DELETED)}
    counts |= {name: await _count(store, name, where) for name in ("series", "studies", "subjects", "stacks")}
    owed, lacking = await owing(store, cohort)
    return {
        "cohort": cohort,
        "counts": counts,
        "outcomes": outcomes,
        "gone": gone,
        "owed": owed,
        "waiting_for": lacking,
        "watched": await watched(store, cohort),
        "failures": await failures(store, cohort),
        "conflicts": await conflicts(store, cohort),
        "dead_letters": await _count(store, "dead_letters", {}),
    }


async def _outcomes(store: Store, where: Document) -> tuple[dict[str, int], int]:
    """Files by outcome, and how many are gone: counted in an index, no document is read."""
    outcomes: dict[str, int] = {}
    gone = 0
    group = {"$group": {"_id": {"outcome": "$outcome", "gone": "$gone"}, "n": {"$sum": 1}}}
    async for row in store["files"].aggregate([{"$match": where}, group], hint=dict(BY_OUTCOME)):
        outcome = row["_id"].get("outcome") or "unsettled"
        outcomes[outcome] = outcomes.get(outcome, 0) + row["n"]
        gone += row["n"] if row["_id"].get("gone") else 0
    return outcomes, gone


async def _count(store: Store, collection: str, where: Document) -> int:
    """How many documents there are: counted in an index."""
    return await store[collection].count_documents(where, hint="_id_" if not where else [("cohort", 1), ("_id", 1)])
