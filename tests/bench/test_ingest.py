"""From announced files to settled stacks: gyrus, gyrus without its walk, and the naive program in turn. Printed, never asserted."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.designs import Given, begin_by_pydicom, run_gyrus, run_naive
from bench.harness import Took, median, print_table, print_versions, spread

ROUNDS = int(os.environ.get("GYRUS_BENCH_ROUNDS", "3"))
WORKERS = [int(count) for count in os.environ.get("GYRUS_BENCH_WORKERS", "1,4,8,16,32").split(",")]
ONE_PROCESS = {f"naive, {count} worker{'s' * (count > 1)}": (count, 1) for count in WORKERS}
NAIVE = {**ONE_PROCESS, "further: naive, two processes of 8 workers": (8, 2)}
BY_PYDICOM = "gyrus, pydicom in place of the walk"
KNOWN = {"the same folder again": "files", "the same files in another folder": "copies"}
PASSES = {"first": "files", **KNOWN}
SERVERS = ("nats-server", "mongod")
Runs = Mapping[str, Sequence[Took]]
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def check_passes(passes: Sequence[Took], count: int) -> None:
    """The second pass found nothing new, the third no further instance."""
    first, again, copies = passes
    assert sum(first.outcomes.values()) == count
    assert "None" not in first.outcomes, "a file is not settled"
    assert (again.outcomes, again.stacks) == (first.outcomes, first.stacks)
    assert sum(copies.outcomes.values()) == 2 * count
    assert copies.outcomes.get("extracted") == first.outcomes.get("extracted"), "a copy is no instance of its own"


def times(runs: Sequence[Took], ours: Sequence[Took]) -> list[float]:
    """Wall time of each run, as a multiple of ours in the same round."""
    return [run.seconds / mine.seconds for run, mine in zip(runs, ours, strict=True)]


def cpus(runs: Sequence[Took], ours: Sequence[Took]) -> list[float]:
    """CPU of each run, as a multiple of ours in the same round."""
    return [run.all_cpu_s / mine.all_cpu_s for run, mine in zip(runs, ours, strict=True)]


def print_comparison(took: Runs, count: int) -> None:
    """Ratios are those of the runs of one round; all figures are medians."""
    ours = took["gyrus"]
    rows = []
    for design, runs in took.items():
        servers = [1000 * sum(run.cpu_s.get(name, 0) for name in SERVERS) / count for run in runs]
        services = [1000 * run.all_cpu_s / count - server for run, server in zip(runs, servers, strict=True)]
        figures = [spread([count / run.seconds for run in runs], 0), spread(times(runs, ours))]
        figures += [f"{median(services):.1f}", f"{median(servers):.1f}", spread(cpus(runs, ours))]
        rows.append([design, *figures, runs[0].stacks, runs[0].outcomes.get("rejected", 0)])
    head = [
        "design",
        "files/s",
        "time, gyrus = 1",
        "CPU of services, ms/file",
        "CPU of servers, ms/file",
        "CPU of both, gyrus = 1",
        "stacks",
        "rejected",
    ]
    print_table(f"{count:,} files, medians of {ROUNDS} rounds (smallest–largest)", head, rows)
    best = min(ONE_PROCESS, key=lambda design: median(run.seconds for run in took[design]))
    print(f"\nThe best of the naive program in one process: {best}, {spread(times(took[best], ours))} times as long as gyrus.")


def print_processes(took: Runs, count: int) -> None:
    """CPU of the runs by process; for each column its runs."""
    names = dict.fromkeys(name for runs in took.values() for run in runs for name in run.cpu_s)
    rows = [[name, *(f"{median(1000 * run.cpu_s.get(name, 0) / count for run in runs):.2f}" for runs in took.values())] for name in names]
    print_table("CPU by process, ms/file", ["process", *took], rows)


def print_passes(took: Runs, count: int) -> None:
    first = took["first"]
    rows = []
    for name, runs in took.items():
        cpu = [1000 * run.all_cpu_s / count for run in runs]
        rows.append([name, spread([run.seconds for run in runs], 2), spread(times(first, runs)), spread(cpu, 2), spread(cpus(first, runs))])
    head = ["scan", "until settled, s", "first pass, this one = 1", "CPU of all, ms/file", "first pass's CPU, this one's = 1"]
    print_table("Files that gyrus knows", head, rows)


async def test_from_announced_files_to_settled_stacks(tmp_path: Path, given: Given) -> None:
    took: dict[str, list[Took]] = defaultdict(list)
    known: dict[str, list[Took]] = defaultdict(list)
    for turn in range(ROUNDS):
        passes = await run_gyrus(tmp_path / f"gyrus-{turn}", given, list(PASSES.values()))
        check_passes(passes, given.count)
        for name, one in zip(PASSES, passes, strict=True):
            known[name].append(one)
        took["gyrus"].append(passes[0])
        took[BY_PYDICOM] += await run_gyrus(tmp_path / f"pydicom-{turn}", given, start=begin_by_pydicom)
        assert took[BY_PYDICOM][-1].digest == passes[0].digest, "both ways to read come to the same"
        for number, (name, (workers, processes)) in enumerate(NAIVE.items()):
            took[name].append(await run_naive(tmp_path / f"naive-{turn}-{number}", given, workers, processes))
            assert sum(took[name][-1].outcomes.values()) == given.count
    print_versions(given.mongo)
    print_comparison(took, given.count)
    by_process = {name: took[name] for name in ("gyrus", BY_PYDICOM)} | {f"gyrus, {name}": known[name] for name in KNOWN}
    print_processes(by_process, given.count)
    print_passes(known, given.count)
