"""Whatever the services ask MongoDB has its index, looks at little else, and every index has its question.

One journey makes the services ask what they ever ask; mongod's profiler writes it down. Beside it lie many documents that nobody asks for.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow import ballast, cohort, plans
from flow.asking import KEY, gateway_is_up
from flow.plans import Operation
from flow.system import SWEEPS, System, eventually
from gyrus.console.servers import Mongo
from gyrus.shared import debts
from gyrus.shared.ids import ulid
from gyrus.shared.store import INDEXES
from gyrus.shared.topology import STAGES

pytestmark = pytest.mark.asyncio(loop_scope="module")

STUDY, T1 = f"c/{cohort.uid('study', 'one')}", f"c/{cohort.uid('t1_mprage')}"
QUICK = {
    "GYRUS_WATCH_EVERY_S": "0.2",
    "GYRUS_STABLE_S": "0.2",
    "GYRUS_WATCH_WHOLE_S": "1",
    "GYRUS_RENEW_EVERY_S": "1",
    "GYRUS_UPLOAD_GRACE_S": "1",
}


class Journey:
    """A system with all its rooms, and what people and files do to it."""

    def __init__(self, system: System) -> None:
        self.system, self.store, self.inbox = system, system.store, system.inbox
        self.port = system._ports.get("http")
        head = {"Authorization": f"Bearer {KEY}"}
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}/api/v1", headers=head, trust_env=False, timeout=60)

    async def get(self, path: str, **asked: Any) -> Any:
        return _answered(await self.client.get(path, params=asked))

    async def post(self, path: str, body: Any = None, **asked: Any) -> Any:
        return _answered(await self.client.post(path, json=body, params=asked))

    async def start(self, *rooms: str, **options: Any) -> None:
        for room in rooms:
            self.system.start(room, **options, **({"GYRUS_HTTP_PORT": str(self.port)} if room == "gateway" else {}))

        await gateway_is_up(self.client, self.port)

    async def ingest(self, path: str = "", **asked: Any) -> str:
        """A scan, looked at while it runs, until nothing is owed."""
        [job] = await self.post("/jobs", {"cohort": "c", "source": "inbox", "path": path, "batch_files": 4, "quiet_s": 0.2, **asked})
        await self.get(f"/jobs/{job['id']}")
        await self.rest()
        return str(job["id"])

    async def rest(self) -> None:
        """Nothing is owed but by the ballast; every job has its totals."""
        where = {"cohort": {"$ne": ballast.ELSEWHERE}}

        async def rests() -> bool:
            owed = [await self.store[s.collection].find_one({**where, **debts.is_owed(s.name)}) for s in STAGES.values()]
            return not any(owed) and not await self.store["jobs"].find_one({"open": True})

        await eventually(rests, "the system comes to rest")

    async def pages(self, path: str, **asked: Any) -> list[Any]:
        """Every page of a list, three documents on each, at most five."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        for _ in range(5):
            page = await self.get(path, limit=3, **asked, **cursor)
            items += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        return items

    async def delete(self, level: str, id_: str) -> None:
        await self.get("/deletions/preview", **{level: id_})
        deletion = await self.post("/deletions", {"scope": {level: id_}})
        await self.get(f"/deletions/{deletion['id']}")
        await self.rest()


