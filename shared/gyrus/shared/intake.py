"""Announcing files: the one way in which a path becomes work, whoever found it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gyrus.shared import crash, debts
from gyrus.shared.bus import Bus
from gyrus.shared.events import FilesFound
from gyrus.shared.ids import file_id, ulid
from gyrus.shared.store import Store

Found = Mapping[str, Any]  # {id, path, size, mtime_ns}; size and mtime_ns are None for a path that is not there any more


def found(cohort: str, source: str, path: str, size: int | None, mtime_ns: int | None) -> dict[str, Any]:
    """What was seen of a file."""
    return {"id": file_id(cohort, source, path), "path": path, "size": size, "mtime_ns": mtime_ns}


def place(cohort: str, source: str, path: str) -> dict[str, Any]:
    """Query: the files at or below a text path of a source; all of the source where it is empty."""
    below = [{"path": path}, {"path": {"$gte": path + "/", "$lt": path + "0"}}]  # "0" follows "/"
    return {"cohort": cohort, "source": source, **({"$or": below} if path else {})}


async def announce(store: Store, bus: Bus, job: Mapping[str, Any], files: Sequence[Found], points: tuple[str, str]) -> None:
    """Insert a batch that owes `read`, then ring. `points` name the two steps.

    job: the job that found the files ({_id, cohort, source, quiet_s, cap_s}).
    """
    batch = {
        "_id": ulid(),
        "cohort": job["cohort"],
        "source": job["source"],
        "job": job["_id"],
        "quiet_s": job["quiet_s"],
        "cap_s": job["cap_s"],
        "workers": job.get("options", {}).get("workers"),
        "again": bool(job.get("options", {}).get("again")),
        "files": [dict(file) for file in files],
    }
    await crash.point(points[0])
    await store.insert("batches", batch, "read")
    await crash.point(points[1])
    await bus.ring(FilesFound(cohort=batch["cohort"], batch=batch["_id"]), f"read:{batch['_id']}:1")


async def announced(store: Store, ids: Sequence[str]) -> dict[str, list[tuple[int | None, int | None, str]]]:
    """Files that wait in open batches: by id, the sizes and mtimes under which they were announced, and the job."""
    waiting: dict[str, list[tuple[int | None, int | None, str]]] = {}
    wanted = set(ids)
    async for batch in store["batches"].find({"files.id": {"$in": list(wanted)}, **debts.is_owed("read")}, {"files": 1, "job": 1}):
        for file in batch["files"]:
            if file["id"] in wanted:
                waiting.setdefault(file["id"], []).append((file["size"], file["mtime_ns"], batch["job"]))
    return waiting


async def announce_again(store: Store, bus: Bus, file: Mapping[str, Any], seen: tuple[int | None, int | None]) -> None:
    """Whoever finds a file not as its document says owes a read of it, in a batch of its own; not twice for the same state."""
    waiting = await announced(store, [file["_id"]])
    if any((size, mtime_ns) == seen for size, mtime_ns, _ in waiting.get(file["_id"], [])):
        return
    job = await store["jobs"].find_one({"_id": min(file["jobs"])})
    assert job is not None, "a file names the jobs that read it"
    await announce(store, bus, job, [found(file["cohort"], file["source"], file["path"], *seen)], ("preprocess.3b", "preprocess.3c"))


async def hurry(store: Store, job: str) -> bool:
    """A job whose scan is paid and whose batches are read needs no quiet: its series are due at once. Whether it is so far.

    The standing job of a watched source never is.
    """
    scanned = {"_id": job, "owed.scan.since": {"$exists": False}, "watch": {"$exists": False}}
    done = await store["jobs"].find_one(scanned, {"_id": 1})
    if not done or await store["batches"].find_one({"job": job, **debts.is_owed("read")}, {"_id": 1}):
        return False
    quiet = {"owed.settle.jobs": job, **debts.is_owed("settle"), "$expr": {"$gt": ["$owed.settle.due", "$$NOW"]}}
    await store["series"].update_many(quiet, [{"$set": {"owed.settle.due": "$$NOW"}}])
    return True
