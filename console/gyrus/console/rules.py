"""`gyrus rules`: a site's own rules, checked on this machine, compared with stored stacks, and made active."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gyrus.console.options import DATA, Data, Json, Key, Url, command, open_gateway
from gyrus.shared.errors import Misuse

if TYPE_CHECKING:
    from gyrus.console.client import Gateway

Document = dict[str, Any]
LOOK_EVERY_S = 0.3
OURS = "ours"  # what rules without a site's are called
MOST_SHOWN = 20  # stacks of a table; --json has a thousand
Overlay = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A site's rules (YAML) on top of ours; without one, ours alone."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(no_args_is_help=True, help="Check, compare and apply the rules that labels are made by.", rich_markup_mode=None)
    app.add_typer(rules, name="rules", short_help="Check, compare and apply the rules that labels are made by.")
    for add in (_add_check, _add_list, _add_diff, _add_apply):
        add(rules)


def _add_check(app: typer.Typer) -> None:
    @command(app, "check", "Check a site's rules: schema, names, examples. Needs no server.", "rules check site.yaml", "rules check")
    def check(file: Overlay = None, json: Json = False) -> None:
        """Check rules; exit 1 at the first fault, or when an example is not kept."""
        from gyrus.classifier.core.errors import RulesetError  # noqa: PLC0415
        from gyrus.classifier.core.loader import read_rules  # noqa: PLC0415
        from gyrus.classifier.core.proof import checked  # noqa: PLC0415
        from gyrus.classifier.core.yaml_lines import page_of, read_page  # noqa: PLC0415
        from gyrus.console import render  # noqa: PLC0415

        try:
            found = checked(read_rules(), read_page(file) if file else page_of(Path(OURS), ""))
        except RulesetError as wrong:
            raise Misuse(str(wrong)) from None
        broken, digest = [str(one) for one in found.broken], found.ruleset.digest
        count = sum(len(rules) for rules in found.ruleset.axes.values())
        if json:
            render.lines([{"digest": digest, "rules": count, "says": found.says, "broken": broken}])
        else:
            print("\n".join(broken), file=sys.stderr, end="\n" if broken else "")
            print(f"{count} rules, {found.says}; digest {digest[:16]}; {len(broken) or 'no'} examples are not kept")
        if broken:
            raise typer.Exit(1)


def _add_list(app: typer.Typer) -> None:
    @command(app, "list", "List the versions of the rules, and which is active.", "rules list")
    def list_(json: Json = False, url: Url = None, key: Key = None, data: Data = DATA) -> None:
        """List versions."""
        from gyrus.console import render  # noqa: PLC0415

        with open_gateway(url, key, data) as gateway:
            found = list(gateway.pages("rules"))
        if json:
            render.lines(found)
        else:
            rows = [{**one, "active": "*" if one["active"] else "", "digest": (one["digest"] or "")[:16]} for one in found]
            render.table(rows, ["active", "id", "name", "digest", "state", "at", "note"], wraps=["note"])


def _add_diff(app: typer.Typer) -> None:
    @command(
        app,
        "diff",
        "Say which stored stacks other rules would change, by axis and by rule; nothing changes.",
        "rules diff site.yaml",
        "rules diff site.yaml --json              all counts, and up to a thousand stacks",
    )
    def diff(
        file: Overlay = None,
        note: Annotated[str | None, typer.Option(help="Why, for those who read the list.")] = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Compare rules with stored labels."""
        with open_gateway(url, key, data) as gateway:
            _tell_diff(_proposed(gateway, file, note), json)


