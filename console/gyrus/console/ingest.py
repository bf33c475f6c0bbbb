"""Starting jobs and waiting for them: what is asked of the gateway, how far it is, and what came of it."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gyrus.console import render
from gyrus.console.client import Gateway, is_loopback
from gyrus.console.records import NO_CODE
from gyrus.shared.errors import Away, Misuse
from gyrus.shared.subjects import NoRule, check_pattern, parse_map

Document = dict[str, Any]

OUTCOMES = ("extracted", "duplicate", "conflicting", "rejected", "unchanged")
GOING = ("working", "pausing", "cancelling")
ASK_EVERY_S = 0.3
PATIENCE_S = 600.0  # how long a gateway that does not answer is waited for
SAY_EVERY_S = 5.0  # where there is no terminal


def start(gateway: Gateway, cohort: str, folder: Path | None, **options: Any) -> list[Document]:
    """Start to ingest a folder as the servers see it, or without one all places that the cohort was fed from."""
    if options.get("subjects"):
        options["subjects"] = check_pattern(options["subjects"])
    if folder is not None and is_loopback(gateway.url) and not folder.exists():
        raise Misuse(f"There is no folder {folder}.")
    place = None if folder is None else os.path.abspath(folder)  # noqa: PTH100 - links are the servers' matter
    jobs: list[Document] = gateway.post("jobs", {"cohort": cohort, "folder": place, **options})
    return jobs


def read_map(file: Path | None) -> dict[str, str] | None:
    """The subject codes of a CSV file. Raises Misuse where it cannot be read, or is no such map."""
    if file is None:
        return None
    try:
        return parse_map(file.read_text("utf-8"))
    except OSError as error:
        raise Misuse(f"The subject map {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Misuse(f"The subject map {file} is not UTF-8: save it as “CSV UTF-8”.") from None
    except NoRule as error:
        raise Misuse(f"{file}: {error}") from None


def wait(gateway: Gateway, jobs: Sequence[Document], check: Callable[[], None] = lambda: None) -> list[Document]:
    """Until every job is done or failed; progress goes to standard error. `check` may raise, to end the waiting."""
    with Shown() as shown:
        answered = time.monotonic()
        while True:
            check()
            try:
                jobs = [gateway.get(f"jobs/{job['id']}") for job in jobs]
                answered = time.monotonic()
                shown.update(jobs)
            except Away as away:
                if time.monotonic() - answered > PATIENCE_S:
                    raise
                shown.say(f"waiting: {away}")
            if not any(job["state"] in GOING for job in jobs):  # a paused job waits for a person, and nobody for it
                return list(jobs)
            time.sleep(ASK_EVERY_S)


def wait_unless_interrupted(gateway: Gateway, jobs: Sequence[Document]) -> list[Document]:
    """The same; Ctrl-C ends the waiting, not the jobs."""
    try:
        return wait(gateway, jobs)
    except KeyboardInterrupt:
        print("no longer waiting; the servers go on. `gyrus status` shows how far they are.", file=sys.stderr)
        raise typer.Exit(1) from None


def started(job: Document) -> str:
    """What is said of a job that nobody waits for."""
    return f"job {job['id']} started; `gyrus status --cohort {job['cohort']}` shows how far it is"


class Shown:
    """How far it is, on standard error: a bar on a terminal, else now and then a line."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), BarColumn(30), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("starting", total=None)
        self._said, self._line = time.monotonic(), ""
        self._most: dict[str, int] = {}

    def __enter__(self) -> "Shown":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def update(self, jobs: Sequence[Document]) -> None:
        """Work that is done, of all work that is known so far; the cohort's debts are the same in each of its jobs."""
        owed: dict[str, int] = jobs[0]["owed"]
        for stage, count in owed.items():
            self._most[stage] = max(self._most.get(stage, 0), count)
        known = sum(self._most.values())
        self._bar.update(self._task, total=known or None, completed=known - sum(owed.values()))
        self.say(line_of(jobs))

    def say(self, line: str) -> None:
        """Show one line."""
        self._bar.update(self._task, description=line)
        if self._bar.disable and line != self._line and time.monotonic() - self._said > SAY_EVERY_S:
            self._said, self._line = time.monotonic(), line
            print(line, file=sys.stderr, flush=True)


