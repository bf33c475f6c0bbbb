"""The same files through programs of others: dcm2niix's sidecars, and Orthanc until they are searchable. Printed, never asserted."""

import json
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bench.designs import TESTS, Given, begin, run_gyrus
from bench.harness import Took, median, naming, print_table, print_versions, spread
from bench.outside import Delivery, Orthanc, Ran, dcm2niix, names_of, orthanc, pin, pinned, ran, write_sidecars
from bench.test_ingest import ROUNDS, SERVERS
from flow.system import System
from gyrus.dicom.reader import Header, read

CORE = max(os.sched_getaffinity(0))
SIDECARS, READING, EVERYTHING = "dcm2niix -b o", "gyrus, headers read", "gyrus, everything stored and settled"
WAYS: dict[str, Callable[[Orthanc, Path], Delivery]] = {"dcmsend": Orthanc.by_dcmsend, "REST": Orthanc.by_rest}
NAMED = 10  # files that are named where one program refuses them
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def read_all(files: str) -> str:
    """Headers of all files of a folder, in this process: JSON of wall time and CPU in s, how many headers, which files are refused."""
    names, started, before = names_of(Path(files)), time.monotonic(), time.process_time()
    refused = [name for name in names if not isinstance(read(Path(files, name)), Header)]
    took = {"seconds": time.monotonic() - started, "cpu_s": time.process_time() - before}
    return json.dumps({**took, "headers": len(names) - len(refused), "refused": refused})


def read_on_one_core(files: Path, log: Path) -> tuple[Ran, int, list[str]]:
    code = f"from bench.test_outside import read_all; print(read_all({str(files)!r}))"
    once = json.loads(ran(["taskset", "-c", str(CORE), sys.executable, "-c", code], log, TESTS).text)
    return Ran(seconds=once["seconds"], cpu_s=once["cpu_s"], text=""), once["headers"], once["refused"]


def begin_on_one_core(system: System) -> dict[str, int]:
    """Watcher and extractor on one core, nats-server too; mongod is there already."""
    assert system.nats.process
    pin(system.nats.process.pid, {CORE})
    return {name: system.start(name, under=["taskset", "-c", str(CORE)]).process.pid for name in ("watcher", "extractor")}


def print_refused(refused: Mapping[str, Sequence[str]]) -> None:
    """Which files each program refused."""
    for program, names in refused.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        print(f"\nRefused by {program}: {len(names)}{': ' if names else ''}{', '.join(names[:NAMED])}{more}")


# ── dcm2niix ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def print_one_core(took: Mapping[str, Sequence[Ran | Took]], came: Mapping[str, str], count: int) -> None:
    def cpu_ms(run: Ran | Took) -> float:
        return 1000 * (run.all_cpu_s if isinstance(run, Took) else run.cpu_s) / count

    rows = []
    for name, runs in took.items():
        ratios = [cpu_ms(run) / cpu_ms(theirs) for run, theirs in zip(runs, took[SIDECARS], strict=True)]
        per_core = [1000 / cpu_ms(run) for run in runs]
        wall = spread([count / run.seconds for run in runs], 0)
        rows.append([name, wall, spread([cpu_ms(run) for run in runs], 2), f"{median(per_core):,.0f}", spread(ratios), came[name]])
    head = ["on one core", "files/s", "CPU, ms/file", "files per second of CPU", "CPU, dcm2niix = 1", "came to"]
    print_table(f"{count:,} files on one core, medians of {ROUNDS} rounds", head, rows)


