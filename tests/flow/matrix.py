"""The kill matrix: files arrive in a watched folder while services, nats-server and mongod are killed with `kill -9` at random."""

import asyncio
import contextlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flow.conftest import mongod
from flow.system import ROOMS, SWEEPS, Room, System, eventually

VICTIMS = (*ROOMS, *ROOMS, "nats-server", "nats-server and its store", "mongod")
WATCH = {"GYRUS_WATCH_EVERY_S": "0.3", "GYRUS_STABLE_S": "0.5", "GYRUS_WATCH_WHOLE_S": "30"}


async def run(folder: Path, files: Sequence[tuple[Path, str]], waves: int, kills: random.Random | None, gap_s: float) -> dict[str, Any]:
    """Deliver files ((where they are, their path in the inbox)) in waves, and come to rest; the dump.

    kills: who is killed when, from the first wave on, everybody at least once; None: nobody. gap_s: seconds between two kills.
    """
    folder.mkdir()
    with mongod(folder / "mongo") as mongo:
        system = System(folder, mongo, **SWEEPS, **WATCH, GYRUS_BATCH_FILES=str(max(len(files) // 200, 4)))
        system.environment["GYRUS_SOURCES"] = json.dumps({"inbox": {"path": str(system.inbox), "cohort": "c"}})
        await system.open()
        try:
            killer = Killer(system, kills, gap_s) if kills else None
            return await _deliver_and_rest(system, files, waves, killer)
        finally:
            await system.close()


async def _deliver_and_rest(system: System, files: Sequence[tuple[Path, str]], waves: int, killer: "Killer | None") -> dict[str, Any]:
    rooms = {name: system.start(name) for name in ROOMS}
    killing = asyncio.create_task(killer.kill(rooms)) if killer else None
    for wave in _parts(files, waves):
        await asyncio.to_thread(_link, wave, system.inbox)
        await asyncio.sleep(1)  # files take their time to arrive
    if killing and killer:
        await eventually(killer.is_through, "everybody was killed once", patience_s=3600)
        await killer.end(killing)
        print(f"killed: {dict(killer.killed)}")
    await eventually(lambda: _all_known(system, len(files)), "every file has its outcome, nothing is owed", patience_s=3600)
    await system.no_orphans()
    assert await system.failures() == []
    return await system.dump()


def _parts(files: Sequence[tuple[Path, str]], count: int) -> Iterator[Sequence[tuple[Path, str]]]:
    size = -(-len(files) // count)
    return (files[start : start + size] for start in range(0, len(files), size))


def _link(files: Sequence[tuple[Path, str]], inbox: Path) -> None:
    for file, path in files:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, inbox / path)
        except OSError:  # another disk
            shutil.copy2(file, inbox / path)


async def _all_known(system: System, files: int) -> bool:
    known = await system.store["files"].count_documents({"outcome": {"$ne": None}})
    return known == files and not await system.owed() and not await system.store["files"].find_one({"unsettled": {"$exists": True}})


class Killer:
    """Kills somebody every now and then, and starts them again."""

    def __init__(self, system: System, chance: random.Random, gap_s: float, victims: Sequence[str] = VICTIMS) -> None:
        self.system, self.chance, self.gap_s, self.victims = system, chance, gap_s, victims
        self.killed: Counter[str] = Counter()
        self._busy = asyncio.Lock()

    async def kill(self, rooms: dict[str, Room]) -> None:
        """For good; everybody has a turn before anybody has a second one."""
        while True:
            for victim in self.chance.sample(self.victims, len(self.victims)):
                await self.pause(self.chance.uniform(0.3, 1.7))
                async with self._busy:
                    await self.kill_one(victim, rooms)
                self.killed[victim] += 1

    async def pause(self, gaps: float) -> None:
        """Between two kills."""
        await asyncio.sleep(gaps * self.gap_s)

    async def kill_one(self, victim: str, rooms: dict[str, Room]) -> None:
        """Kill and start again."""
        await asyncio.to_thread(self._kill, victim, rooms)

    async def is_through(self) -> bool:
        return all(self.killed[victim] for victim in self.victims)

    async def end(self, killing: asyncio.Task[None]) -> None:
        """End the killing, once whoever was just killed is there again."""
        async with self._busy:
            killing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killing

    def _kill(self, victim: str, rooms: dict[str, Room]) -> None:
        if victim in rooms:
            rooms[victim].kill()
            rooms[victim] = self.system.start(victim)
            return
        server = self.system.mongo if victim == "mongod" else self.system.nats
        assert server.process
        server.process.kill()
        server.process.wait()
        if victim == "nats-server and its store":
            shutil.rmtree(self.system.nats.store)
        server.start()
