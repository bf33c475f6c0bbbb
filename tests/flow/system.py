"""A whole gyrus for a test: real servers, real processes, a database of its own; rooms are started, killed and stalled at will."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from flow.dump import dump
from flow.nursery import Forked, importing_tests, nursery
from gyrus.console.servers import Mongo, Nats, Ports, start_process
from gyrus.gateway.models import JobRequest
from gyrus.gateway.settings import GatewaySettings
from gyrus.gateway.steering import Steering
from gyrus.shared import debts
from gyrus.shared.bus import Bus
from gyrus.shared.settings import Settings
from gyrus.shared.sources import Sources
from gyrus.shared.store import Store
from gyrus.shared.topology import STAGES

ROOMS = ("watcher", "extractor", "classifier", "preprocessor")
PATIENCE_S = 60
NO_SWEEPS = {"GYRUS_SWEEP_EVERY_S": "0", "GYRUS_OUTPUTS_SWEEP_S": "0"}
SWEEPS = {"GYRUS_SWEEP_EVERY_S": "0.3", "GYRUS_SWEEP_AFTER_S": "1", "GYRUS_OUTPUTS_SWEEP_S": "0.5"}


async def eventually(claim: Callable[[], Awaitable[Any]], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until a claim holds; its value."""
    deadline = time.monotonic() + patience_s
    while not (value := await claim()):
        assert time.monotonic() < deadline, f"not within {patience_s:.0f} s: {what}"
        await asyncio.sleep(0.05)
    return value


