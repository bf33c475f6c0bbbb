"""From announced files to receipts and settled stacks: gyrus and the naive program in turn. Printed, never asserted."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.harness import NaiveRun, Took, cpu_by_name, median, opened, print_table, since, spread, time_to_settle
from gyrus.console.servers import Mongo

ROUNDS = int(os.environ.get("GYRUS_BENCH_ROUNDS", "3"))
NAIVE = {"naive, 8 workers": (8, 1), "naive, 1 worker": (1, 1), "naive, 8 workers, 2 processes": (8, 2)}
SERVERS = ("nats-server", "mongod")
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def count_files(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


async def run_gyrus(folder: Path, mongo: Mongo, few: Path, files: Path) -> tuple[Took, float]:
    """A first scan, and the seconds of a second one of the same folder."""
    system = await opened(folder, mongo, {"few": few, "files": files})
    try:
        leaders = {name: system.start(name).process.pid for name in ("watcher", "extractor")}
        await time_to_settle(system, "few")
        known = await system.store["stacks"].count_documents({})
        before = cpu_by_name(system, leaders)
        seconds = await time_to_settle(system, "files")
        cpu = since(before, cpu_by_name(system, leaders))
        assert await system.store["files"].count_documents({"outcome": None}) == 0
        assert await system.store["files"].estimated_document_count() == count_files(few) + count_files(files)
        stacks = await system.store["stacks"].count_documents({}) - known
        return Took(seconds=seconds, cpu_s=cpu, stacks=stacks), await time_to_settle(system, "files")
    finally:
        await system.close()


async def run_naive(folder: Path, mongo: Mongo, few: Path, files: Path, name: str) -> Took:
    system = await opened(folder, mongo, {"files": files})
    run = NaiveRun(system, mongo, *NAIVE[name])
    database = system.store["files"].database.client[run.database]
    try:
        await run.start()
        leaders = {f"naive {number}": process.pid for number, process in enumerate(run.processes)}
        await run.time_to_store(few, count_files(few))
        known = await database["stacks"].count_documents({})
        before = cpu_by_name(system, leaders)
        seconds = await run.time_to_store(files, count_files(files))
        cpu = since(before, cpu_by_name(system, leaders))
        return Took(seconds=seconds, cpu_s=cpu, stacks=await database["stacks"].count_documents({}) - known)
    finally:
        run.stop()
        await database.client.drop_database(run.database)
        await system.close()


def print_comparison(took: dict[str, list[Took]], count: int) -> None:
    """Ratios are those of the runs of one round; all figures are medians."""
    ours = took["gyrus"]
    rows = []
    for design, runs in took.items():
        servers = [1000 * sum(run.cpu_s.get(name, 0) for name in SERVERS) / count for run in runs]
        cpu = [1000 * sum(run.cpu_s.values()) / count for run in runs]
        services = [all_ - server for all_, server in zip(cpu, servers, strict=True)]
        times = [run.seconds / mine.seconds for run, mine in zip(runs, ours, strict=True)]
        cpus = [sum(run.cpu_s.values()) / sum(mine.cpu_s.values()) for run, mine in zip(runs, ours, strict=True)]
        figures = [spread([count / run.seconds for run in runs], 0), spread(times), f"{median(services):.1f}", f"{median(servers):.1f}"]
        rows.append([design, *figures, spread(cpus), runs[0].stacks])
    head = [
        "design",
        "files/s",
        "time, gyrus = 1",
        "CPU of services, ms/file",
        "CPU of servers, ms/file",
        "CPU of both, gyrus = 1",
        "stacks",
    ]
    print_table(f"{count:,} files, medians of {ROUNDS} rounds (smallest–largest)", head, rows)


def print_processes(runs: Sequence[Took], count: int) -> None:
    names = dict.fromkeys(name for run in runs for name in run.cpu_s)
    rows = [[name, f"{median(1000 * run.cpu_s.get(name, 0) / count for run in runs):.2f}"] for name in names]
    print_table("CPU of gyrus by process", ["process", "CPU, ms/file"], rows)


async def test_from_announced_files_to_settled_stacks(tmp_path: Path, mongo: Mongo, few: Path, files: Path) -> None:
    took: dict[str, list[Took]] = defaultdict(list)
    again_s = []
    for turn in range(ROUNDS):
        first, again = await run_gyrus(tmp_path / f"gyrus-{turn}", mongo, few, files)
        took["gyrus"].append(first)
        again_s.append(again)
        for number, name in enumerate(NAIVE):
            took[name].append(await run_naive(tmp_path / f"naive-{turn}-{number}", mongo, few, files, name))
    count = count_files(files)
    print_comparison(took, count)
    print_processes(took["gyrus"], count)
    ratios = [first.seconds / again for first, again in zip(took["gyrus"], again_s, strict=True)]
    row = [f"{median(run.seconds for run in took['gyrus']):.1f}", spread(again_s, 2), spread(ratios)]
    print_table("The same folder again", ["first scan to settled stacks, s", "again, s", "ratio"], [row])
