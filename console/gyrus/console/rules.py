"""`gyrus rules`: a site's own rules, checked on this machine, compared with stored stacks, and made active."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gyrus.console.options import Json, command
from gyrus.shared.errors import Misuse

Overlay = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A site's rules (YAML) on top of ours; without one, ours alone."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(no_args_is_help=True, help="Check, compare and apply the rules that labels are made by.", rich_markup_mode=None)
    app.add_typer(rules, name="rules", short_help="Check, compare and apply the rules that labels are made by.")
    _add_check(rules)


def _add_check(app: typer.Typer) -> None:
    @command(app, "check", "Check a site's rules: schema, names, examples. Needs no server.", "rules check site.yaml", "rules check")
    def check(file: Overlay = None, json: Json = False) -> None:
        """Check rules; exit 1 at the first fault, or when an example is not kept."""
        from gyrus.classifier.core.errors import RulesetError  # noqa: PLC0415
        from gyrus.classifier.core.loader import read_rules, ruleset_of  # noqa: PLC0415
        from gyrus.classifier.core.overlay import with_overlay  # noqa: PLC0415
        from gyrus.classifier.core.proof import broken_examples  # noqa: PLC0415
        from gyrus.classifier.core.yaml_lines import read_page  # noqa: PLC0415
        from gyrus.console import render  # noqa: PLC0415

        try:
            written = with_overlay(read_rules(), read_page(file)) if file else read_rules()
            ruleset = ruleset_of(written)
        except RulesetError as wrong:
            raise Misuse(str(wrong)) from None
        broken = [str(one) for one in broken_examples(written, ruleset)]
        count = sum(len(rules) for rules in ruleset.axes.values())
        if json:
            render.lines([{"digest": ruleset.digest, "rules": count, "broken": broken}])
        else:
            print("\n".join(broken), file=sys.stderr, end="\n" if broken else "")
            print(f"{count} rules, digest {ruleset.digest[:16]}; {len(broken) or 'no'} examples are not kept")
        if broken:
            raise typer.Exit(1)
