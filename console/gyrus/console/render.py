"""Results for people and for machines: tables, one JSON object a line, CSV. Everything here goes to standard output."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gyrus.console import oddities
from gyrus.console.records import KEYS, NO_CODE, handle_of

if TYPE_CHECKING:
    from gyrus.dicom.field import Table as FieldTable

Document = dict[str, Any]

WIDTH = 160  # characters, where there is no terminal
NARROW = 120  # with fewer, columns that say less are left out
LESS = ("subject", "key", "intent")
LEVELS = ("subject", "study", "series", "stack", "file")
SHORT = 36  # characters of a description
CONFLICTS = {"two_subjects": "studies that name two subjects", "two_studies": "series that lie in two studies"}
NUMERIC = {"no.", "images", "max_messages", "max_age_s"}


def lines(documents: Iterable[Any]) -> None:
    """One JSON object a line."""
    for document in documents:
        print(json.dumps(document, ensure_ascii=False, default=str))


def sheet(stacks: Iterable[Mapping[str, Any]]) -> None:
    """Stacks as CSV: lists joined by a semicolon, objects as JSON."""
    names = (*KEYS, "id", "cohort", "subject", "study", "series_description")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for stack in stacks:
        writer.writerow([_cell(stack.get(name)) for name in names])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], title: str = "", wraps: Sequence[str] = ()) -> None:
    """Rows as a table of some of their keys; `wraps` are the columns that give way where it is too wide."""
    made = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in names:
        side: Literal["left", "right"] = "right" if name in NUMERIC else "left"
        made.add_column(name, justify=side, overflow="fold" if name in wraps else "ellipsis", no_wrap=name not in wraps)
    for row in rows:
        made.add_row(*(Text(_word(row.get(name))) for name in names))
    _out().print(made)


def stacks(rows: Iterable[Mapping[str, Any]]) -> None:
    """Stacks with their labels, by subject and series."""
    ordered = sorted(rows, key=lambda r: (r.get("subject") or "", r.get("study") or "", r.get("series_number") or 0, r["id"]))
    common = _common_parts(ordered)
    shown = [_stack(row, common[row["series_uid"]]) for row in ordered]
    names = ["stack", "subject", "no.", "series", "what", "key", "images", "label", "intent", "look", "volume"]
    if _out().width < NARROW:
        names = [name for name in names if name not in LESS]
        shown = [{**row, "volume": short(row["volume"], SHORT // 2)} for row in shown]
    table(shown, [name for name in names if any(row[name] for row in shown)] or names, wraps=("series", "label"))


def _common_parts(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """By series, the parts of its stacks' keys that are the same in all of them: they tell nobody anything."""
    common: dict[str, set[str]] = {}
    for row in rows:
        parts = set(row["stack_key"].split("|"))
        common[row["series_uid"]] = common.get(row["series_uid"], parts) & parts
    return common


def _stack(row: Mapping[str, Any], common: set[str]) -> Document:
    return {
        "stack": handle_of(row["id"]) if "cohort" in row else "",  # offline there is nothing that takes it
        "subject": (row.get("subject") or "").rpartition("/")[2][:8],
        "no.": row.get("series_number"),
        "series": short(row.get("series_description") or "", SHORT),
        "what": row["modality"],
        "key": short(" ".join(part for part in row["stack_key"].split("|") if part not in common), SHORT),
        "images": row["n_images"],
        "label": label_of(row),
        "intent": row["intent"],
        "look": "?" if row["review"] else "",
        "volume": volume_of(row),
    }


def label_of(row: Mapping[str, Any]) -> str:
    """What a stack is, in a few words."""
    words = [row["base"], row["technique"], *row["modifier"], *row["construct"]]
    return " ".join([*filter(None, words), *(["+contrast"] if row["contrast"] == "yes" else [])])


def volume_of(row: Mapping[str, Any]) -> str:
    """The shape of a stack's volume, why there is none, or what it still waits for."""
    volume = row.get("volume") or {}
    if failure := row.get("failure"):
        return f"failed: {failure['stage']}"
    if waits := row.get("owed"):
        return f"waits: {', '.join(waits)}"
    if volume.get("refused"):
        return f"none: {volume['refused']}"
    return " × ".join(str(length) for length in volume["shape"]) if volume.get("shape") else ""