def _answered(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


# ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def files_come(on: Journey) -> None:
    """A cohort; the same again, from elsewhere, changed, gone; a classifier that fails first, and is told to try again."""
    cohort.first(on.inbox)
    job = (await on.post("/jobs", {"cohort": "c", "source": "inbox", "batch_files": 4, "quiet_s": 0.2}))[0]["id"]

    async def failed() -> Any:
        return (await on.get("/status", cohort="c"))["failures"].get("classify")

    await eventually(failed, "the classifier fails")
    await on.get("/failures", cohort="c")
    next(room for room in on.system.rooms if room.name == "classifier").stop()
    await on.start("classifier")
    await on.post("/failures/retry", {"stage": "classify"})
    await on.rest()
    assert (await on.get(f"/jobs/{job}"))["totals"]["extracted"] == 20
    shutil.copytree(on.inbox / "a", on.inbox / "again")
    await on.ingest()
    cohort.second(on.inbox)
    (on.inbox / "a/fmap/00_1.dcm").unlink()
    shutil.rmtree(on.inbox / "again")
    await on.ingest()
    await on.ingest("b", again=True)


async def work_is_steered(on: Journey) -> None:
    """Rules of subjects, dry runs, a pause, series that wait for quiet, files that are tried again, a label by older rules."""
    await on.ingest("b", dry_run=True, subjects="{subject}")
    await on.ingest("b", cohort="ruled", subject_map={"00": "P1"})
    await on.ingest(cohort="d")
    [job] = await on.post("/jobs", {"cohort": "d", "source": "inbox", "again": True, "quiet_s": 60})
    for action in ("pause", "resume"):
        await on.client.post(f"/jobs/{job['id']}/{action}")  # it may be over already
    await on.post("/settle", cohort="d")
    await on.rest()
    file = await on.store["files"].find_one({"cohort": "c", "outcome": "extracted", "source": "inbox", "gone": False})
    assert file
    await on.store["files"].update_one({"_id": file["_id"]}, [{"$set": {"again_at": "$$NOW"}}])
    stack = await on.store["stacks"].find_one({"cohort": "c", "source": {"$exists": False}, "volume": {"$type": "object"}})
    assert stack
    await on.store["stacks"].update_one({"_id": stack["_id"]}, {"$set": {"classification.of.ruleset": "older rules"}})

    async def renewed() -> Any:
        return await on.store["stacks"].find_one({"_id": stack["_id"], "classification.of.ruleset": {"$ne": "older rules"}})

    await eventually(renewed, "the label is renewed")


async def things_come_by_other_ways(on: Journey) -> None:
    """A watched folder, an upload, what a dead gateway and a dead preprocessor left, a message that nobody can read."""
    for number in range(3):
        cohort.write(on.system.folder / f"watched/{number}.dcm", cohort.image("watched", number, study="w", patient="W"))
    answer = await on.client.post("/uploads", content=(on.inbox / "b/00").read_bytes(), params={"cohort": "up"})
    assert answer.status_code == 201, answer.text
    part = on.system.folder / f"uploads/.part/up.{ulid()}"
    part.mkdir(parents=True)
    os.utime(part, (0, 0))
    outputs = next(on.system.processed.glob("*/*/*_metadata.json"))
    about = json.loads(outputs.read_text())
    orphan = outputs.with_name("orphan_metadata.json")
    orphan.write_text(json.dumps({**about, "about": {**about["about"], "stack": "c/1.2.3/00"}}))
    os.utime(orphan, (0, 0))
    await on.system.bus.js.publish("gyrus.study.changed", b"{", stream="WORK")

    async def noticed() -> bool:
        letter = await on.store["dead_letters"].find_one({"stage": "classify"})
        watched = await on.store["files"].count_documents({"cohort": "w", "outcome": "extracted"})
        return bool(letter) and watched == 3 and not part.exists()

    await eventually(noticed, "all of it is noticed")
    await on.rest()


async def people_ask(on: Journey) -> None:
    """Every list by everything that it can be asked for, and every single document."""
    subject = (await on.store["studies"].find_one({"_id": STUDY}) or {})["subject"]
    of = {"subjects": {}, "studies": {"subject": subject}, "series": {"subject": subject, "study": STUDY}}
    for name, more in {**of, "stacks": {"subject": subject, "study": STUDY, "series": T1}}.items():
        for asked in ({}, {"cohort": "c"}, {"cohort": "up"}, *({level: id_} for level, id_ in more.items())):
            found = await on.pages(f"/{name}", **asked)
        await on.get(f"/{name}/{found[0]['id']}", phi=True)
    outcomes = ({}, {"outcome": "extracted"}, {"outcome": "duplicate"}, {"outcome": "rejected"}, {"reason": "empty_file"})
    for asked in outcomes:
        for where in ({}, {"cohort": "c"}, {"cohort": "up"}):
            await on.pages("/files", **asked, **where)
    for path in ("/jobs", "/deletions", "/corrections", "/dead-letters"):
        for where in ({}, {"cohort": "c"}) if path != "/dead-letters" else ({},):
            await on.pages(path, **where)
    for where in ({}, {"cohort": "c"}):
        for group in await on.get("/review", **where):
            await on.pages("/stacks", review_group=group["group"], **where)
    for where in ({}, {"cohort": "c"}, {"cohort": "ruled"}):
        await on.get("/status", phi=True, **where)
        await on.get("/failures", **where)


async def all_is_deleted(on: Journey) -> None:
    """A series, a study, a subject, a cohort; the folder is scanned again, and once more with `again`."""
    subject = (await on.store["studies"].find_one({"_id": STUDY}) or {})["subject"]
    await on.delete("series", T1)
    await on.delete("study", STUDY)
    await on.ingest()
    await on.ingest("a", again=True)
    await on.delete("subject", subject)
    await on.delete("cohort", "d")


async def everything_is_looked_at_again(on: Journey) -> None:
    """A restored backup; nobody is there to do what is owed then."""
    others = [room for room in on.system.rooms if room.name != "gateway" and room.process.poll() is None]
    for room in others:
        room.process.terminate()
    for room in others:
        room.process.wait(20)
    await on.post("/reconcile")


STEPS: tuple[Callable[[Journey], Awaitable[None]], ...] = (
    files_come, work_is_steered, things_come_by_other_ways, people_ask, all_is_deleted, everything_is_looked_at_again,
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operations(tmp_path_factory: pytest.TempPathFactory, mongo: Mongo) -> AsyncIterator[list[Operation]]:
    """All that the services asked on the journey."""
    folder: Path = tmp_path_factory.mktemp("plans")
    system = System(folder, mongo, GYRUS_UPLOADS=str(folder / "uploads"), **{**SWEEPS, **QUICK})
    for name in ("watched", "uploads"):
        (folder / name).mkdir()
    watched = {"path": str(folder / "watched"), "cohort": "w"}
    system.environment["GYRUS_SOURCES"] = json.dumps({"inbox": str(system.inbox), "watched": watched})
    await system.open()
    system.environment["GYRUS_MONGO_URL"] += f"&appName={plans.APPLICATION}"
    await ballast.put(system.store, "c")
    await plans.start(system.store)
    journey = Journey(system)
    try:
        for room in ("watcher", "extractor", "preprocessor"):
            system.start(room)
        system.start("classifier", crash={"classify.3": "raise"})
        await journey.start("gateway")
        for step in STEPS:
            await step(journey)
        yield await plans.stop(system.store)
    finally:
        await journey.client.aclose()
        await system.close()


# ── what is claimed ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whatever_the_services_ask_looks_at_little_else_and_every_index_has_its_question(operations: list[Operation]) -> None:
    """One claim, since one journey shows all of it; what is wrong is told with its plan."""
    excessive = [one for one in operations if not one.looks_at_little and one.about not in plans.ALLOWED]
    worst = {one.shape: str(one) for one in sorted(excessive, key=lambda one: max(one.keys, one.documents))}
    indexes = plans.made((collection, keys) for collection, keys, _ in INDEXES)

    wrong = {
        "looks at too much": sorted(worst.values()),
        "indexes without a question": sorted(indexes - plans.used(operations)),
        "exceptions that nobody asks for": sorted(map(str, plans.ALLOWED.keys() - {one.about for one in operations})),
        "collections that nobody asks": sorted({name for name, _, _ in INDEXES} - {one.collection for one in operations}),
    }
    assert not any(wrong.values()), wrong


ENTRY = {"ns": "d.files", "op": "query", "command": {"find": "files", "filter": {"cohort": "c"}}, "planSummary": "IXSCAN { cohort: 1 }"}


@pytest.mark.parametrize(
    ("entry", "little"),
    [
        ({"keysExamined": 5000, "docsExamined": 5000, "nreturned": 5000}, True),
        ({"keysExamined": 5000, "docsExamined": 5000, "nreturned": 50}, False),
        ({"keysExamined": 0, "docsExamined": 3, "nreturned": 3, "planSummary": "COLLSCAN"}, False),
        (
            {"keysExamined": 900, "docsExamined": 0, "nreturned": 0, "command": {"find": "files", "filter": {"_id": {"$in": ["x"] * 900}}}},
            True,
        ),
        ({"keysExamined": 5000, "docsExamined": 0, "nreturned": 1, "command": {"aggregate": "files", "pipeline": [{"$match": {}}]}}, True),
        ({"keysExamined": 5000, "docsExamined": 5000, "nreturned": 1, "command": {"aggregate": "files", "pipeline": [{}]}}, False),
        ({"keysExamined": 600, "docsExamined": 600, "nreturned": 600, "hasSortStage": True}, False),
        ({"op": "update", "command": {"q": {"_id": 1}, "u": {}}, "keysExamined": 600, "docsExamined": 600, "nMatched": 1}, False),
    ],
)
async def test_the_law_tells_what_looks_at_too_much(entry: dict[str, Any], little: bool) -> None:
    assert plans.operation({**ENTRY, **entry}).looks_at_little is little
