"""A site's own rules on top of ours: one YAML file that adds, changes and retires rules by their ids (`technique.MPRAGE`).

meta: {version: "3", description: …}                 for people; may be left out
add:
  technique.OurSequence: {name: …, detection: {keywords: [oursequence]}, examples: […], never: […]}
change:
  base.T2w: {detection: {keywords: [t2, t2w]}}     a mapping is changed key by key, everything else is replaced
retire: [construct.QSM]

One that says nothing stands for our rules as they are.
"""

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.errors import allowed
from gyrus.classifier.core.loader import Written, validated
from gyrus.classifier.core.rules import Closed
from gyrus.classifier.core.yaml_lines import Page, Place

PARTS: Mapping[str, type[list[Any]] | type[dict[str, Any]]] = {"retire": list, "add": dict, "change": dict}
"""What an overlay has of rules, in the order in which it is done."""
DONE = {"retire": "retired", "add": "added", "change": "changed"}


class About(Closed):
    """`meta` of an overlay."""

    version: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Entry:
    """One thing that an overlay does to one rule."""

    part: str
    place: Place
    id: Any


def entries_of(overlay: Page) -> list[Entry]:
    """What an overlay does, in order. Raises RulesetError where its keys are not those of an overlay."""
    for key in overlay.content:
        if key not in ("meta", *PARTS):
            raise overlay.error((key,), f"unknown key {key!r}; {allowed(key, ('meta', *PARTS))}")
    if overlay.content.get("meta") is not None:
        validated(About, overlay, ("meta",))
    found: list[Entry] = []
    for part, kind in PARTS.items():
        written = overlay.content.get(part)
        if written is not None and not isinstance(written, kind):
            raise overlay.error((part,), f"{part!r} is a {'list of ids' if kind is list else 'mapping of ids to rules'}")
        found += [Entry(part, (part, index if kind is list else id_), id_) for index, id_ in enumerate(written or [])]
    seen: set[tuple[str, str]] = set()
    for entry in found:
        if (entry.part, str(entry.id)) in seen:
            raise overlay.error(entry.place, f"{entry.id!r} is {DONE[entry.part]} twice; name it once")
        seen.add((entry.part, str(entry.id)))
    return found


def told(overlay: Page) -> str:
    """In words, how many rules an overlay retires, adds and changes."""
    counts = Counter(entry.part for entry in entries_of(overlay))
    return ", ".join(f"{n} {DONE[part]}" for part, n in counts.items()) or "nothing retired, added or changed: our rules as they are"


def with_overlay(written: Written, overlay: Page, most: int | None = None) -> Written:
    """The rules with those of an overlay; of its entries the first `most`. Raises RulesetError, told with its line."""
    pages = {
        name: replace(page, content=copy.deepcopy(page.content), elsewhere=dict(page.elsewhere)) for name, page in written.pages.items()
    }
    for entry in entries_of(overlay)[:most]:
        CHANGES[entry.part](pages, overlay, entry.place, *_named(pages, overlay, entry.place, entry.id))
    return replace(written, pages=pages)


def _named(pages: Mapping[str, Page], overlay: Page, place: Place, id_: Any) -> tuple[str, str]:
    """Axis and value of an id."""
    axis, dot, value = str(id_).partition(".")
    if axis not in AXES or not dot or not value:
        known = [f"{axis}.{value}" for axis in AXES for value in pages[axis].content[AXES[axis].plural]]
        raise overlay.error(place, f"{id_!r} is no id of a rule (axis.value); {_nearest(str(id_), known)}")
    return axis, value


def _nearest(found: str, known: list[str]) -> str:
    hint = allowed(found, known)
    return hint.partition("? ")[0] + "?" if hint.startswith("did you mean") else f"an id begins with one of {', '.join(AXES)}"


def _existing(pages: Mapping[str, Page], overlay: Page, place: Place, id_: tuple[str, str]) -> dict[str, Any]:
    """The rules of the axis, among which the one that is named."""
    axis, value = id_
    rules: dict[str, Any] = pages[axis].content[AXES[axis].plural]
    if value not in rules:
        raise overlay.error(place, f"axis {axis!r} has no rule {value!r}; {allowed(value, rules)}")
    return rules


def _retire(pages: Mapping[str, Page], overlay: Page, place: Place, axis: str, value: str) -> None:
    """Take a rule out, and out of what it replaces and in which order it is looked for."""
    rules = _existing(pages, overlay, place, (axis, value))
    del rules[value]
    for rule in rules.values():
        if value in rule.get("refines", ()):
            rule["refines"].remove(value)
    order = pages[axis].content.get("rules", {}).get("priority_order", [])
    if value in order:
        order.remove(value)


def _add(pages: Mapping[str, Page], overlay: Page, place: Place, axis: str, value: str) -> None:
    rules = pages[axis].content[AXES[axis].plural]
    if value in rules:
        raise overlay.error(place, f"axis {axis!r} has a rule {value!r} already; put it under `change`, or retire it first")
    rules[value] = copy.deepcopy(overlay.at(place))
    _remember(pages[axis], overlay, place, (AXES[axis].plural, value))


def _change(pages: Mapping[str, Page], overlay: Page, place: Place, axis: str, value: str) -> None:
    rules = _existing(pages, overlay, place, (axis, value))
    changed = overlay.at(place)
    if not isinstance(changed, dict):
        raise overlay.error(place, f"expected the keys of rule {value!r} that change")
    rules[value] = _merged(rules[value], changed)
    _remember(pages[axis], overlay, place, (AXES[axis].plural, value))


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return copy.deepcopy(new)


def _remember(page: Page, overlay: Page, place: Place, at: Place) -> None:
    """Errors in what came from the overlay name its file and line."""
    for part, line in overlay.lines.items():
        if part[: len(place)] == place:
            page.elsewhere[at + part[len(place) :]] = overlay.path, line


CHANGES = {"retire": _retire, "add": _add, "change": _change}
