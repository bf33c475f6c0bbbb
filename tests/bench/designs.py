"""The designs that are compared, each run from nothing: empty streams, an empty database, a hundred other files, then the clock."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.extractor_by_pydicom import BY
from bench.harness import NaiveRun, Took, cpu_by_name, opened, since, time_to_settle
from flow.system import System
from gyrus.console.servers import Mongo
from gyrus.shared.ids import digest
from gyrus.shared.store import Store

OTHERS = "others"  # the cohort of the files that are read before the clock starts
TESTS = Path(__file__).parents[1]
Begin = Callable[[System], dict[str, int]]


@dataclass(frozen=True)
class Given:
    """Where the runs take place, and what they read; `copies`: the same files in another place, with the same times."""

    mongo: Mongo
    few: Path
    files: Path
    copies: Path

    @property
    def count(self) -> int:
        """How many files are measured."""
        return count_files(self.files)


def count_files(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


# ── gyrus ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(system: System) -> dict[str, int]:
    """Watcher and extractor as in production; the process of each."""
    return {name: system.start(name).process.pid for name in ("watcher", "extractor")}


def begin_by_pydicom(system: System) -> dict[str, int]:
    """The same with an extractor that reads every file by pydicom."""
    port = str(system._ports.get("by pydicom"))
    extractor = system.start("extractor", module="bench.extractor_by_pydicom", GYRUS_HTTP_PORT=port)
    return {"watcher": system.start("watcher").process.pid, "extractor": extractor.process.pid}


def headers_read(system: System) -> set[str]:
    """By what the extractor of `begin_by_pydicom` has read headers, as its metrics say."""
    text = httpx.get(f"http://127.0.0.1:{system._ports.get_known('by pydicom')}/metrics", trust_env=False).text
    return {line.split('"')[1] for line in text.splitlines() if line.startswith("gyrus_headers_total{")}


async def run_gyrus(folder: Path, given: Given, passes: Sequence[str] = ("files",), start: Begin = begin) -> list[Took]:
    """Scans of these sources (`files`, `copies`), one after the other: each from the request to settled stacks."""
    system = await opened(folder, given.mongo, {"few": given.few, "files": given.files, "copies": given.copies})
    try:
        leaders = start(system)
        await time_to_settle(system, "few", OTHERS)
        took = [await scanned(system, leaders, source) for source in passes]
        if start is begin_by_pydicom:
            assert headers_read(system) == {BY}, "the walk was not replaced"
        return took
    finally:
        await system.close()


async def scanned(system: System, leaders: dict[str, int], source: str) -> Took:
    """What a scan took, and what there is then."""
    seconds, cpu = await timed(system, leaders, source)
    return Took(seconds=seconds, cpu_s=cpu, **await made(system.store))


async def timed(system: System, leaders: dict[str, int], source: str, path: str = "") -> tuple[float, dict[str, float]]:
    """Wall time of a scan in s, and CPU in s by process."""
    before = cpu_by_name(system, leaders)
    seconds = await time_to_settle(system, source, path=path)
    return seconds, since(before, cpu_by_name(system, leaders))


async def made(store: Store) -> dict[str, Any]:
    """Files by outcome, how many stacks, and a digest of what each of them is."""
    fields = {"outcome": 1, "reason": 1, "digest": 1, "source": 1}
    files = [file async for file in store["files"].find({"cohort": "bench"}, fields).sort("_id")]
    stacks = [stack async for stack in store["stacks"].find({"cohort": "bench"}, {"version": 1}).sort("_id")]
    outcomes = dict(Counter(str(file["outcome"]) for file in files))
    return {"outcomes": outcomes, "stacks": len(stacks), "digest": digest([files, stacks])}


# ── the naive program ────────────────────────────────────────────────────────────────────────────────────────────────


async def run_naive(folder: Path, given: Given, workers: int, processes: int) -> Took:
    """The naive program, from the request to the last upsert."""
    system = await opened(folder, given.mongo, {"files": given.files})
    run = NaiveRun(system, given.mongo, workers, processes)
    database = system.store["files"].database.client[run.database]
    try:
        await run.start()
        leaders = {f"naive {number}": process.pid for number, process in enumerate(run.processes)}
        await run.time_to_store(given.few, count_files(given.few), OTHERS)
        before = cpu_by_name(system, leaders)
        seconds = await run.time_to_store(given.files, given.count)
        cpu = since(before, cpu_by_name(system, leaders))
        outcomes = Counter([file["outcome"] async for file in database["instances"].find({"cohort": "bench"}, {"outcome": 1})])
        stacks = await database["stacks"].count_documents({"cohort": "bench"})
        return Took(seconds=seconds, cpu_s=cpu, outcomes=dict(outcomes), stacks=stacks)
    finally:
        run.stop()
        await database.client.drop_database(run.database)
        await system.close()
