"""`gyrus delete`: says what would go, asks, starts it, and waits if it shall."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gyrus.console.options import DATA, Data, Json, Key, Url, command, open_gateway

if TYPE_CHECKING:
    from gyrus.console.client import Gateway

Document = dict[str, Any]
LOOK_EVERY_S = 0.3
NAMES = {
    "subjects": ("subject", "subjects"),
    "studies": ("study", "studies"),
    "series": ("series", "series"),
    "files": ("file's record", "files' records"),
    "stacks": ("stack", "stacks"),
    "volumes": ("volume", "volumes"),
}
STAYS = "Your DICOM files stay."
ANEW = "Scans leave its files alone from now on; `gyrus ingest DIR --no-resume` reads them anew."


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "delete",
        "Delete what is known of a cohort, subject, study or series, and its volumes; never your DICOM files.",
        "delete --cohort trial                    asks first",
        "delete --study trial/1.2.840.113619.2.5 --wait",
        "delete --subject trial/S0123456789abcdef --yes",
    )
    def delete(  # noqa: PLR0913 - typer: a parameter an option
        *,
        cohort: Annotated[str | None, typer.Option("--cohort", "-c", help="A whole cohort.", show_default=False)] = None,
        subject: Annotated[str | None, typer.Option(help="Id of a subject.", show_default=False)] = None,
        study: Annotated[str | None, typer.Option(help="Id of a study.", show_default=False)] = None,
        series: Annotated[str | None, typer.Option(help="Id of a series.", show_default=False)] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        wait: Annotated[bool, typer.Option("--wait", help="Until everything is gone.")] = False,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Ask, delete, and wait if asked to."""
        scope = _scope(cohort=cohort, subject=subject, study=study, series=series)
        if not (yes or sys.stdin.isatty()):
            raise typer.BadParameter("nobody can be asked here: say --yes")
        with open_gateway(url, key, data) as gateway:
            if not (yes or _agreed(gateway.get("deletions/preview", **scope))):
                print("nothing was deleted", file=sys.stderr)
                raise typer.Exit(1)
            deletion = gateway.post("deletions", {"scope": scope})
            _tell(_waited(gateway, deletion) if wait else deletion, json)


def _scope(**named: str | None) -> dict[str, str]:
    scope = {level: id_ for level, id_ in named.items() if id_ is not None}
    if len(scope) != 1:
        raise typer.BadParameter(f"say exactly one of {', '.join(f'--{level}' for level in named)}")
    return scope


def question(preview: Document) -> tuple[str, str]:
    """What is asked, and the answer that means yes: a whole cohort is typed by its name."""
    scope, counted = preview["scope"], preview["counts"]
    parts = [f"{count:,} {NAMES[name][count != 1]}" for name, count in counted.items() if count]
    wanted = scope["id"] if scope["level"] == "cohort" else "yes"
    said = "the cohort's name" if scope["level"] == "cohort" else "yes"
    return f"This removes {', '.join(parts)} of {scope['level']} {scope['id']}. {STAYS}\nType {said} to go on: ", wanted


def _agreed(preview: Document) -> bool:
    asked, wanted = question(preview)
    print(asked, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == wanted


def _waited(gateway: "Gateway", deletion: Document) -> Document:
    """The deletion when it is done or failed."""
    said = None
    try:
        while deletion["state"] == "working":
            if deletion["waiting_for"] != said:
                said = deletion["waiting_for"]
                print(f"waiting: {said}" if said else "waiting", file=sys.stderr, flush=True)
            time.sleep(LOOK_EVERY_S)
            deletion = gateway.get(f"deletions/{deletion['id']}")
    except KeyboardInterrupt:
        print("no longer waiting; the servers go on. `gyrus status` shows how far they are.", file=sys.stderr)
        raise typer.Exit(1) from None
    return deletion


def _tell(deletion: Document, json: bool) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines([deletion])
    elif deletion["state"] == "failed":
        print(f"deletion {deletion['id']} failed: {deletion['failure']['error']} {deletion['failure']['advice']}")
    else:
        done = "done" if deletion["state"] == "done" else "started; `gyrus status` shows when it is done"
        print(f"deletion {deletion['id']} {done}. {STAYS} {ANEW}")
    if deletion["state"] == "failed":
        raise typer.Exit(1)
