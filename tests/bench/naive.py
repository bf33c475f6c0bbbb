"""The naive design that gyrus is measured against: one event per file, pydicom, one upsert per document. Frozen: it is not improved.

It is what one writes first: a message to `naive.ingest` names a folder, every file of it becomes an event, every event is one `dcmread` and
five upserts – subject, study, series, stack, instance. It keeps the same facts as gyrus does of an ordinary file, under the same names, and
has the same indexes and the same write concern. Nothing in it is slowed down.

It does less: no private elements, no frames of enhanced objects, no check of duplicates, geometry or completeness, no account of a job,
and where images of a series disagree, the last one wins.
"""

import argparse
import asyncio
import hashlib
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from motor.motor_asyncio import AsyncIOMotorClient
from nats.js.api import RetentionPolicy
from pydantic import BaseModel
from pydicom import dcmread
from pydicom.multival import MultiValue
from pymongo import WriteConcern

from gyrus.dicom.fields import STANDARD
from gyrus.shared.store import INDEXES

STREAM, INGEST, FOUND = "NAIVE", "naive.ingest", "naive.file.found"
WANTED = {field.tag: field for field in STANDARD.fields if field.keyword}
STACK_KEY = ("echo_time", "inversion_time", "flip_angle", "echo_numbers", "image_type", "image_orientation_patient")
COLLECTIONS = {name: name for name in ("subjects", "studies", "series", "stacks")} | {"files": "instances"}

Facts = dict[str, dict[str, Any]]


class Ingest(BaseModel):
    """Read this folder."""

    cohort: str
    folder: str


class FileFound(BaseModel):
    """There is a file."""

    cohort: str
    folder: str
    path: str
    size: int
    mtime_ns: int


def plain(value: Any) -> Any:
    """A value of pydicom as MongoDB can hold it."""
    if isinstance(value, MultiValue | list | tuple):
        return [plain(part) for part in value]
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def read(path: str | Path) -> Facts:
    """The wanted elements of a header, by level."""
    dataset = dcmread(path, stop_before_pixels=True)
    facts: Facts = defaultdict(dict)
    for elements in (dataset.file_meta, dataset):
        for tag in elements.keys():  # noqa: SIM118 - iterating would convert every element, wanted or not
            field = WANTED.get(tag)
            if field and (value := elements[tag].value) not in (None, "", []):
                facts[field.level][field.name] = plain(value)
    return facts


def stack_of(facts: Facts) -> dict[str, Any]:
    """What tells the stacks of a series apart."""
    everything = facts["acquisition"] | facts["image"]
    return {name: everything[name] for name in STACK_KEY if name in everything}


class Naive:
    """Answers both kinds of messages."""

    def __init__(self, broker: NatsBroker, database: Any) -> None:
        self.broker, self.database = broker, database

    async def ensure(self) -> None:
        """The indexes that gyrus has on the same documents."""
        for collection, keys, partial in INDEXES:
            if collection in COLLECTIONS:
                options = {"partialFilterExpression": partial} if partial else {}
                await self.database[COLLECTIONS[collection]].create_index(keys, **options)

    async def ingest(self, event: Ingest) -> None:
        """One event per file."""
        for folder, _, names in os.walk(event.folder):
            for name in sorted(names):
                path = Path(folder, name)
                stat = path.stat()
                file = {"path": str(path.relative_to(event.folder)), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
                await self.broker.publish(FileFound(cohort=event.cohort, folder=event.folder, **file), FOUND, stream=STREAM)

    async def store(self, event: FileFound) -> None:
        """One upsert per document."""
        receipt = {"cohort": event.cohort, "source": event.folder, "path": event.path, "size": event.size, "mtime_ns": event.mtime_ns}
        try:
            facts = await asyncio.to_thread(read, Path(event.folder, event.path))
            await self.store_facts(event.cohort, facts, receipt)
        except Exception as error:
            rejected = {**receipt, "outcome": "rejected", "reason": str(error)}
            await self.upsert("instances", f"{event.cohort}/{event.path}", rejected)

    async def store_facts(self, cohort: str, facts: Facts, receipt: dict[str, Any]) -> None:
        study_uid, series_uid = facts["study"]["study_instance_uid"], facts["series"]["series_instance_uid"]
        key = stack_of(facts)
        subject = f"{cohort}/{facts['subject'].get('patient_id', study_uid)}"
        study, series = f"{cohort}/{study_uid}", f"{cohort}/{series_uid}"
        stack = f"{series}/{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
        parents = {"cohort": cohort, "subject": subject, "study": study, "series": series}
        await self.upsert("subjects", subject, {"cohort": cohort, **facts["subject"]})
        await self.upsert("studies", study, {"cohort": cohort, "subject": subject, **facts["study"]})
        await self.upsert("series", series, {"cohort": cohort, "subject": subject, "study": study, **facts["series"]})
        await self.upsert("stacks", stack, {**parents, **key})
        image = {**receipt, "outcome": "extracted", **parents, "stack": stack, **facts["acquisition"], **facts["image"]}
        await self.upsert("instances", f"{cohort}/{receipt['path']}", image)

    async def upsert(self, collection: str, id_: str, values: dict[str, Any]) -> None:
        await self.database[collection].update_one({"_id": id_}, {"$set": values}, upsert=True)


async def main(nats: str, mongo: str, database: str, workers: int) -> None:
    """Consume until told to stop; print `ready` once everything listens."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo)
    broker = NatsBroker(nats, logger=None)
    naive = Naive(broker, client.get_database(database, write_concern=WriteConcern(w="majority", j=True)))
    await naive.ensure()
    stream = JStream(STREAM, subjects=[FOUND], retention=RetentionPolicy.WORK_QUEUE)
    broker.subscriber(INGEST, queue="naive")(naive.ingest)
    found = {"stream": stream, "durable": "naive", "pull_sub": True, "max_workers": workers, "ack_policy": AckPolicy.NACK_ON_ERROR}
    broker.subscriber(FOUND, **found)(naive.store)
    app = FastStream(broker)
    app.after_startup(lambda: print("ready", flush=True))
    await app.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nats", required=True)
    parser.add_argument("--mongo", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--workers", type=int, default=8, help="events in hand at once")
    asyncio.run(main(**vars(parser.parse_args())))
