"""`gyrus correct`: what a person sets stands over rules; `gyrus corrections` tells what became of it."""

import getpass
import sys
from itertools import chain
from typing import Annotated, Any

import typer

from gyrus.console.options import DATA, CohortOnly, Data, Json, Key, Url, command, open_gateway
from gyrus.shared.documents import LIST_AXES

Document = dict[str, Any]
NONE = "none"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _add_correct(app)
    _add_corrections(app)


def _add_correct(app: typer.Typer) -> None:
    @command(
        app,
        "correct",
        "Set an axis of a stack, or of all stacks of a review group; it stands over rules until it is withdrawn.",
        'correct 7f3a12bc base T1w --reason "after gadolinium, see protocol"',
        'correct 7f3a12bc modifier FLAIR,FatSat --reason "TI 2500"',
        'correct 7f3a12bc base none --reason "a phase image"',
        'correct --group 1f0c9a7b technique TSE --reason "site name"',
        'correct 7f3a12bc base --withdraw --reason "I was wrong"',
        'correct --group 1f0c9a7b technique --withdraw --reason "I was wrong"',
    )
    def correct(  # noqa: PLR0913 - typer: a parameter an option
        words: Annotated[list[str], typer.Argument(metavar="[STACK] AXIS [VALUE]", help="Which stack, which axis, and what it is.")],
        *,
        reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
        by: Annotated[str | None, typer.Option(envvar="GYRUS_USER", help="Who says so.", show_default="who is logged in")] = None,
        group: Annotated[str | None, typer.Option(help="A review group: one decision for all its stacks.")] = None,
        withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what was set.")] = False,
        cohort: CohortOnly = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Correct."""
        from gyrus.console import render, reviewing  # noqa: PLC0415
        from gyrus.console.remote import only_stack  # noqa: PLC0415

        stack, axis, value = parsed(words, group is not None, withdraw)
        with open_gateway(url, key, data) as gateway:
            held = list(gateway.pages("corrections", cohort=cohort)) if withdraw else []
            if group is None:
                there = chain(gateway.pages("stacks", cohort=cohort), _waiting(held))
                scope: Document = {"stack": only_stack(there, str(stack))}
            else:
                groups = _decided(held) if withdraw else gateway.get("review", cohort=cohort, limit=1000)
                scope = {"review_group": reviewing.only(groups, group), "cohort": cohort}
            said = {"axis": axis, "value": value, "withdrawn": withdraw, "reason": reason, "by": by or getpass.getuser()}
            made = gateway.post("corrections", {**scope, **said})
        if json:
            render.lines(made)
        else:
            shown = ", ".join(value) if isinstance(value, list) else value or NONE
            print(f"{axis} of {len(made)} stacks {'is what rules say again' if withdraw else f'is {shown}, whatever rules say'}")


def _waiting(held: list[Document]) -> list[Document]:
    """The stacks that are no more, of which corrections wait."""
    stacks = {one["stack"] for one in held if one["state"] == "waits"}
    return [{"id": stack, "series_uid": stack.split("/")[1]} for stack in sorted(stacks)]


def _decided(held: list[Document]) -> list[Document]:
    """The groups for which something was decided."""
    return [{"group": group} for group in sorted({one["review_group"] for one in held if one.get("review_group")})]


def parsed(words: list[str], has_group: bool, withdraw: bool) -> tuple[str | None, str, str | list[str] | None]:
    """Stack, axis and value of the words. Raises BadParameter where there are too many or too few."""
    wanted = [*([] if has_group else ["STACK"]), "AXIS", *([] if withdraw else ["VALUE"])]
    if len(words) != len(wanted):
        raise typer.BadParameter(f"say {' '.join(wanted)}")
    stack = None if has_group else words[0]
    axis = words[len(wanted) - (1 if withdraw else 2)]
    value = NONE if withdraw else words[-1]
    if value == NONE:
        return stack, axis, None
    return stack, axis, [one.strip() for one in value.split(",")] if axis in LIST_AXES else value


def _add_corrections(app: typer.Typer) -> None:
    @command(
        app,
        "corrections",
        "List what people set, and whether it stands, was carried over, or waits for a person.",
        "corrections --waiting                    of stacks that are no more, and nobody can tell which took their place",
        "corrections --labels > corrected.jsonl   labelled headers for `make calibrate`",
    )
    def corrections(  # noqa: PLR0913 - typer: a parameter an option
        *,
        waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for a person.")] = False,
        labels: Annotated[bool, typer.Option("--labels", help="As labelled headers, one a line.")] = False,
        cohort: CohortOnly = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """List corrections."""
        from gyrus.console import render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            if labels:
                render.lines(gateway.get("corrections/labels", cohort=cohort))
                return
            found = [one for one in gateway.pages("corrections", cohort=cohort) if not waiting or one["state"] == "waits"]
        if json:
            render.lines(found)
        elif found:
            rows = [{**one, "value": "" if one.get("withdrawn") else one["value"] or NONE} for one in found]
            render.table(rows, ["state", "stack", "axis", "was", "value", "by", "reason"], wraps=["reason"])
        else:
            print("none", file=sys.stderr)
