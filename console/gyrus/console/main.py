"""The `gyrus` command: `up`, what steers a running system over HTTP, and what works without one."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gyrus.console import jobs, local, remote, rules, uploading
from gyrus.console.options import DATA, Data, command
from gyrus.shared.errors import GyrusError

HELP = """\b
Examples:
  gyrus up --sample                          everything on this machine, with a sample cohort
  gyrus ingest /data/trial --cohort trial --wait
  gyrus stacks --cohort trial                what is there, with labels
  gyrus classify scan.dcm --json             without any server

Files become headers, headers become stacks, stacks become labels and volumes.

Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 failed, 2 misuse."""

app = typer.Typer(
    name="gyrus",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        print(f"gyrus {version('gyrus')}")
        raise typer.Exit


@app.callback()
def gyrus(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Options of the whole command."""


@command(
    app,
    "up",
    "Start servers and services on this machine, until Ctrl-C.",
    "up --inbox /data/inbox --cohort trial     what lands there is read, labelled and made ready",
    "up --data /var/gyrus",
    "up --sample --once",
)
def up(
    data: Data = DATA,
    inbox: Annotated[
        Path | None, typer.Option("--inbox", metavar="DIR", exists=True, file_okay=False, help="Watch this folder.", show_default=False)
    ] = None,
    cohort: Annotated[str, typer.Option("--cohort", "-c", help="Where the stacks of the watched folder belong.")] = "default",
    sample: Annotated[bool, typer.Option("--sample", help="Bring in a sample cohort, and show its stacks.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop after that; exit 1 if anything failed.")] = False,
) -> None:
    """Start everything."""
    from gyrus.console.running import run  # noqa: PLC0415 - servers, only when asked for

    raise typer.Exit(run(data, sample, once, (inbox, cohort) if inbox else None))


remote.register(app)
jobs.register(app)
uploading.register(app)
local.register(app)
rules.register(app)


def main() -> None:
    """The entry point: what gyrus raises on purpose is told in a line, without a trace."""
    try:
        app()
    except GyrusError as error:
        print(f"gyrus: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
