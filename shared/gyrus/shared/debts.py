"""Debts: the one mechanism for all work (design §3).

A document that wants work bears `owed.<stage> = {n, since, due?, lease?, tries, jobs?}`. Owed means that `since` is there. Anyone may
owe; only the stage's room pays, and only if `n` is still what it read before it loaded anything else. `n` never goes back, not even
when its document is deleted and comes again: it begins at the server's clock, in milliseconds. Else a worker that stalled before the
deletion could pay, by the `n` that it read, a debt of after it; and NATS would take the new bell for the old one.

The functions return the two arguments of an update, filter and change, so that a result and its payment are one update. Times are the
server's (`$$NOW`).
"""

from typing import Any

from gyrus.shared.topology import MAX_TRIES

Document = dict[str, Any]


def owe(stage: str, *, quiet_s: float = 0, cap_s: float = 0, job: str | None = None) -> list[Document]:
    """The pipeline that owes a stage: `n` + 1, `since` now if it was not owed; a failure is forgotten, its tries begin anew.

    quiet_s, cap_s: `due` is the earlier of now + quiet and since + cap. job: who waits for it.
    """
    at = f"owed.{stage}"
    change: Document = {
        f"{at}.n": {"$add": [{"$ifNull": [f"${at}.n", {"$toLong": "$$NOW"}]}, 1]},
        f"{at}.since": {"$ifNull": [f"${at}.since", "$$NOW"]},
        f"{at}.tries": 0,
    }
    if quiet_s or cap_s:
        since = {"$ifNull": [f"${at}.since", "$$NOW"]}
        change[f"{at}.due"] = {"$min": [{"$add": ["$$NOW", round(quiet_s * 1000)]}, {"$add": [since, round(cap_s * 1000)]}]}
    if job:
        change[f"{at}.jobs"] = {"$setUnion": [{"$ifNull": [f"${at}.jobs", []]}, [job]]}
    return [{"$set": change}, {"$unset": "failure"}]


def is_owed(stage: str) -> Document:
    """Filter: documents that owe a stage. Of a type an index can tell that it is there without the document; of `$exists` it cannot."""
    return {f"owed.{stage}.since": {"$type": "date"}}


def owes(document: Document | None, stage: str) -> bool:
    """Whether a document that was read owes a stage."""
    return document is not None and "since" in document.get("owed", {}).get(stage, {})


def n_of(document: Document, stage: str) -> int:
    """The `n` of a document that was read."""
    return int(document["owed"][stage]["n"])


def unmoved(stage: str, n: int) -> Document:
    """Filter: the debt is owed, and `n` is what was read."""
    return {f"owed.{stage}.n": n, **is_owed(stage)}


def owed_anew(stage: str) -> Document:
    """Change of a debt that is owed: `n` + 1, so that nobody can pay it who read `n` before."""
    return {"$inc": {f"owed.{stage}.n": 1}}


def paid(stage: str) -> Document:
    """Change: the debt is paid; `n` stays."""
    at = f"owed.{stage}"
    return {
        "$unset": {**{f"{at}.{name}": "" for name in ("since", "due", "lease", "jobs", "turn", "waiting")}, "failure": ""},
        "$set": {f"{at}.tries": 0},
    }


def lease(stage: str, seconds: float) -> tuple[Document, list[Document]]:
    """Filter and pipeline of taking the lease: it only saves work, correctness never depends on it."""
    at = f"owed.{stage}"
    free = {"$lt": [{"$ifNull": [f"${at}.lease", "$$NOW"]}, {"$add": ["$$NOW", 1]}]}
    return {**is_owed(stage), "$expr": free}, [{"$set": {f"{at}.lease": {"$add": ["$$NOW", round(seconds * 1000)]}}}]


def failed(stage: str, retry_s: float, error: str, advice: str) -> list[Document]:
    """The pipeline after a raised error: one more try; the last one becomes a failure, and the debt is no longer owed.

    A stage without a bell is due again after a growing delay: retry_s times the tries.
    """
    at = f"owed.{stage}"
    last = {"$gte": [f"${at}.tries", MAX_TRIES]}
    failure = {"stage": {"$literal": stage}, "error": {"$literal": error}, "advice": {"$literal": advice}, "at": "$$NOW"}
    again = {"$add": ["$$NOW", {"$multiply": [round(retry_s * 1000), f"${at}.tries"]}]}
    return [
        {"$set": {f"{at}.tries": {"$add": [{"$ifNull": [f"${at}.tries", 0]}, 1]}}},
        {"$set": {f"{at}.due": {"$cond": [{"$gt": [f"${at}.due", None]}, again, "$$REMOVE"]}, f"{at}.lease": "$$REMOVE"}},
        {
            "$set": {
                "failure": {"$cond": [last, failure, "$$REMOVE"]},
                f"{at}.since": {"$cond": [last, "$$REMOVE", f"${at}.since"]},
            }
        },
    ]
