"""MongoDB, in one place: the only module that imports its driver.

Everyone else gets collections through `Store`. Writes are acknowledged by the majority and journalled. What the driver raises when the
server is not there is told apart here (`is_away`).
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorCollection
from pymongo import MongoClient, ReplaceOne, ReturnDocument, UpdateMany, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as SyncCollection
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError, ExecutionTimeout, NotPrimaryError, PyMongoError
from pymongo.read_concern import ReadConcern

from gyrus.shared.errors import Misuse
from gyrus.shared.settings import Settings
from gyrus.shared.topology import STAGES

__all__ = [
    "AFTER", "BEFORE", "BlockingStore", "Collection", "DatabaseAt", "Document", "ReplaceOne", "Session", "Store", "UpdateMany", "UpdateOne",
    "WorkerSession", "blocking_store", "is_away", "literal",
]  # fmt: skip

T = TypeVar("T")
Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
WorkerSession = ClientSession
WorkerCollection = SyncCollection[Document]
DURABLE = WriteConcern(w="majority", j=True)
_TIMES: dict[str, Any] = {"serverSelectionTimeoutMS": 3000, "connectTimeoutMS": 3000, "socketTimeoutMS": 60_000}
AFTER, BEFORE = ReturnDocument.AFTER, ReturnDocument.BEFORE

COLLECTIONS = (
    "cohorts", "jobs", "batches", "files", "headers", "series", "studies", "subjects", "stacks",
    "corrections", "rulesets", "deletions", "keys", "audit", "dead_letters",
)  # fmt: skip

Keys = list[tuple[str, int]]
BY_PLACE: Keys = [("cohort", 1), ("source", 1), ("path", 1), ("gone", 1), ("size", 1), ("mtime_ns", 1)]  # a scan asks nothing but this
BY_OUTCOME: Keys = [("cohort", 1), ("outcome", 1), ("_id", 1), ("gone", 1)]


def owed_keys(stage: str) -> Keys:
    """The keys of the index of what owes a stage: it tells how much, of which cohort, and what is waited for."""
    return [(f"owed.{stage}.since", 1), ("cohort", 1), (f"owed.{stage}.waiting", 1)]


# Only indexes that a query uses: tests/flow/test_plans.py. What is written for each file costs each file.
INDEXES: tuple[tuple[str, Keys, Document | None], ...] = (
    ("jobs", [("cohort", 1), ("_id", -1)], None),
    ("jobs", [("open", 1)], {"open": {"$exists": True}}),
    ("jobs", [("lacking", 1)], {"lacking": {"$exists": True}}),
    ("jobs", [("source", 1), ("path", 1)], None),
    ("batches", [("job", 1)], None),
    ("batches", [("files.id", 1)], None),
    ("files", [("series", 1)], None),
    ("files", [("unsettled", 1)], {"unsettled": {"$exists": True}}),
    ("files", BY_PLACE, None),
    ("files", BY_OUTCOME, None),
    ("files", [("jobs", 1)], None),
    ("files", [("cohort", 1), ("reason", 1), ("_id", 1)], {"reason": {"$exists": True}}),
    ("files", [("again_at", 1)], {"again_at": {"$exists": True}}),
    ("files", [("unmapped", 1), ("gone", 1), ("cohort", 1), ("source", 1), ("path", 1)], {"unmapped": {"$exists": True}}),
    ("series", [("study", 1), ("_id", 1)], None),
    ("series", [("studies", 1)], None),
    ("series", [("subjects", 1)], None),
    ("series", [("subject", 1), ("_id", 1)], None),
    ("series", [("cohort", 1), ("_id", 1)], None),
    ("series", [("owed.settle.due", 1)], {"owed.settle.since": {"$exists": True}}),
    ("series", [("owed.settle.jobs", 1), ("owed.settle.due", 1)], {"owed.settle.since": {"$exists": True}}),
    ("series", [("conflicts.kind", 1), ("cohort", 1)], {"conflicts.kind": {"$exists": True}}),
    ("studies", [("conflicts.kind", 1), ("cohort", 1)], {"conflicts.kind": {"$exists": True}}),
    ("studies", [("subject", 1), ("_id", 1)], None),
    ("studies", [("cohort", 1), ("_id", 1)], None),
    ("subjects", [("cohort", 1), ("_id", 1)], None),
    ("stacks", [("series", 1), ("_id", 1)], None),
    ("stacks", [("study", 1), ("_id", 1)], None),
    ("stacks", [("subject", 1), ("_id", 1)], None),
    ("stacks", [("cohort", 1), ("_id", 1)], None),
    ("stacks", [("classification.of.ruleset", 1)], None),
    ("stacks", [("classification.of.policy", 1)], None),
    ("stacks", [("classification.review_group", 1), ("cohort", 1), ("_id", 1)], {"classification.review_group": {"$type": "string"}}),
    ("corrections", [("stack", 1)], None),
    ("corrections", [("series", 1)], None),
    ("corrections", [("cohort", 1), ("_id", 1)], None),
    ("deletions", [("cohort", 1), ("_id", 1)], None),
    *((stage.collection, owed_keys(stage.name), {f"owed.{stage.name}.since": {"$exists": True}}) for stage in STAGES.values()),
    *((stage.collection, [("failure.stage", 1), ("cohort", 1)], {"failure.stage": {"$exists": True}}) for stage in STAGES.values()),
)  # fmt: skip


class Store:
    """The database: `store["files"]` is a collection."""

    def __init__(self, settings: Settings) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(settings.mongo_url, **_TIMES, tz_aware=True)
        self._database = self._client.get_database(settings.mongo_database, write_concern=DURABLE)
        self._collections = {name: self._database[name] for name in COLLECTIONS}

    def __getitem__(self, collection: str) -> Collection:
        return self._collections[collection]

    def close(self) -> None:
        self._client.close()

    async def drop(self) -> None:
        """Drop the whole database: for tests."""
        await self._client.drop_database(self._database.name)

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        await self._client.admin.command("ping")

    async def ensure(self) -> None:
        """Make collections (a transaction should not have to) and indexes; again is harmless."""
        if "setName" not in await self._client.admin.command("hello"):
            raise Misuse("MongoDB must be a replica set (transactions need it): start it with --replSet, and initiate it.")
        there = set(await self._database.list_collection_names())
        for name in COLLECTIONS:
            if name not in there:
                await self._create(name)
        for name, keys, partial in INDEXES:
            options: dict[str, Any] = {"partialFilterExpression": partial} if partial else {}
            await self[name].create_index(keys, **options)

    async def _create(self, name: str) -> None:
        try:
            await self._database.create_collection(name)
        except PyMongoError as error:
            if getattr(error, "code", None) != 48 and "already exists" not in str(error):  # NamespaceExists: another service was quicker
                raise

    async def transaction(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Run `work` in one transaction: on a write conflict whole again, on an unknown commit result the commit alone."""
        async with await self._client.start_session() as session:
            return await session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=DURABLE)

    async def insert(self, collection: str, document: Document, stage: str | None = None) -> bool:
        """Insert one document, owing a stage since the server's now; False where its `_id` is there already."""
        owed = {"owed": {stage: {"n": 1, "since": "$$NOW", "tries": 0}}} if stage else {}
        new = {"$eq": [{"$type": "$cohort"}, "missing"]}
        change = [{"$replaceWith": {"$cond": [new, {**literal(document), **owed}, "$$ROOT"]}}]
        try:
            done = await self[collection].update_one({"_id": document["_id"]}, change, upsert=True)
        except DuplicateKeyError:
            return False
        return done.upserted_id is not None

    async def insert_new(self, collection: str, documents: Sequence[Document]) -> set[Any]:
        """Insert documents in one round trip; the ids of those that were there already."""
        if not documents:
            return set()
        try:
            await self[collection].insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            problems = details.get("writeErrors", [])
            if details.get("writeConcernErrors") or any(problem["code"] != 11000 for problem in problems):
                raise  # not durable is not stored
            return {documents[problem["index"]]["_id"] for problem in problems}
        return set()

    async def write(
        self, collection: str, operations: Iterable[UpdateOne | UpdateMany | ReplaceOne[Document]], session: Session | None = None
    ) -> int:
        """Do many writes in one round trip; how many documents matched."""
        todo = list(operations)
        if not todo:
            return 0
        return (await self[collection].bulk_write(todo, ordered=False, session=session)).matched_count

    async def now(self) -> datetime:
        """The server's clock."""
        local: datetime = (await self._client.admin.command("hello"))["localTime"]
        return local.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DatabaseAt:
    """Where a worker finds the database."""

    url: str
    name: str


