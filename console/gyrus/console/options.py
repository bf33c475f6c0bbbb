"""Options that several commands take, and how a command is made: its help begins with examples."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from gyrus.console.client import Gateway

Command = TypeVar("Command", bound=Callable[..., Any])

Url = Annotated[str | None, typer.Option("--url", envvar="GYRUS_URL", help="Address of the gateway.", show_default="of --data")]
Key = Annotated[str | None, typer.Option("--key", envvar="GYRUS_KEY", help="Key of the gateway.", show_default="of --data")]
Data = Annotated[Path, typer.Option("--data", envvar="GYRUS_DATA", help="Data directory of `gyrus up`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
CohortOnly = Annotated[str | None, typer.Option("--cohort", help="Only of this cohort.", show_default="all")]
Target = Annotated[Path, typer.Argument(metavar="PATH", exists=True, help="A file or a folder.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that work at once.")]

DATA = Path(".gyrus")


def command(app: typer.Typer, name: str, what: str, *examples: str) -> Callable[[Command], Command]:
    """Make a function a command; `what` is its one sentence."""
    shown = "\n".join(f"  gyrus {example}" for example in examples)
    return app.command(name, short_help=what, help=f"\b\nExamples:\n{shown}\n\n{what}")


def open_gateway(url: str | None, key: str | None, data: Path) -> "Gateway":
    """The gateway that these options name. Raises Misuse where they name none."""
    from gyrus.console.client import Gateway, find_address  # noqa: PLC0415 - so that --help is quick

    return Gateway(find_address(url, key, data))
