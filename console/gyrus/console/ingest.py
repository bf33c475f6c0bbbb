"""Starting jobs and waiting for them: what is asked of the gateway, how far it is, and what came of it."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gyrus.console.client import Gateway, is_loopback
from gyrus.shared.errors import Away, Misuse

Document = dict[str, Any]

OUTCOMES = ("extracted", "duplicate", "conflicting", "rejected", "unchanged")
ASK_EVERY_S = 0.3
PATIENCE_S = 600.0  # how long a gateway that does not answer is waited for
SAY_EVERY_S = 5.0  # where there is no terminal


def start(gateway: Gateway, cohort: str, folder: Path | None, **options: Any) -> list[Document]:
    """Start to ingest a folder as the servers see it, or without one all places that the cohort was fed from."""
    if folder is not None and is_loopback(gateway.url) and not folder.exists():
        raise Misuse(f"There is no folder {folder}.")
    place = None if folder is None else os.path.abspath(folder)  # noqa: PTH100 - links are the servers' matter
    jobs: list[Document] = gateway.post("jobs", {"cohort": cohort, "folder": place, **options})
    return jobs


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
            if all(job["state"] != "working" for job in jobs):
                return list(jobs)
            time.sleep(ASK_EVERY_S)


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
    seen = sum((job["progress"] or {}).get("seen", 0) for job in jobs)
    owed = ", ".join(f"{stage} {count}" for stage, count in jobs[0]["owed"].items())
    return f"{seen} files seen; to do: {owed or 'nothing'}"


def sum_of(job: Document) -> str:
    """What a job's files came to: `seen 5 = extracted 3 + duplicate 1 + …`."""
    totals = job["totals"] or {}
    names = [*OUTCOMES, *(name for name in ("unsettled", "deleted") if totals.get(name))]
    text = f"seen {totals.get('seen', 0)} = " + " + ".join(f"{name} {totals.get(name, 0)}" for name in names)
    skipped = ", ".join(f"{count} × {what}" for what, count in (job["skipped"] or {}).items())
    return text + (f"   (skipped: {skipped})" if skipped else "")


def trouble_of(job: Document) -> str:
    """Why a job failed, and what to do."""
    failure = job["failure"] or {}
    return f"job {job['id']} failed: {failure.get('error', 'unknown')} {failure.get('advice', '')}".strip()