async def test_against_dcm2niix_that_writes_sidecars_only(tmp_path: Path, given: Given) -> None:
    program = dcm2niix()
    if program is None:
        pytest.skip("dcm2niix is not on the path: docs/performance.md says how to install it")
    took: dict[str, list[Ran | Took]] = defaultdict(list)
    assert given.mongo.process
    for turn in range(ROUNDS):
        sidecars, found, written = write_sidecars(program, given.files, tmp_path / f"dcm2niix-{turn}", CORE)
        reading, headers, refused = read_on_one_core(given.files, tmp_path / "reading.log")
        with pinned(given.mongo.process.pid, CORE):
            [stored] = await run_gyrus(tmp_path / f"gyrus-{turn}", given, start=begin_on_one_core)
        for name, run in {SIDECARS: sidecars, READING: reading, EVERYTHING: stored}.items():
            took[name].append(run)
    assert headers == given.count - stored.outcomes.get("rejected", 0)
    came = {SIDECARS: f"{written} sidecars of {found:,} images", READING: f"{headers:,} headers"}
    came[EVERYTHING] = f"{sum(stored.outcomes.values()):,} receipts, {stored.stacks} stacks"
    print_versions(given.mongo, naming(str(program), "--version"))
    print_one_core(took, came, given.count)
    print_refused({"gyrus": refused})


# ── Orthanc ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def delivered(folder: Path, way: str, files: Path) -> tuple[Delivery, Delivery]:
    """The files twice, into an empty Orthanc."""
    with orthanc(folder) as server:
        first, second = WAYS[way](server, files), WAYS[way](server, files)
    assert (second.instances, second.refused) == (first.instances, first.refused)
    return first, second


def print_deliveries(ours: Sequence[Took], theirs: Mapping[str, Sequence[Delivery]], title: str, count: int) -> None:
    def cpu_ms(run: Delivery) -> float:
        return 1000 * (run.server_cpu_s + run.sender_cpu_s) / count

    mine = [1000 * run.all_cpu_s / count for run in ours]
    servers = [1000 * sum(run.cpu_s.get(name, 0) for name in SERVERS) / count for run in ours]
    services = median(all_ - server for all_, server in zip(mine, servers, strict=True))
    one = "1.0"
    rate = spread([count / run.seconds for run in ours], 0)
    rows: list[list[object]] = [["gyrus", rate, one, f"{services + median(servers):.1f}", "–", one, ours[0].outcomes.get("extracted", 0)]]
    for name, runs in theirs.items():
        times = [run.seconds / own.seconds for run, own in zip(runs, ours, strict=True)]
        cpus = [cpu_ms(run) / own for run, own in zip(runs, mine, strict=True)]
        ends = [f"{median(1000 * getattr(run, end) / count for run in runs):.1f}" for end in ("server_cpu_s", "sender_cpu_s")]
        rows.append([name, spread([count / run.seconds for run in runs], 0), spread(times), *ends, spread(cpus), runs[0].instances])
    head = ["design", "files/s", "time, gyrus = 1", "CPU, ms/file", "of the sender, ms/file", "CPU of all, gyrus = 1", "instances"]
    print_table(title, head, rows)


async def test_against_orthanc_until_searchable(tmp_path: Path, given: Given) -> None:
    missing = [program for program in ("Orthanc", "dcmsend") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not on the path: docs/performance.md says how to install them")
    ours: dict[str, list[Took]] = defaultdict(list)
    theirs: dict[str, dict[str, list[Delivery]]] = {"first": defaultdict(list), "second": defaultdict(list)}
    for turn in range(ROUNDS):
        first, again = await run_gyrus(tmp_path / f"gyrus-{turn}", given, ("files", "copies"), begin)
        ours["first"].append(first)
        ours["second"].append(again)
        for way in WAYS:
            for delivery, run in zip(theirs, delivered(tmp_path / f"orthanc-{way}-{turn}", way, given.files), strict=True):
                theirs[delivery][f"Orthanc by {way}"].append(run)
    print_versions(given.mongo, naming("Orthanc", "--version"), naming("dcmsend", "--version"))
    titles = {"first": "first delivery", "second": "second delivery, to gyrus as files in another folder"}
    for delivery, title in titles.items():
        print_deliveries(ours[delivery], theirs[delivery], f"{given.count:,} files, {title}, medians of {ROUNDS} rounds", given.count)
    print_refused({name: runs[0].refused for name, runs in theirs["first"].items()})
