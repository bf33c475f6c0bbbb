"""How near an ingest comes to what its parts cost at least on this machine. Printed, never asserted.

The floors do the same on the same documents with nothing around it: the bytes up to the pixels are read, the documents that the ingest
left are encoded once, and stored once, whole, in batches, by the plain driver, with the indexes and the durability of production.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from bench.designs import Given, begin, timed
from bench.harness import cpu_s, median, opened, print_table, print_versions, time_to_settle
from flow.system import System
from gyrus.console.servers import Mongo
from gyrus.shared.settings import Settings
from gyrus.shared.store import DURABLE, Store

ROUNDS = int(os.environ.get("GYRUS_BENCH_ROUNDS", "3"))
BATCH = 200
LEFT = ("files", "headers", "series", "studies", "subjects", "stacks")
pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
Document = dict[str, Any]
Documents = Mapping[str, Sequence[Document]]


def read_up_to_the_pixels(paths: Sequence[tuple[Path, int]]) -> None:
    """Open, read so many bytes, close."""
    for path, length in paths:
        handle = os.open(path, os.O_RDONLY)
        os.read(handle, length)
        os.close(handle)


def places(documents: Documents, folder: Path) -> list[tuple[Path, int]]:
    """Each image with where its pixels begin."""
    return [(folder / file["path"], max(file["image"].get("pixel_offset", 0), 0)) for file in documents["files"] if "image" in file]


def batches(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    return (documents[at : at + BATCH] for at in range(0, len(documents), BATCH))


def store_once(database: Database[Document], documents: Documents) -> None:
    """Every document once, whole."""
    for name, of_name in documents.items():
        collection: Collection[Document] = database.get_collection(name, write_concern=DURABLE)
        for batch in batches(of_name):
            collection.insert_many(batch, ordered=False)


def encode(documents: Documents) -> None:
    for one in chain.from_iterable(documents.values()):
        bson.encode(one)


def spent_ms(work: Any, *args: Any) -> float:
    """CPU of this process for `work(*args)`, in ms."""
    started = time.process_time()
    work(*args)
    return 1000 * (time.process_time() - started)


async def storing(mongo: Mongo, documents: Documents, name: str) -> tuple[float, float]:
    """CPU in ms of mongod and of the driver that stores the documents in a database of their own."""
    store = Store(Settings(mongo_url=mongo.url, mongo_database=name))
    await store.ensure()
    assert mongo.process
    with MongoClient[Document](mongo.url) as client:
        client.admin.command("fsync")
        before = cpu_s([mongo.process.pid])
        driver = spent_ms(store_once, client[name], documents)
        server = 1000 * (cpu_s([mongo.process.pid]) - before)
    await store.drop()
    store.close()
    return server, driver


async def left_by(system: System) -> Documents:
    return {name: [document async for document in system.store[name].find({"cohort": "bench"})] for name in LEFT if name != "headers"} | {
        "headers": [document async for document in system.store["headers"].find({"_id": {"$regex": "^bench/"}})]
    }


async def test_how_near_an_ingest_comes_to_its_floors(tmp_path: Path, given: Given) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    for turn in range(ROUNDS):
        system = await opened(tmp_path / str(turn), given.mongo, {"few": given.few, "files": given.files})
        try:
            leaders = begin(system)
            await time_to_settle(system, "few", "others")
            seconds, cpu = await timed(system, leaders, "files")
            documents = await left_by(system)
            assert len(documents["files"]) == given.count
            server, driver = await storing(given.mongo, documents, f"floors-{turn}")
        finally:
            await system.close()
        for process, spent in cpu.items():
            took[process].append(1000 * spent)
        took["waiting"].append(1000 * (seconds * (os.cpu_count() or 1) - sum(cpu.values())))
        took["least reading"].append(spent_ms(read_up_to_the_pixels, places(documents, given.files)))
        took["least BSON"].append(spent_ms(encode, documents))
        took["least mongod"].append(server)
        took["least driver"].append(driver)
    print_versions(given.mongo)
    rows = [[name, f"{median(values) / given.count:.3f}"] for name, values in took.items()]
    print_table(f"An ingest of {given.count:,} files, and its floors; medians of {ROUNDS}", ["what", "ms/file"], rows)
