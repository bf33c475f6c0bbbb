"""What every measurement needs: gyrus and the naive program as in production, CPU of their processes, medians, rows of Markdown."""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pymongo
from faststream.nats import NatsBroker

from bench import naive
from flow.system import System
from gyrus.console.servers import Mongo, start_process, stop_process
from gyrus.gateway.models import JobRequest
from gyrus.gateway.settings import GatewaySettings
from gyrus.shared.settings import Settings
from gyrus.shared.store import Store

POLL_S = 0.02
PATIENCE_S = 1800
SETTINGS = {**Settings.model_fields, **GatewaySettings.model_fields}
TEST_SETTINGS = ("ack_wait_s", "retry_s", "quiet_s", "sweep_every_s", "sweep_after_s")  # which the tests' System has changed
PRODUCTION = {f"GYRUS_{name.upper()}": str(SETTINGS[name].default) for name in TEST_SETTINGS}
TICKS_PER_S = 100  # of /proc/PID/stat: USER_HZ


@dataclass(frozen=True, kw_only=True)
class Took:
    """What one run took: wall time in s, CPU in s by process; and what it came to: files by outcome, stacks, a digest of both."""

    seconds: float
    cpu_s: dict[str, float]
    outcomes: dict[str, int]
    stacks: int
    digest: str = ""

    @property
    def all_cpu_s(self) -> float:
        """CPU of all processes, in s."""
        return sum(self.cpu_s.values())


async def until(claim: Callable[[], Awaitable[Any]], what: str) -> float:
    """Wait until a claim holds; the moment (monotonic, s)."""
    deadline = time.monotonic() + PATIENCE_S
    while not await claim():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        await asyncio.sleep(POLL_S)
    return time.monotonic()


# ── gyrus ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def opened(folder: Path, mongo: Mongo, sources: dict[str, Path]) -> System:
    """Servers and an empty database for one run, with the settings of production."""
    folder.mkdir(parents=True)
    places = json.dumps({name: str(path) for name, path in sources.items()})
    return await System(folder, mongo, **PRODUCTION, GYRUS_SOURCES=places).open()


async def start_job(system: System, source: str, cohort: str = "bench", path: str = "") -> str:
    """Ask for a scan, as the gateway does."""
    [job] = await system.steering.start_jobs(JobRequest(cohort=cohort, source=source, path=path))
    return str(job["_id"])


async def is_scanned(store: Store, job: str) -> bool:
    return not await store["jobs"].find_one({"_id": job, "owed.scan.since": {"$exists": True}}, {"_id": 1})


async def is_settled(store: Store, job: str) -> bool:
    """Scanned, all batches read, all series settled: asked in this order, since each owes the next before it is paid."""
    if not await is_scanned(store, job):
        return False
    for stage, collection in (("read", "batches"), ("settle", "series")):
        if await store[collection].find_one({f"owed.{stage}.since": {"$exists": True}}, {"_id": 1}):
            return False
    return True


async def time_to_settle(system: System, source: str, cohort: str = "bench", path: str = "") -> float:
    """Seconds from the request of a job to its receipts and settled stacks."""
    started = time.monotonic()
    job = await start_job(system, source, cohort, path)
    return await until(lambda: is_settled(system.store, job), "the job is settled") - started


# ── the naive program ────────────────────────────────────────────────────────────────────────────────────────────────


class NaiveRun:
    """The naive program, in one process or several, on the servers of a System and in a database of its own."""

    def __init__(self, system: System, mongo: Mongo, workers: int, processes: int) -> None:
        self.system, self.database = system, f"{system.environment['GYRUS_MONGO_DATABASE']}-naive"
        servers = ["--nats", system.nats.url, "--mongo", mongo.url, "--database", self.database]
        command = [sys.executable, naive.__file__, *servers, "--workers", str(workers)]
        self.logs = [system.folder / f"naive-{number}.log" for number in range(processes)]
        self.processes = [start_process(command, log) for log in self.logs]
        self.announced = 0

    async def start(self) -> None:
        async def all_ready() -> bool:
            for process, log in zip(self.processes, self.logs, strict=True):
                assert process.poll() is None, log.read_text()[-3000:]
            return all("ready" in log.read_text() for log in self.logs)

        await until(all_ready, "the naive program is ready")

    async def time_to_store(self, folder: Path, files: int, cohort: str = "bench") -> float:
        """Seconds from the request to the last upsert: every file was announced, and no event is left."""
        self.announced += files

        async def is_stored() -> bool:
            state = (await self.system.bus.js.stream_info(naive.STREAM)).state
            return state.last_seq == self.announced and state.messages == 0

        started = time.monotonic()
        async with NatsBroker(self.system.nats.url, logger=None) as broker:
            await broker.publish(naive.Ingest(cohort=cohort, folder=str(folder)), naive.INGEST)
            return await until(is_stored, "the naive program stored everything") - started

    def stop(self) -> None:
        for process in self.processes:
            stop_process(process, 5)


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def cpu_s(leaders: Iterable[int]) -> float:
    """CPU that the sessions of these processes have used, children that ended included, in s."""
    sessions = set(leaders)
    stats = (_stat(entry) for entry in Path("/proc").glob("[0-9]*/stat"))
    return sum(_ticks(fields) for fields in stats if fields and int(fields[3]) in sessions) / TICKS_PER_S


def own_cpu_s(process: int) -> float:
    """CPU of one process alone, in s."""
    return _ticks(_stat(Path(f"/proc/{process}/stat"))) / TICKS_PER_S


def _ticks(fields: Sequence[str]) -> int:
    return sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime


def _stat(entry: Path) -> list[str]:
    """What follows the name of a process in its stat; empty if it ended."""
    try:
        return entry.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def peak_mb(process: int) -> float:
    """The largest resident memory that a process has had, in MB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


def cpu_by_name(system: System, leaders: dict[str, int]) -> dict[str, float]:
    """CPU so far in s: of each service, of its workers if it has any, of the servers."""
    assert system.nats.process and system.mongo.process
    used = {}
    for name, leader in leaders.items():
        used[name] = own_cpu_s(leader)
        used[f"workers of {name}"] = cpu_s([leader]) - used[name]
    return used | {"nats-server": cpu_s([system.nats.process.pid]), "mongod": cpu_s([system.mongo.process.pid])}


def since(before: dict[str, float], now: dict[str, float]) -> dict[str, float]:
    """What was used meanwhile, by name; those that used nothing are left out."""
    return {name: now[name] - before[name] for name in now if now[name] > before[name]}


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median, and in brackets the smallest and the largest."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def print_versions(mongo: Mongo, *others: str) -> None:
    """What was measured, on what."""
    with pymongo.MongoClient[dict[str, Any]](mongo.url) as client:
        servers = [f"mongod {client.server_info()['version']}", naming("nats-server", "--version")]
    packages = [f"{name} {version(name)}" for name in ("pydicom", "motor", "pymongo", "faststream", "nats-py")]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"\n{'; '.join([machine, *packages, *servers, *others])}")


def naming(*command: str) -> str:
    """The first line of what a program says of its version; the virtual environment's own programs are found first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    said = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "PATH": path}).stdout
    return said.strip().partition("\n")[0]


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table of Markdown, to be copied into docs/performance.md."""
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
