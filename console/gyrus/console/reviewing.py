"""`gyrus review`: what a person should look at, in groups that one decision serves."""

from typing import Annotated, Any

import typer

from gyrus.console.options import DATA, CohortOnly, Data, Json, Key, Url, command, open_gateway

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "review",
        "List what a person should look at, in groups of identical evidence; with a group, its stacks.",
        "review --cohort trial",
        "review 1f0c9a7be2d43c58                  the stacks of one group",
    )
    def review(
        group: Annotated[str | None, typer.Argument(metavar="GROUP", help="The beginning of a group's name.", show_default=False)] = None,
        cohort: CohortOnly = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """List groups, or the stacks of one."""
        from gyrus.console import records, render, running  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            groups = gateway.get("review", cohort=cohort, limit=1000)
            if group is None:
                _tell(groups, json)
                return
            name = only(groups, group)
            if json:
                render.lines(records.ordered(stack) for stack in gateway.pages("stacks", cohort=cohort, review_group=name))
            else:
                render.stacks(running.rows_of(gateway, cohort=cohort, review_group=name))


def only(groups: list[Document], named: str) -> str:
    """The one group that a name begins. Raises BadParameter where there is none, or several."""
    found = [one["group"] for one in groups if one["group"].startswith(named)]
    if len(found) != 1:
        raise typer.BadParameter(f"{len(found) or 'no'} groups begin with '{named}'; `gyrus review` lists those to look at")
    return str(found[0])


def _tell(groups: list[Document], json: bool) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines(groups)
        return
    rows = [{**one, "stacks": one["n"], "label": render.label_of(one["label"]), "why": "; ".join(one["review"])} for one in groups]
    render.table(rows, ["group", "stacks", "kinds", "label", "why"], wraps=["why"])
    print(f"{sum(one['n'] for one in groups)} stacks in {len(groups)} groups; `gyrus review GROUP` lists the stacks of one")
