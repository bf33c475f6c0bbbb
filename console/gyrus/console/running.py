"""`gyrus up` as a person meets it: start, say where everything is, bring in the sample cohort, live, stop in order."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from gyrus.console import ingest, render
from gyrus.console.client import Gateway
from gyrus.console.signals import asked_to_stop, ignore
from gyrus.console.up import Address, Up
from gyrus.shared.errors import Away, GyrusError, Misuse

Document = dict[str, Any]
COHORT = "sample"


def run(data: Path, sample: bool, once: bool, inbox: tuple[Path, str] | None = None) -> int:
    """Up until it is told to stop, or with `once` until the sample is in; the exit code. inbox: a folder to watch, and its cohort."""
    with asked_to_stop():
        system = Up(data, watch=inbox)
        try:
            return _live(system, sample, once)
        except KeyboardInterrupt:
            _note("asked to stop")
            return int(once)
        finally:
            ignore()
            if system.services:
                _note("stopping …")
            system.stop()


def _live(system: Up, sample: bool, once: bool) -> int:
    _note(f"starting gyrus in {system.data} …")
    address = system.start()
    _tell(system, address)
    code = bring_sample(system, address) if sample else 0
    if once:
        return code
    _note("up; Ctrl-C stops it")
    why = system.wait()
    _note(why)
    return int(bool(system.ended()))


def _tell(system: Up, address: Address) -> None:
    key = "GYRUS_API_KEY of the environment" if "GYRUS_API_KEY" in os.environ else system.data / "key"
    for name, what in (("gateway", address.url), ("key", key), ("data", system.data), ("logs", system.data / "logs")):
        print(f"{name:8} {what}", flush=True)
    if system.watched:
        folder, cohort = system.watched
        print(f"watched  {folder} → cohort {cohort}; `gyrus status` and `gyrus stacks --cohort {cohort}` show what came", flush=True)


def bring_sample(system: Up, address: Address) -> int:
    """Write the sample cohort where it is not there, ingest it, show every stack and what came of the files; 1 if anything failed."""
    folder = system.data / "sample"
    if not folder.exists():
        write_sample(folder)

    def check() -> None:
        if ended := system.ended():
            raise Away(ended)

    with Gateway(address) as gateway:
        try:
            jobs = ingest.wait(gateway, ingest.start(gateway, COHORT, folder), check)
        except Away as away:  # asked while a part was ending: say which
            raise GyrusError(system.ended() or str(away)) from None
        render.stacks(rows_of(gateway, cohort=COHORT))
        return tell_jobs(gateway, jobs)


def tell_jobs(gateway: Gateway, jobs: list[Document]) -> int:
    """What came of some jobs; 1 if one failed, or work on their cohort did."""
    for job in jobs:
        print(ingest.trouble_of(job) if job["state"] == "failed" else ingest.sum_of(job), flush=True)
        if job["state"] != "done":
            _note(f"job {job['id']} is {job['state']}")
        if told := ingest.unmapped_of(job):
            _note(told)
    failed: dict[str, int] = gateway.get("status", cohort=jobs[0]["cohort"])["failures"] if jobs else {}
    if failed:
        told = ", ".join(f"{stage} {count}" for stage, count in failed.items())
        _note(f"some work failed ({told}): `gyrus failures` says what to do, `gyrus retry` tries again")
    return int(bool(failed) or any(job["state"] != "done" for job in jobs))


def rows_of(gateway: Gateway, review_group: str | None = None, **question: Any) -> list[Document]:
    """Stacks as tables show them: with the number of their series."""
    series = {one["id"]: one.get("series_fields", {}).get("series_number") for one in gateway.pages("series", **question)}
    stacks = gateway.pages("stacks", review_group=review_group, **question)
    return [{**one, "series_number": series.get(one["id"].rpartition("/")[0])} for one in stacks]


def write_sample(folder: Path) -> Document:
    """Write the sample cohort, whole or not at all; what it holds. Raises Misuse where it cannot be written."""
    try:
        from gyrus.console.sample import NoTemplate  # noqa: PLC0415 - numpy and pydicom, only when asked for
        from gyrus.console.sample import write_sample as write  # noqa: PLC0415
    except ImportError as error:
        raise Misuse(f"The sample cohort needs {error.name}. Type: pip install 'gyrus[sample]'") from None
    _note(f"writing the sample cohort to {folder} …")
    part = folder.with_name(f".{folder.name}.part")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Misuse(f"{folder} holds something, and the sample cohort overwrites nothing: name a new folder.")
        shutil.rmtree(part, ignore_errors=True)
        summary = write(part)
        part.replace(folder)
    except (NoTemplate, NotADirectoryError, PermissionError) as error:
        raise Misuse(str(error)) from None
    held = {name: getattr(summary, name) for name in ("files", "series", "subjects", "bytes")}
    _note(f"{summary.files} files, {summary.series} series of {summary.subjects} subjects, {summary.bytes / 1e6:.0f} MB")
    return {"folder": str(folder), **held}


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