class BlockingStore:
    """The same database for a worker process, which has nothing else to do while it waits: without an event loop.

    Only its transactions are waited for until they are durable, and whatever was written before one is so with it.
    """

    def __init__(self, at: DatabaseAt) -> None:
        self._client: MongoClient[Document] = MongoClient(at.url, **_TIMES, tz_aware=True)
        self._database = self._client.get_database(at.name, write_concern=WriteConcern(w=1))

    def __getitem__(self, collection: str) -> WorkerCollection:
        return self._database[collection]

    def transaction(self, work: Callable[[WorkerSession], T]) -> T:
        """Run `work` in one transaction, as `Store.transaction` does."""
        with self._client.start_session() as session:
            return session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=DURABLE)

    def write(self, collection: str, operations: Sequence[UpdateOne | UpdateMany], session: WorkerSession | None = None) -> int:
        """Do many writes in one round trip; how many documents matched."""
        return self[collection].bulk_write(list(operations), ordered=False, session=session).matched_count if operations else 0


@lru_cache(maxsize=1)
def blocking_store(at: DatabaseAt) -> BlockingStore:
    """The store of this process: its connections are made once, never before a fork."""
    return BlockingStore(at)


def literal(values: Mapping[str, Any]) -> Document:
    """Fields for a pipeline, each as it is: a text that begins with `$` is no expression."""
    return {name: {"$literal": value} for name, value in values.items()}


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database is not there now, rather than that the work is wrong."""
    if isinstance(error, ConnectionFailure | NotPrimaryError | ExecutionTimeout):
        return True
    if isinstance(error, BulkWriteError) and (error.details or {}).get("writeConcernErrors"):
        return True
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")
    stopping = {91, 11600, 11602, 189, 10107, 13435, 13436, 43}  # shutting down, stepping down; a cursor that went with its server
    return isinstance(error, PyMongoError) and (any(map(error.has_error_label, labels)) or getattr(error, "code", None) in stopping)
