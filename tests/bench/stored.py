"""Receipts by the hundred thousand with all that belongs to them: what the services stored of one visit's files, again and again.

Each copy has UIDs, subjects, paths and a job of its own, so that every index grows as it would with files.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.files import VISIT_FILES, write_visits
from bench.harness import opened, time_to_settle, until
from gyrus.console.servers import Mongo
from gyrus.shared.ids import file_id
from gyrus.shared.store import Store

COLLECTIONS = ("jobs", "files", "headers", "series", "studies", "subjects", "stacks")
SINGLE = ("_id", "series", "study", "subject", "header", "sop_instance_uid", "series_instance_uid", "study_instance_uid", "code")
MANY = ("studies", "subjects", "jobs")
PASSING = ("owed", "open")  # nothing is to be done for a copy

Document = dict[str, Any]
Visit = dict[str, list[Document]]


async def a_visit(folder: Path, mongo: Mongo) -> Visit:
    """What watcher, extractor and classifier store of the files of one visit, by collection."""
    files = write_visits(folder / "files", VISIT_FILES)
    system = await opened(folder / "system", mongo, {"stored": files})
    try:
        for name in ("watcher", "extractor", "classifier"):
            system.start(name)
        await time_to_settle(system, "stored")
        await until(lambda: _is_labelled(system.store), "all stacks are labelled")
        return {name: [document async for document in system.store[name].find({})] for name in COLLECTIONS}
    finally:
        await system.close()


async def _is_labelled(store: Store) -> bool:
    return not await store["stacks"].find_one({"classification": {"$exists": False}}, {"_id": 1})


async def store_copies(store: Store, visit: Visit, files: int) -> None:
    """Store copied visits of so many files; the last one may be more."""
    for number in range(-(-files // len(visit["files"]))):
        for collection, documents in (await asyncio.to_thread(copied, visit, number)).items():
            assert not await store.insert_new(collection, documents), "a copy has names of its own"


def copied(visit: Visit, number: int) -> Visit:
    """The visit under other names."""
    names = {name: _other(name, number) for name in _names(visit)}
    copy = {collection: [_renamed(document, names) for document in documents] for collection, documents in visit.items()}
    for file in copy["files"]:
        file["path"] = f"{number:06}/{file['path']}"
        file["_id"] = file_id(file["cohort"], file["source"], file["path"])
    return copy


def _names(visit: Visit) -> Iterable[str]:
    """UIDs, subject codes and the job: what tells one visit from another."""
    own = {"files": "sop_instance_uid", "series": "series_instance_uid", "studies": "study_instance_uid", "subjects": "code", "jobs": "_id"}
    return (document[field] for collection, field in own.items() for document in visit[collection])


def _other(name: str, number: int) -> str:
    made = hashlib.blake2b(f"{number} {name}".encode(), digest_size=16).hexdigest()
    return f"2.25.{int(made, 16)}" if "." in name else f"{name[0]}{made}"[: len(name)]


def _renamed(document: Document, names: Mapping[str, str]) -> Document:
    def renamed(id_: str) -> str:
        return "/".join(names.get(part, part) for part in id_.split("/"))

    single = {field: renamed(document[field]) for field in SINGLE if isinstance(document.get(field), str)}
    many = {field: [renamed(id_) for id_ in document[field]] for field in MANY if field in document}
    return {field: value for field, value in document.items() if field not in PASSING} | single | many