class Room:
    """One service process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes] | Forked, log: Path) -> None:
        self.name, self.process, self.log = name, process, log

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)

    async def dies(self) -> None:
        """It ends by itself, by SIGKILL (an armed crash point)."""

        async def dead() -> bool:
            return self.process.poll() is not None

        await eventually(dead, f"the {self.name} reaches its crash point")
        assert self.process.returncode == -signal.SIGKILL, self.log.read_text()[-2000:]


class System:
    """Servers, a source folder, and what a test does with them.

    by_fork: rooms are forked from a process that has imported already what they import, unless they are to start in another way.
    """

    by_fork = True

    def __init__(self, folder: Path, mongo: Mongo, **environment: str) -> None:
        self.folder, self.mongo = folder, mongo
        ports = Ports(folder)
        self.nats = Nats(folder / "nats", ports.get("nats"), ports.get("monitor"))
        self.inbox, self.processed = folder / "inbox", folder / "processed"
        self.inbox.mkdir()
        self.processed.mkdir()
        self._ports = ports
        self.environment = {
            "GYRUS_NATS_URL": self.nats.url,
            "GYRUS_MONGO_URL": mongo.url,
            "GYRUS_MONGO_DATABASE": f"t{secrets.token_hex(6)}",
            "GYRUS_SOURCES": json.dumps({"inbox": str(self.inbox)}),
            "GYRUS_PROCESSED": str(self.processed),
            "GYRUS_SUBJECT_KEY": "a secret for tests only",
            "GYRUS_API_KEY": "a key for tests only",
            "GYRUS_ACK_WAIT_S": "2",
            "GYRUS_RETRY_S": "0.05",
            "GYRUS_OUTPUTS_GRACE_S": "0",
            "GYRUS_QUIET_S": "0.3",
            **NO_SWEEPS,
            **environment,
        }
        self.rooms: list[Room] = []
        self._count = 0

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self) -> "System":
        self.nats.start()
        settings = Settings.model_validate({k.removeprefix("GYRUS_").lower(): _decoded(v) for k, v in self.environment.items()})
        gateway = GatewaySettings.model_validate({k.removeprefix("GYRUS_").lower(): _decoded(v) for k, v in self.environment.items()})
        self.store, self.bus = Store(settings), Bus(settings)
        await self.bus.connect()
        await self.bus.ensure()
        await self.store.ensure()
        self.steering = Steering(self.store, self.bus, Sources(settings), gateway)
        return self

    async def close(self) -> None:
        for room in self.rooms:
            if room.process.poll() is None:
                room.kill()
        await self.bus.close()
        self.nats.stop()
        await self.store.drop()
        self.store.close()

    def start(
        self, name: str, crash: dict[str, str] | None = None, under: Sequence[str] = (), module: str = "", **environment: str
    ) -> Room:
        """Start a room; `crash` arms named points, `under` is a command that starts it, `module` one that stands in for the room's own."""
        self._count += 1
        log = self.folder / f"{name}-{self._count}.log"
        own = {"GYRUS_CRASH_POINTS": json.dumps(crash or {}), "GYRUS_HTTP_PORT": str(self._ports.get(f"{name}-{self._count}"))}
        chosen = {**self.environment, **own, **(importing_tests() if module else {}), **environment}
        environment = {**os.environ, **chosen}
        if self.by_fork and not under and not module and "PYTHONPATH" not in chosen:
            room = Room(name, nursery().fork(name, log, environment), log)
        else:
            room = Room(name, start_process([*under, sys.executable, "-m", module or f"gyrus.{name}"], log, environment), log)
        self.rooms.append(room)
        return room

    def start_all(self, but: str = "", **environment: str) -> dict[str, Room]:
        return {name: self.start(name, **environment) for name in ROOMS if name != but}

    def stall(self, point: str) -> "Stall":
        """How to arm a point so that it stalls until it is let go."""
        return Stall(point, self.folder / f"stall-{point}-{secrets.token_hex(2)}")

    # ── work ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def ingest(self, path: str = "", cohort: str = "c", **options: Any) -> str:
        """Start a job; its id."""
        request = JobRequest(cohort=cohort, source="inbox", path=path, batch_files=options.pop("batch_files", 3), **options)
        [job] = await self.steering.start_jobs(request)
        return str(job["_id"])

    async def owed(self) -> dict[str, int]:
        counts = {s.name: await self.store[s.collection].count_documents(debts.is_owed(s.name)) for s in STAGES.values()}
        return {stage: count for stage, count in counts.items() if count}

    async def failures(self) -> list[Any]:
        return [d["failure"] for s in STAGES.values() async for d in self.store[s.collection].find({"failure": {"$exists": True}})]

    async def at_rest(self, patience_s: float = PATIENCE_S) -> None:
        """Nothing is owed, every job has its totals, nobody removes anything any more."""

        async def rests() -> bool:
            for room in self.rooms:
                code = room.process.poll()
                assert code in (None, 0, -signal.SIGKILL), f"the {room.name} ended with {code}: {room.log.read_text()[-3000:]}"
            return not await self.owed() and not await self.store["jobs"].find_one({"open": True})

        try:
            await eventually(rests, "the system comes to rest", patience_s)
        except AssertionError as error:
            waiting = {s.name: [d["_id"] async for d in self.store[s.collection].find(debts.is_owed(s.name))] for s in STAGES.values()}
            raise AssertionError(f"{error}; owed: {waiting}; failures: {await self.failures()}") from None

    async def dump(self) -> dict[str, Any]:
        return await dump(self.store, self.processed)

    async def no_orphans(self) -> None:
        async def none() -> bool:
            return not (await self.dump())["outputs that no volume names"]

        await eventually(none, "outputs that no volume names are removed")

    def lose_nats(self) -> None:
        """kill -9 of nats-server, and its store removed."""
        assert self.nats.process
        self.nats.process.kill()
        self.nats.process.wait()
        shutil.rmtree(self.nats.store)


class Stall:
    """A point that stalls its process: `reached` when it does, until `go`."""

    def __init__(self, point: str, flag: Path) -> None:
        self.flag = flag
        self.crash = {point: f"stall {flag}"}

    async def reached(self) -> None:
        async def there() -> bool:
            return self.flag.with_suffix(".reached").exists()

        await eventually(there, f"{self.flag.name} is reached")

    def go(self) -> None:
        self.flag.with_suffix(".go").touch()


def _decoded(value: str) -> Any:
    return json.loads(value) if value.startswith("{") else value
