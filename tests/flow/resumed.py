"""A job over many files whose watcher, extractor, workers and servers are killed with `kill -9` at random, and what must hold of it.

The laws: every file has the outcome that is known beforehand; no header is read after the file's receipt was stored; what is read again
was in hand at a kill; the memory of watcher, extractor and workers does not grow with what is done.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow.conftest import mongod
from flow.harm import workers_of
from flow.many_files import Expected, write_many
from flow.matrix import Killer
from flow.openings import READ, Opening, Openings
from flow.system import Room, System, eventually
from gyrus.extractor.settings import ExtractorSettings
from gyrus.shared import debts

VICTIMS = ("watcher", "extractor", "worker", "mongod", "nats-server")
SETTINGS = {"GYRUS_ACK_WAIT_S": "6", "GYRUS_SWEEP_EVERY_S": "2", "GYRUS_SWEEP_AFTER_S": "30", "GYRUS_QUIET_S": "1"}
OUTCOMES = ("extracted", "duplicate", "conflicting", "rejected")
BATCH = 64  # files
IN_HAND = BATCH * int(ExtractorSettings.model_fields["read_batches"].default)  # files that are being read at once
MOST_MB = 256  # of one process, however many files
AT_ONCE_S = 1.0  # a batch that is delivered twice may be read twice at the same time: neither reader finds a receipt
PATIENCE_S = 7200
LOOK_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many files; somebody is killed whenever `gap_files` or so were opened, and who and when is left to chance."""

    files: int
    gap_files: int
    chance: random.Random


@dataclass
class Memory:
    """Resident memory of each process of the rooms, looked at again and again: (when in s, kind of process, MB)."""

    seen: list[tuple[float, str, int]] = field(default_factory=list)

    async def watch(self, rooms: dict[str, Room]) -> None:
        """For good."""
        while True:
            for name, pid in await asyncio.to_thread(lambda: list(_processes(rooms))):
                with contextlib.suppress(OSError):
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    self.seen.append((time.monotonic(), name, pages * os.sysconf("SC_PAGE_SIZE") >> 20))
            await asyncio.sleep(LOOK_S)

    def peaks(self, since_s: float = 0, until_s: float = float("inf")) -> dict[str, int]:
        """The most that a process of each kind held in a time."""
        most: dict[str, int] = {}
        for at_s, name, mb in self.seen:
            if since_s <= at_s < until_s:
                most[name] = max(mb, most.get(name, 0))
        return most


