"""From YAML files to a ruleset, or to an error that says which line is wrong and what may stand there."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gyrus.classifier.core import axes
from gyrus.classifier.core.axes import RULED, Axis
from gyrus.classifier.core.errors import allowed
from gyrus.classifier.core.rules import (
    WINDOW_FIELDS,
    Detection,
    Flag,
    FlagCategory,
    FlagReference,
    Meta,
    Physics,
    Rule,
    Ruleset,
    ValueRule,
    Window,
)
from gyrus.classifier.core.text import Keyword, keyword
from gyrus.classifier.core.unified import UNIFIED
from gyrus.classifier.core.yaml_lines import Page, read_page

PACKAGED = Path(__file__).parent.parent / "rules"
REFERENCE = "unified-flags-reference.yaml"

Model = TypeVar("Model", bound=BaseModel)

FLAG_LISTS = ("alternative_flags", "combination", "requires", "excludes", "unless")


def load_rules(folder: Path | None = None) -> Ruleset:
    """Read the rule files of a folder; by default those of the package. Raises RulesetError at the first fault."""
    folder = PACKAGED if folder is None else folder
    pages = {axis.name: read_page(folder / axis.file_name) for axis in RULED}
    reference = read_page(folder / REFERENCE)
    _check_reference(reference)
    versions = {name: _version(page) for name, page in pages.items()}
    rules = {axis.name: tuple(_rules(axis, pages[axis.name])) for axis in RULED}
    digest = _digest({name: page.content for name, page in pages.items()})
    return Ruleset(rules, versions, digest)


def _digest(content: dict[str, Any]) -> str:
    """SHA-256 of the content without comments and layout. The order of rules counts: it breaks ties."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()).hexdigest()


def _version(page: Page) -> str:
    return _validated(Meta, page, ("meta",)).version


def _rules(axis: Axis, page: Page) -> Iterator[ValueRule]:
    for key in page.content:
        if key not in {"meta", axis.plural}:
            raise page.error((key,), f"unknown key {key!r}; {allowed(key, ('meta', axis.plural))}")
    if not isinstance(page.at((axis.plural,)), dict):
        raise page.error((axis.plural,), f"expected values of axis {axis.name!r} with their rules; {allowed('', axis.values)}")
    for value in page.at((axis.plural,)):
        place = (axis.plural, value)
        _expect(page, place, value, axis.values, f"axis {axis.name!r} has no value")
        rule = _validated(Rule, page, place)
        _check_rule(page, place, rule, axis)
        yield ValueRule(value, rule, _keywords(rule.detection.keywords), _keywords(rule.detection.exclude_keywords))


def _keywords(texts: Iterable[str]) -> tuple[Keyword, ...]:
    return tuple(keyword(text) for text in texts)


def _validated(model: type[Model], page: Page, place: tuple[Any, ...]) -> Model:
    try:
        return model.model_validate(page.at(place))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = (*place, *first["loc"])
        reason = f"{'.'.join(map(str, where))}: {first['msg']}, found {first['input']!r}"
        if first["type"] == "extra_forbidden":
            reason = f"unknown key {where[-1]!r}; {allowed(where[-1], _keys_beside(model, first['loc']))}"
        raise page.error(where, reason) from None


def _keys_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that may stand where an unknown one was found."""
    parents: dict[int | str, type[BaseModel]] = {
        "detection": Detection,
        "physics": Physics,
        **dict.fromkeys(WINDOW_FIELDS, Window),
        "flags": Flag,
        "categories": FlagCategory,
    }
    within = next((parents[part] for part in reversed(loc[:-1]) if part in parents), model)
    return tuple(within.__pydantic_fields__)


def _expect(page: Page, place: tuple[Any, ...], found: str, known: Iterable[str], complaint: str) -> None:
    if found not in known:
        raise page.error(place, f"{complaint} {found!r}; {allowed(found, known)}")


def _check_rule(page: Page, place: tuple[Any, ...], rule: Rule, axis: Axis) -> None:
    """Refuse names of flags and values that nothing sets, and keywords that no text can contain."""
    detection = (*place, "detection")
    for where, flag in _flags(rule.detection, detection):
        _expect(page, where, flag, UNIFIED, "no flag is called")
    for index, value in enumerate(rule.refines):
        _expect(page, (*place, "refines", index), value, page.at((axis.plural,)), f"{page.path.name} has no rule for")
    if rule.implied_base is not None:
        _expect(page, (*place, "implied_base"), rule.implied_base, axes.BASE.values, "axis 'base' has no value")
    for index, physics in enumerate(rule.detection.physics):
        if physics.modifier is not None:
            _expect(
                page, (*detection, "physics", index, "modifier"), physics.modifier, axes.MODIFIER.values, "axis 'modifier' has no value"
            )
    for name in ("keywords", "exclude_keywords"):
        for index, text in enumerate(getattr(rule.detection, name)):
            if not keyword(text).words:
                raise page.error((*detection, name, index), f"keyword {text!r} has no letter or digit, no text can match it")


def _flags(detection: Detection, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if detection.exclusive is not None:
        yield (*place, "exclusive"), detection.exclusive
    for name in FLAG_LISTS:
        yield from (((*place, name, index), flag) for index, flag in enumerate(getattr(detection, name)))
    for index, physics in enumerate(detection.physics):
        yield from (((*place, "physics", index), flag) for flag in (*physics.flags, *physics.without))


def _check_reference(page: Page) -> None:
    """The reference describes exactly the flags that exist."""
    reference = _validated(FlagReference, page, ())
    described = {flag: ("categories", name, "flags", flag) for name, category in reference.categories.items() for flag in category.flags}
    for flag, place in described.items():
        _expect(page, place, flag, UNIFIED, "no flag is called")
    for flag in UNIFIED:
        if flag not in described:
            raise page.error(("categories",), f"flag {flag!r} is set by the parsers but not described here")