def _add_apply(app: typer.Typer) -> None:
    @command(
        app,
        "apply",
        "Make rules active: a file, or a version that `rules list` names. Only studies whose labels differ are classified anew.",
        "rules apply site.yaml",
        "rules apply 01J8Z6Q0V3M6T7W2KX4R5Y9NBC     an older version: that is undoing",
    )
    def apply(
        rules: Annotated[str, typer.Argument(metavar="FILE|VERSION", help="A site's rules (YAML), or a version.")],
        note: Annotated[str | None, typer.Option(help="Why, for those who read the list.")] = None,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Make rules active."""
        file, named = (Path(rules), None) if Path(rules).is_file() else (None, _named(rules))
        with open_gateway(url, key, data) as gateway:
            version = named or _proposed(gateway, file, note)["id"]
            gateway.post(f"rules/{version}/apply")
            _tell_applied(_waited(gateway, version), json)


def _named(version: str) -> str:
    """What may be the name of a version. Raises Misuse where it must have been meant for a file."""
    if not version.replace("-", "").isalnum():
        raise Misuse(f"There is no file '{version}'. `gyrus rules list` names the versions that may be applied.")
    return version


def _proposed(gateway: "Gateway", file: Path | None, note: str | None) -> Document:
    """A new version, compared. Raises Misuse where its rules are wrong."""
    try:
        text = file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError) as unreadable:
        raise Misuse(f"{file}: the file cannot be read: {unreadable}") from None
    asked = gateway.post("rules", {"overlay": text, "name": file.name if file else OURS, "note": note})
    return _waited(gateway, asked["id"])


def _waited(gateway: "Gateway", version: str) -> Document:
    """A version when the classifier is through with it. Raises Misuse where it is wrong or work on it failed."""
    try:
        while (found := gateway.get(f"rules/{version}"))["state"] in ("comparing", "applying"):
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        print("no longer waiting; the servers go on. `gyrus rules list` shows how far they are.", file=sys.stderr)
        raise typer.Exit(1) from None
    if found["state"] == "wrong":
        raise Misuse(str(found["error"]))
    if found["state"] == "failed":
        raise Misuse(f"{found['failure']['error']} {found['failure']['advice']}")
    return dict(found)


def _tell_diff(found: Document, json: bool) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines([found])
        return
    diff = found["diff"]
    print(f"{found['name']}: {found['says']}")
    _tell_counts(diff)
    shown = [{"stack": one["stack"], "changes": "; ".join(map(_move, one["changes"]))} for one in diff["stacks"][:MOST_SHOWN]]
    if shown:
        render.table(shown, ["stack", "changes"], "stacks", wraps=["changes"])
    _tell_corrections(diff["corrections"])
    print(f"version {found['id']}; `gyrus rules apply {found['id']}` makes it active")


def _tell_counts(told: Document) -> None:
    from gyrus.console import render  # noqa: PLC0415

    kept = (
        f"{told['evidence_only']} others keep their values with other evidence or probability" if told["evidence_only"] else "no other does"
    )
    print(f"{told['changed']} of {told['n']} labelled stacks change a value, {kept}; {told['studies']} studies")
    if told["moves"]:
        render.table(told["moves"], ["axis", "from", "to", "n"], "by axis")
        render.table(told["rules"], ["rule", "gained", "lost"], "by rule")


def _move(change: Document) -> str:
    before, after = (", ".join(change[name]) or "none" for name in ("from", "to"))
    return f"{change['axis']}: {before} → {after}"


def _tell_corrections(kept: list[Document]) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if kept:
        rows = [{**one, "breaks": "yes" if one["breaks"] else ""} for one in kept]
        render.table(rows, ["stack", "axis", "value", "says", "breaks"], "corrections that these rules would say otherwise")


def _tell_applied(found: Document, json: bool) -> None:
    from gyrus.console import render  # noqa: PLC0415

    if json:
        render.lines([found])
    elif found["state"] == "refused":
        _tell_corrections(found["refused"])
        print("refused: what people set and the active rules say, these rules would say otherwise. Mend them, or withdraw the corrections.")
    else:
        _tell_counts(found["applied"])
        print(f"version {found['id']} is active; `gyrus status` shows when the studies are classified anew")
    if found["state"] == "refused":
        raise typer.Exit(1)