def _processes(rooms: dict[str, Room]) -> Iterator[tuple[str, int]]:
    for name, room in list(rooms.items()):
        yield name, room.process.pid
    for worker in workers_of(rooms["extractor"]):
        yield "worker", worker


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a job. stored_ns: when the receipt of each file was stored, by path, on the clock of the openings."""

    expected: Expected
    outcomes: Expected
    totals: dict[str, int]
    images_of_stacks: int
    openings: list[Opening]
    stored_ns: dict[str, int]
    killed: Counter[str]
    memory: Memory
    seconds: float

    def check(self) -> None:
        """What must hold whoever was killed."""
        files = self.expected.total()
        expected = {name: sum(n for (outcome, _), n in self.expected.items() if outcome == name) for name in OUTCOMES}
        assert self.outcomes == self.expected, self.outcomes
        assert self.totals.items() >= {**expected, "seen": files, "unaccounted": 0, "unchanged": 0}.items(), self.totals
        assert self.images_of_stacks == self.expected["extracted", None], self.images_of_stacks
        assert {opening.path for opening in self.openings} == self.stored_ns.keys()
        assert self.read_although_stored() == []
        assert self.read_again() <= self.killed.total() * IN_HAND, self.read_again()

    def reads(self) -> list[Opening]:
        """The openings for the header."""
        return [opening for opening in self.openings if opening.by == READ]

    def read_again(self) -> int:
        """How many headers were read again: their reader was killed, or what it wrote to was."""
        return len(self.reads()) - self.expected.total()

    def read_although_stored(self) -> list[str]:
        """What was read later than its receipt was stored, and by how much."""
        late = [(read.path, (read.at_ns - self.stored_ns[read.path]) / 1e9) for read in self.reads()]
        return [f"{path}: {late_s:.1f} s" for path, late_s in late if late_s > AT_ONCE_S]

    def half_time_s(self) -> float:
        """When half of the receipts were stored."""
        return sorted(self.stored_ns.values())[len(self.stored_ns) // 2] / 1e9

    def told(self) -> str:
        """The figures, in lines."""
        files, half = self.expected.total(), self.half_time_s()
        lines = [
            f"{files} files in {self.seconds:.0f} s ({files / self.seconds:.0f} a second); killed: {dict(self.killed)}",
            f"headers: {len(self.reads())} openings, {self.read_again()} of files that were in hand at a kill, "
            f"{len(self.read_although_stored())} of files with a receipt; pixels: {len(self.openings) - len(self.reads())} openings",
        ]
        first, second = self.memory.peaks(until_s=half), self.memory.peaks(half)
        lines += [f"peak memory of {name}: {mb} MB in the first half, {second.get(name, 0)} MB in the second" for name, mb in first.items()]
        return "\n".join(lines)


class ByProgress(Killer):
    """Kills after so many openings, not after a time; workers too."""

    def __init__(self, system: System, plan: Plan, openings: Openings) -> None:
        super().__init__(system, plan.chance, 0, VICTIMS)
        self._gap_files, self._openings = plan.gap_files, openings

    async def pause(self, gaps: float) -> None:
        """Until so many more files were opened."""
        until = self._openings.count() + gaps * self._gap_files

        async def are_opened() -> bool:
            return self._openings.count() >= until

        await eventually(are_opened, "more files are opened", PATIENCE_S)

    def _kill(self, victim: str, rooms: dict[str, Room]) -> None:
        if victim != "worker":
            super()._kill(victim, rooms)
        elif workers := workers_of(rooms["extractor"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.chance.choice(workers), signal.SIGKILL)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def run(folder: Path, plan: Plan) -> Run:
    """Ingest files in one job while somebody is killed again and again, until it has its totals."""
    folder.mkdir()
    with mongod(folder / "mongo") as mongo:
        system = System(folder, mongo, **SETTINGS)
        openings = Openings(folder / "opened.log", system.inbox)
        system.environment |= openings.environment
        expected = await asyncio.to_thread(write_many, system.inbox, plan.files)
        await system.open()
        try:
            return await _ingest(system, openings, expected, ByProgress(system, plan, openings))
        finally:
            await system.close()


async def _ingest(system: System, openings: Openings, expected: Expected, killer: ByProgress) -> Run:
    rooms = {name: system.start(name) for name in ("watcher", "extractor")}
    memory = Memory()
    watching, killing = asyncio.create_task(memory.watch(rooms)), asyncio.create_task(killer.kill(rooms))
    started = time.monotonic()
    job = await system.ingest(batch_files=BATCH)

    async def is_read() -> bool:
        if killing.done():
            killing.result()
        return await _is_read(system, job)

    await eventually(is_read, "every file is read", PATIENCE_S)
    await killer.end(killing)
    await eventually(lambda: _is_done(system, job), "the job has its totals", PATIENCE_S)
    seconds = time.monotonic() - started
    watching.cancel()
    assert await system.failures() == []
    return Run(
        expected=expected,
        outcomes=await _outcomes(system),
        totals=(await system.store["jobs"].find_one({"_id": job}) or {})["totals"],
        images_of_stacks=sum([stack["n_images"] async for stack in system.store["stacks"].find({"retired": {"$ne": True}})]),
        openings=list(openings),
        stored_ns=await _stored_ns(system),
        killed=killer.killed,
        memory=memory,
        seconds=seconds,
    )


async def _is_read(system: System, job: str) -> bool:
    with contextlib.suppress(Exception):  # mongod was killed
        found = await system.store["jobs"].find_one({"_id": job, **debts.is_owed("scan")}, {"_id": 1})
        return not found and not await system.store["batches"].find_one({}, {"_id": 1})
    return False


async def _is_done(system: System, job: str) -> bool:
    return not await system.store["jobs"].find_one({"_id": job, "open": True}, {"_id": 1})


async def _outcomes(system: System) -> Expected:
    group = {"$group": {"_id": {"outcome": "$outcome", "reason": "$reason"}, "n": {"$sum": 1}}}
    return Counter({(row["_id"]["outcome"], row["_id"].get("reason")): row["n"] async for row in system.store["files"].aggregate([group])})


async def _stored_ns(system: System) -> dict[str, int]:
    """When each file's document was inserted, by mongod's log of operations, whose clock is that of this machine."""
    files = system.store["files"]
    space, behind_ns = f"{files.database.name}.{files.name}", time.time_ns() - time.monotonic_ns()
    stored: dict[str, int] = {}
    query: dict[str, Any] = {"$or": [{"ns": space, "op": "i"}, {"o.applyOps": {"$elemMatch": {"ns": space, "op": "i"}}}]}
    async for entry in files.database.client["local"]["oplog.rs"].find(query):
        inserted = entry["o"].get("applyOps", [entry])
        for one in inserted:
            if (one["ns"], one["op"]) == (space, "i"):
                stored.setdefault(one["o"]["path"], int(entry["wall"].timestamp() * 1e9) - behind_ns)
    return stored
