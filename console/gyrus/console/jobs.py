"""Commands that list jobs and steer their scans."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gyrus.console.options import DATA, CohortOnly, Data, Json, Key, Url, command, open_gateway

if TYPE_CHECKING:
    pass

Document = dict[str, Any]
Job = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job; `gyrus jobs` lists them.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    _add_jobs(app)
    _add_action(app, "pause", "Pause the scan of a job; what it announced is still read.")
    _add_action(app, "resume", "Go on with the scan of a paused job.")
    _add_action(app, "cancel", "End the scan of a job; what it announced is still read.")


def _add_jobs(app: typer.Typer) -> None:
    @command(app, "jobs", "List jobs: how far they are, and what they came to.", "jobs", "jobs --cohort trial --json")
    def jobs(cohort: CohortOnly = None, json: Json = False, url: Url = None, key: Key = None, data: Data = DATA) -> None:
        """List jobs."""
        from gyrus.console import render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            found = list(gateway.pages("jobs", cohort=cohort))
        if json:
            render.lines(found)
        else:
            render.table([_row(job) for job in found], ["job", "cohort", "source", "state", "files"], wraps=["files"])


def _row(job: Document) -> Document:
    from gyrus.console import ingest  # noqa: PLC0415

    going = job["state"] in ("working", "paused", "watching", "waiting")
    return {**job, "job": job["id"], "files": ingest.line_of([job]) if going or not job["totals"] else ingest.sum_of(job)}


def _add_action(app: typer.Typer, action: str, what: str) -> None:
    @command(app, action, what, f"{action} 01JD2Q8V7M4T1W9Z3X5Y7A6B8C")
    def act(job: Job, json: Json = False, url: Url = None, key: Key = None, data: Data = DATA) -> None:
        """Steer a job."""
        from gyrus.console import render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            answer = gateway.post(f"jobs/{job}/{action}")
        if json:
            render.lines([answer])
        else:
            print(f"job {job} is {answer['state']}")