def line_of(jobs: Sequence[Document]) -> str:
    """How far some jobs are, in a line."""
    progress = [job["progress"] or {} for job in jobs]
    seen = f"{sum(one.get('seen', 0) for one in progress)} files seen"
    if jobs[0]["state"] in ("watching", "waiting"):
        seen = f"{progress[0].get('announced', 0)} files announced"
    owed = ", ".join(f"{stage} {count}" for stage, count in jobs[0]["owed"].items())
    waits = f"; waits for: {', '.join(jobs[0]['waiting_for'])}" if jobs[0]["waiting_for"] else ""
    return f"{seen}{_pace_of(progress)}; to do: {owed or 'nothing'}{waits}"


def _pace_of(progress: Sequence[Document]) -> str:
    """How many of how many are done, how many a second, and how long it will take; empty where none is under way."""
    going = [one for one in progress if one.get("files_per_s")]
    if not going or any(one.get("total") is None for one in going):
        return ""
    done, total, rate = (sum(one[name] for one in going) for name in ("done", "total", "files_per_s"))
    if done >= total:
        return ""
    left = str(timedelta(seconds=round(max(one["left_s"] for one in going))))
    return f", {done} of {total} done, {rate:.0f} files/s, about {left} left"


def tell_folders(gateway: Gateway, jobs: Sequence[Document], json: bool) -> None:
    """What dry runs found: each subject folder with its number of files."""
    for job in jobs:
        found = gateway.get(f"jobs/{job['id']}", phi=True)
        totals, folders = found["totals"], found["folders"]
        if json:
            render.lines(folders)
            continue
        rows = [{**one, "folder": one["folder"] or "(in no folder)", "subject": one["subject"] or "from PatientID"} for one in folders]
        render.table(rows, ["folder", "subject", "files"])
        print(f"{totals['seen']} files in {totals['folders']} subject folders; {totals['unchanged']} are known already; nothing was read")


def sum_of(job: Document) -> str:
    """What a job's files came to: `seen 5 = extracted 3 + duplicate 1 + …`."""
    totals = job["totals"] or {}
    if job["options"].get("dry_run"):
        return f"dry run: {totals['seen']} files in {totals['folders']} subject folders, {totals['unchanged']} known already"
    names = [*OUTCOMES, *(name for name in ("unsettled", "deleted") if totals.get(name))]
    text = f"seen {totals.get('seen', 0)} = " + " + ".join(f"{name} {totals.get(name, 0)}" for name in names)
    skipped = ", ".join(f"{count} × {what}" for what, count in (job["skipped"] or {}).items())
    return text + (f"   (skipped: {skipped})" if skipped else "")


def unmapped_of(job: Document) -> str:
    """How many of a job's files have a subject rule that gives them no code, and who names their folders; empty where none."""
    if not (count := (job["totals"] or {}).get("unmapped")):
        return ""
    return f"{count} {NO_CODE}. `gyrus status --cohort {job['cohort']} --phi` names them."


def trouble_of(job: Document) -> str:
    """Why a job failed, and what to do."""
    failure, count = job["failure"], (job["totals"] or {}).get("unaccounted", 0)
    if failure:
        return f"job {job['id']} failed: {failure['error']} {failure['advice']}"
    files = "1 file has" if count == 1 else f"{count} files have"
    why = "the work on them failed. `gyrus failures` tells why; mend the cause, then `gyrus retry`"
    return f"job {job['id']} failed: {files} no outcome, for {why}. {sum_of(job)}"
