"""Commands that speak to a gateway."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gyrus.console import correcting, deleting, reviewing
from gyrus.console.options import DATA, CohortOnly, Data, Json, Key, Url, command, open_gateway
from gyrus.shared.errors import Misuse

if TYPE_CHECKING:
    from gyrus.console.client import Gateway

Document = dict[str, Any]
Phi = Annotated[bool, typer.Option("--phi", help="Also paths, which may name persons; the read is audited.")]
RETRIED = "scan, read, settle, classify, preprocess, diff, apply or delete"
MOST_TOLD = 5  # stacks that are named when several begin alike


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for add in (_add_ingest, _add_status, _add_stacks, _add_show, _add_rejects, _add_failures, _add_retry, _add_reconcile):
        add(app)
    deleting.register(app)
    reviewing.register(app)
    correcting.register(app)


def _named(text: str) -> Path:
    """A path; an empty one is a variable that was not set."""
    if not text:
        raise typer.BadParameter("it is empty: name a folder, `.` for this one")
    return Path(text)


def _add_ingest(app: typer.Typer) -> None:
    @command(
        app,
        "ingest",
        "Ingest a folder as the servers see it; without one, all places that the cohort was fed from.",
        "ingest /data/trial --cohort trial --wait",
        "ingest --cohort trial                    look again: only what is new or changed is opened",
        "ingest --cohort trial --no-resume        open everything again",
        "ingest /data/trial --dry-run             list subject folders and how many files they hold; nothing is read",
        "ingest /data/trial --subjects '*/{subject}'          the second folder level names the subject",
        "ingest /data/trial --subject-map codes.csv           folder,subject: which folder has which code",
    )
    def ingest_(  # noqa: PLR0913 - typer: a parameter an option
        folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder.", parser=_named, show_default=False)] = None,
        *,
        cohort: Annotated[str, typer.Option("--cohort", "-c", help="Where its stacks belong.")] = "default",
        workers: Annotated[int, typer.Option(min=1, max=64, help="Files read at once, at most; services keep to their own number.")] = 4,
        batch_size: Annotated[int | None, typer.Option(min=1, max=1000, help="Files in one batch.", show_default="the watcher's")] = None,
        resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Leave alone what did not change, or open it again.")] = True,
        include: Annotated[list[str] | None, typer.Option(help="Only files with such a name, or path if it has a `/`.")] = None,
        exclude: Annotated[list[str] | None, typer.Option(help="No files with such a name, or path if it has a `/`.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list subject folders, and how many files they hold.")] = False,
        subjects: Annotated[
            str | None,
            typer.Option(metavar="PATTERN", help="Which folder below DIR names the subject; '' for none.", show_default="as before"),
        ] = None,
        subject_map: Annotated[
            Path | None, typer.Option(metavar="FILE.csv", help="Subject codes by folder: folder,subject.", show_default="as before")
        ] = None,
        wait: Annotated[bool, typer.Option("--wait", help="Until everything is read, labelled and preprocessed.")] = False,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Start jobs, and wait for them if asked."""
        from gyrus.console import ingest  # noqa: PLC0415

        coded = {"subjects": subjects, "subject_map": ingest.read_map(subject_map)}
        with open_gateway(url, key, data) as gateway:
            options = {"workers": workers, "batch_files": batch_size, "again": not resume, "dry_run": dry_run, **coded}
            jobs = ingest.start(gateway, cohort, folder, **options, include=include or [], exclude=exclude or [])
            if dry_run:
                ingest.tell_folders(gateway, ingest.wait(gateway, jobs), json)
            else:
                _wait_or_leave(gateway, jobs, wait, json)


def _wait_or_leave(gateway: "Gateway", jobs: list[Document], wait: bool, json: bool) -> None:
    from gyrus.console import ingest, render, running  # noqa: PLC0415

    for note in sorted({job["note"] for job in jobs if job.get("note")}):
        print(note, file=sys.stderr)
    if wait:
        jobs = ingest.wait_unless_interrupted(gateway, jobs)
    if json:
        render.lines(jobs)
    elif wait:
        running.tell_jobs(gateway, jobs)
    else:
        for job in jobs:
            print(ingest.started(job))
    if any(job["state"] == "failed" for job in jobs):
        raise typer.Exit(1)


