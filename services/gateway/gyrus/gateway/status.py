"""How far things are: what is owed, what failed, what each file came to."""

from collections.abc import Sequence
from typing import Any

from gyrus.shared import debts
from gyrus.shared.store import Store
from gyrus.shared.topology import STAGES

Document = dict[str, Any]


async def owed(store: Store, cohort: str | None) -> dict[str, int]:
    """Documents that owe each stage, of one cohort or of all."""
    where = {"cohort": cohort} if cohort else {}
    return {stage.name: await store[stage.collection].count_documents({**where, **debts.is_owed(stage.name)}) for stage in STAGES.values()}


async def waiting_for(store: Store, cohort: str | None) -> list[str]:
    """What work waits for that is not there: sources, room in storage."""
    where = {"cohort": cohort} if cohort else {}
    said: set[str] = set()
    for stage in STAGES.values():
        said |= set(await store[stage.collection].distinct(f"owed.{stage.name}.waiting", {**where, **debts.is_owed(stage.name)}))
    return sorted(said)


async def failures(store: Store, cohort: str | None) -> dict[str, int]:
    """Documents whose work failed, by stage."""
    where = {"cohort": cohort} if cohort else {}
    counts = {s.name: await store[s.collection].count_documents({**where, "failure.stage": s.name}) for s in STAGES.values()}
    return {stage: count for stage, count in counts.items() if count}


async def jobs(store: Store, documents: Sequence[Document]) -> list[Document]:
    """Jobs: their totals once they are frozen, and what their cohort still owes – asked once for each cohort."""
    cohorts = {document["cohort"] for document in documents}
    owing = {name: {stage: count for stage, count in (await owed(store, name)).items() if count} for name in cohorts}
    lacking = {name: await waiting_for(store, name) for name in cohorts}
    return [_job(document, owing[document["cohort"]], lacking[document["cohort"]]) for document in documents]


def _job(document: Document, owing: dict[str, int], lacking: list[str]) -> Document:
    lost = bool((document.get("totals") or {}).get("unaccounted"))
    finished = "failed" if "failure" in document or lost else "done"
    state = finished if "open" not in document and not owing else "working"
    names = ("cohort", "source", "options", "progress", "skipped", "totals", "failure", "finished_at")
    told = {name: document.get(name) for name in names}
    return {"id": document["_id"], "state": state, **told, "owed": owing, "waiting_for": lacking}


async def overview(store: Store, cohort: str | None) -> Document:
    """Everything at a glance."""
    where = {"cohort": cohort} if cohort else {}
    counts = {name: await store[name].count_documents(where) for name in ("files", "series", "studies", "subjects", "stacks")}
    outcomes: dict[str, int] = {}
    async for row in store["files"].aggregate([{"$match": where}, {"$group": {"_id": "$outcome", "n": {"$sum": 1}}}]):
        outcomes[row["_id"] or "unsettled"] = row["n"]
    counts["files"] -= outcomes.get("deleted", 0)  # what remains of them only keeps them from being read
    return {
        "cohort": cohort,
        "counts": counts,
        "outcomes": outcomes,
        "owed": await owed(store, cohort),
        "waiting_for": await waiting_for(store, cohort),
        "failures": await failures(store, cohort),
        "dead_letters": await store["dead_letters"].count_documents({}),
    }
