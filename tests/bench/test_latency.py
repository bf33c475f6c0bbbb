"""From a file that is seen to its label and its volume. Printed, never asserted."""

import time
from pathlib import Path

import pytest

from bench.harness import median, opened, print_table, start_job, until
from flow import cohort
from flow.system import System
from gyrus.console.servers import Mongo

SERIES, SLICES = 10, 20
STEPS = {
    "headers are stored": {},
    "stacks are settled": {},
    "labelled": {"classification": {"$exists": True}},
    "volume": {"volume": {"$exists": True}},
}
pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]


def drop(inbox: Path, name: str) -> None:
    """A T1 of 20 slices of 32 × 32 pixels; a study and a subject of its own."""
    for number in range(SLICES):
        cohort.write(inbox / name / f"{number:02}.dcm", cohort.image(name, number, study=name, patient=name))


async def follow(system: System, name: str) -> list[float]:
    """Seconds from the request to scan one new folder to each of the steps."""
    started = time.monotonic()
    await start_job(system, "inbox", path=name)
    series = f"bench/{cohort.uid(name)}"
    reached = []

    async def is_stored() -> bool:
        return await system.store["files"].count_documents({"series": series}) == SLICES

    reached.append(await until(is_stored, "headers are stored") - started)
    for step in list(STEPS)[1:]:
        wanted = {"series": series, **STEPS[step]}
        reached.append(await until(lambda wanted=wanted: system.store["stacks"].find_one(wanted, {"_id": 1}), step) - started)
    return reached


async def test_from_a_file_seen_to_its_label_and_its_volume(tmp_path: Path, mongo: Mongo) -> None:
    inbox = tmp_path / "system" / "inbox"
    system = await opened(tmp_path / "system", mongo, {"inbox": inbox})
    try:
        system.start_all()
        drop(inbox, "warm")
        await follow(system, "warm")
        seconds = []
        for number in range(SERIES):
            drop(inbox, f"series-{number}")
            seconds.append(await follow(system, f"series-{number}"))
        volumes = await system.store["stacks"].count_documents({"volume.outputs": {"$exists": True}})
    finally:
        await system.close()
    rows = [
        [step, f"{median(column):.2f}", f"{min(column):.2f}", f"{max(column):.2f}"]
        for step, column in zip(STEPS, zip(*seconds, strict=True), strict=True)
    ]
    title = f"From the request to scan a folder with one new series of {SLICES} slices, median of {SERIES}; {volumes} have a volume"
    print_table(title, ["until", "median, s", "smallest", "largest"], rows)