def levels(told: Iterable[Mapping[str, Any]], fields: "FieldTable") -> None:
    """Objects of all levels, parents before children: a heading each, then a field a line with its unit and its source."""
    units = {field.name: field.unit for field in fields.fields}
    for one in told:
        depth = LEVELS.index(one["level"])
        names = [name for name in ("subject", "study_uid", "series_uid", "stack_key", "path") if name in one]
        print(f"{'  ' * depth}{one['level']} {_word(one[names[-1]])}")
        rest = {name: value for name, value in one.items() if name not in ("level", "fields", "frames", "geometry", "fingerprint", *names)}
        for name, value in (rest | one.get("geometry", {}) | one.get("fields", {})).items():
            if not name.endswith("_source") and value not in (None, [], {}):
                source = one.get("fields", {}).get(f"{name}_source")
                _field(depth, name, [_word(value), units.get(name, ""), f"({source})" if source else ""])
        for name, values in one.get("frames", {}).items():
            different = len({_word(value) for value in values})
            _field(depth, name, [f"{different} values in {len(values)} frames: {_word(values[:3])}, …", units.get(name, "")])


def _field(depth: int, name: str, words: list[str]) -> None:
    print(f"{'  ' * depth}  {name:32} {' '.join(filter(None, words))}")


def status(found: Mapping[str, Any]) -> None:
    """Everything at a glance."""
    for title, name in (("there", "counts"), ("files", "outcomes"), ("to do", "owed"), ("failed", "failures")):
        counts = [f"{count} {what}" for what, count in found[name].items() if count or name == "counts"]
        print(f"{title:7} {', '.join(counts) or 'nothing'}")
    if told := [f"{count} {CONFLICTS[kind]}" for kind, count in found.get("conflicts", {}).items()]:
        print(f"odd     {', '.join(told)}")
    if found["gone"]:
        print(f"gone    {found['gone']} of these files are no longer at their paths")
    for source in found["watched"]:
        print(f"watched {source['source']} → cohort {source['cohort']}: {source.get('announced', 0)} files announced")
    for what in found["waiting_for"]:
        print(f"waits   {what}")
    _unmapped(found.get("unmapped") or {})
    if found["dead_letters"]:
        print(f"{found['dead_letters']} messages could not be parsed: see /api/v1/dead-letters of the gateway.")


def _unmapped(found: Mapping[str, Any]) -> None:
    """How many files have no code by their folder, and the folders where they were asked for."""
    if found.get("files"):
        folders = ", ".join(_word(folder) for folder in found.get("folders", ()))
        print(f"{found['files']} {NO_CODE}" + (f": {folders}" if folders else ". With --phi their folders are named."))


def stack(item: Mapping[str, Any]) -> None:
    """One stack with the evidence of its label."""
    plain = ("id", "cohort", "subject", "study", "series_description", "series_uid", "stack_key", "kind", "modality", "orientation")
    numbers = ("n_files", "n_images", "b_values", "n_volumes", "n_distinct", "ranges", "review")
    rows = [{"": name, "value": item.get(name)} for name in (*plain, *numbers)]
    derived = {"completeness": (item.get("completeness") or {}).get("verdict"), "visit": visit_of(item), "volume": volume_of(item)}
    rows += [{"": name, "value": value} for name, value in derived.items()]
    table(rows, ["", "value"], wraps=["value"])
    if odd := oddities.told(item):
        table(odd, ["what", "odd"], "what is odd", wraps=["odd"])
    evidence = item.get("evidence") or {}
    axes = [{"axis": axis, "value": item.get(axis), **_because(item, axis, found)} for axis, found in evidence.items()]
    if axes:
        table(axes, ["axis", "value", "probability", "confidence", "because"], "label", wraps=["because"])


def visit_of(item: Mapping[str, Any]) -> str:
    """Which visit of its subject a stack is of."""
    visit = item.get("visit")
    if not visit:
        return ""
    days = visit["days_since_first"]
    return str(visit["number"]) if days is None else f"{visit['number']}, {days} days after the first"


def _because(item: Mapping[str, Any], axis: str, found: Sequence[Mapping[str, Any]]) -> Document:
    said = "; ".join(f'{one["field"]} "{one["value"]}" → {one["target"]}' for one in found)
    return {**{name: (item.get(name) or {}).get(axis) for name in ("probability", "confidence")}, "because": said}


def short(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _word(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_word(one)}" for name, one in value.items() if one not in (None, [], {}))
    text = ", ".join(_word(one) for one in value) if isinstance(value, list) else str(value)
    return "".join(sign if sign.isprintable() else "�" for sign in text)  # headers are hostile: no escape reaches a terminal


def _out() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
