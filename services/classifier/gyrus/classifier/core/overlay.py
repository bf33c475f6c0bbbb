"""A site's own rules on top of ours: one YAML file that adds, changes and retires rules by their ids (`technique.MPRAGE`).

add:
  technique.OurSequence: {name: …, detection: {keywords: [oursequence]}, examples: […], never: […]}
change:
  base.T2w: {detection: {keywords: [t2, t2w]}}     a mapping is changed key by key, everything else is replaced
retire: [construct.QSM]
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.errors import allowed
from gyrus.classifier.core.loader import Written
from gyrus.classifier.core.yaml_lines import Page, Place

PARTS = ("meta", "add", "change", "retire")


def with_overlay(written: Written, overlay: Page) -> Written:
    """The rules with those of an overlay. Raises RulesetError, with the overlay's file and line, where it names what is not there."""
    for key in overlay.content:
        if key not in PARTS:
            raise overlay.error((key,), f"unknown key {key!r}; {allowed(key, PARTS)}")
    pages = {
        name: replace(page, content=copy.deepcopy(page.content), elsewhere=dict(page.elsewhere)) for name, page in written.pages.items()
    }
    for part, wanted in (("retire", list), ("add", dict), ("change", dict)):
        found = overlay.content.get(part) or wanted()
        if not isinstance(found, wanted):
            raise overlay.error((part,), f"{part!r} is a {'list of ids' if wanted is list else 'mapping of ids to rules'}")
        for index, id_ in enumerate(found):
            place = (part, index if wanted is list else id_)
            CHANGES[part](pages, overlay, place, *_named(pages, overlay, place, id_))
    return replace(written, pages=pages)


def _named(pages: Mapping[str, Page], overlay: Page, place: Place, id_: Any) -> tuple[str, str]:
    """Axis and value of an id."""
    axis, dot, value = str(id_).partition(".")
    if axis not in AXES or not dot or not value:
        known = [f"{axis}.{value}" for axis in AXES for value in pages[axis].content[AXES[axis].plural]]
        raise overlay.error(place, f"{id_!r} is no id of a rule (axis.value); {_nearest(str(id_), known)}")
    return axis, value


def _nearest(found: str, known: list[str]) -> str:
    told = allowed(found, known)
    return told.partition("? ")[0] + "?" if told.startswith("did you mean") else f"an id begins with one of {', '.join(AXES)}"


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