def _add_status(app: typer.Typer) -> None:
    @command(app, "status", "What is there, what is still to do, what failed.", "status", "status --cohort trial --json")
    def status(
        cohort: CohortOnly = None,
        phi: Phi = False,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Show an overview."""
        from gyrus.console import render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            found = gateway.get("status", cohort=cohort, phi=phi or None)
        if json:
            render.lines([found])
        else:
            render.status(found)


def _add_stacks(app: typer.Typer) -> None:
    @command(app, "stacks", "List stacks with their labels and volumes.", "stacks --cohort trial", "stacks --csv > stacks.csv")
    def stacks(
        cohort: CohortOnly = None,
        json: Json = False,
        csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a header.")] = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """List stacks."""
        from gyrus.console import records, render, running  # noqa: PLC0415

        if json and csv:
            raise typer.BadParameter("--json or --csv, not both")
        with open_gateway(url, key, data) as gateway:
            if json:
                render.lines(records.ordered(stack) for stack in gateway.pages("stacks", cohort=cohort))
            elif csv:
                render.sheet(records.ordered(stack) for stack in gateway.pages("stacks", cohort=cohort))
            else:
                render.stacks(running.rows_of(gateway, cohort=cohort))


def _add_show(app: typer.Typer) -> None:
    @command(
        app, "show", "Show one stack: what it is, why its label, what became of it.", "show 7f3a12bc", "show 1.2.840.113619.2.5 --json"
    )
    def show(
        stack: Annotated[str, typer.Argument(metavar="STACK", help="The beginning of its short name, its id, or its series UID.")],
        cohort: CohortOnly = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Show one stack."""
        from gyrus.console import records, render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            found = gateway.get(f"stacks/{only_stack(gateway.pages('stacks', cohort=cohort), stack)}")
        if json:
            render.lines([records.ordered(found)])
        else:
            render.stack(found)


def only_stack(stacks: Iterable[Document], named: str) -> str:
    """The id of the one stack that a name begins, or is. Raises Misuse where there is none, or several."""
    from gyrus.console.records import handle_of  # noqa: PLC0415

    found: list[str] = []
    for stack in stacks:
        names = (stack["id"], handle_of(stack["id"]), stack["series_uid"])
        if named in names[:2]:
            return str(stack["id"])
        if any(name.startswith(named) for name in names):
            found.append(stack["id"])
    if not found:
        raise Misuse(f"No stack begins with '{named}'. `gyrus stacks` lists them; the first column is their short name.")
    if len(found) > 1:
        told = "\n".join(f"  {handle_of(one)}  {one}" for one in found[:MOST_TOLD])
        more = f"\n  … and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
        raise Misuse(f"{len(found)} stacks begin with '{named}'; name one of them:\n{told}{more}")
    return found[0]


def _add_rejects(app: typer.Typer) -> None:
    @command(app, "rejects", "List files that were rejected, with the reason.", "rejects --cohort trial", "rejects --phi --json")
    def rejects(  # noqa: PLR0913
        *,
        cohort: CohortOnly = None,
        reason: Annotated[str | None, typer.Option(help="Only for this reason.", show_default="all")] = None,
        phi: Phi = False,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """List rejected files."""
        with open_gateway(url, key, data) as gateway:
            question = {"cohort": cohort, "outcome": "rejected", "reason": reason, "phi": phi or None}
            found = list(gateway.pages("files", **question))
        _list(found, ["cohort", "source", *(["path"] if phi else ["id"]), "reason", "detail"], json, "detail")


def _add_failures(app: typer.Typer) -> None:
    @command(app, "failures", "List work that failed five times, and what to do.", "failures", "failures --cohort trial --json")
    def failures(cohort: CohortOnly = None, json: Json = False, url: Url = None, key: Key = None, data: Data = DATA) -> None:
        """List failures."""
        with open_gateway(url, key, data) as gateway:
            found = gateway.get("failures", cohort=cohort, limit=1000)
        _list(found, ["stage", "id", "error", "advice"], json, "error")


def _list(found: list[Document], names: list[str], json: bool, wraps: str) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines(found)
    elif found:
        render.table(found, names, wraps=[wraps])
    else:
        print("none", file=sys.stderr)


def _add_retry(app: typer.Typer) -> None:
    @command(app, "retry", "Try again what failed.", "retry", "retry --stage classify", "retry --id trial/1.2.840.113619.2.5")
    def retry(
        stage: Annotated[str | None, typer.Option(help=f"Only of this stage: {RETRIED}.")] = None,
        id_: Annotated[str | None, typer.Option("--id", help="Only this document.")] = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Owe again what failed."""
        with open_gateway(url, key, data) as gateway:
            _count(gateway.post("failures/retry", {"stage": stage, "id": id_}), "failures are tried again", json)


def _add_reconcile(app: typer.Typer) -> None:
    @command(app, "reconcile", "After a restored backup: settle every series, look for every volume, scan every place.", "reconcile")
    def reconcile(json: Json = False, url: Url = None, key: Key = None, data: Data = DATA) -> None:
        """Bring documents, files and volumes into accord."""
        with open_gateway(url, key, data) as gateway:
            _count(gateway.post("reconcile"), "places are scanned again", json)


def _count(answer: Document, what: str, json: bool) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines([answer])
    else:
        print(f"{answer['count']} {what}")
