"""YAML that remembers its lines, so that an error can name the one to correct."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gyrus.classifier.core.errors import RulesetError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C loader where it is built in: ten times as fast."""

MOST_NESTED = 20
"""Levels of a file; rules have six. A part that contains itself has no end."""
MOST_PARTS = 200_000
"""Keys and entries of a file with everything that its aliases repeat; all of ours together have a tenth."""

UNBUILT = (ValueError, LookupError, AttributeError)
"""What YAML raises where a value is not what it looks like: the date 2026-13-45."""
KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")

Place = tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """A file's content and the line on which each part of it begins."""

    path: Path
    content: dict[str, Any]
    lines: dict[Place, int]
    elsewhere: dict[Place, tuple[Path, int]] = field(default_factory=dict)
    """File and line of the parts that came from another file."""

    def at(self, place: Place) -> Any:
        """The part at a place; RulesetError if a key on the way is missing or empty."""
        part: Any = self.content
        for depth, key in enumerate(place):
            if not isinstance(part, dict | list) or (isinstance(part, dict) and key not in part):
                raise self.error(place[:depth], f"key {key!r} is missing")
            part = part[key]
        if part is None:
            raise self.error(place, f"{place[-1]!r} is empty")
        return part

    def error(self, place: Place, reason: str) -> RulesetError:
        """The error for the nearest line at or above a place."""
        near = place
        while near and near not in self.lines and near not in self.elsewhere:
            near = near[:-1]
        return RulesetError(*self.elsewhere.get(near, (self.path, self.lines.get(near, 1))), reason, place)


def read_page(path: Path) -> Page:
    """Read one file. Raises RulesetError if it is missing, is no YAML mapping, or says a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RulesetError(path, 1, "the file is missing; a rule folder holds one file for each axis and the flag reference") from None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise RulesetError(path, 1, f"the file cannot be read: {unreadable}") from None
    return page_of(path, text)


def page_of(path: Path, text: str) -> Page:
    """The page of a text, an empty one of an empty text. `path` is what errors call it.

    Raises RulesetError if it is no YAML mapping, or says a key twice.
    """
    try:
        _check_depth(path, text)
        loader = LOADER(text)
        node = loader.get_single_node()
        lines = _lines(path, node)
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise RulesetError(path, line, f"not YAML: {broken.problem}") from None
    except RulesetError:
        raise
    except (yaml.YAMLError, *UNBUILT) as broken:
        raise RulesetError(path, 1, f"not YAML: {broken}") from None
    if content is not None and not isinstance(content, dict):
        raise RulesetError(path, 1, f"expected a mapping, found {type(content).__name__}")
    return Page(path, content or {}, lines)


def _check_depth(path: Path, text: str) -> None:
    """Raises RulesetError where parts are nested too deep; composing them has no limit but the memory of the process."""
    depth = 0
    for event in yaml.parse(text, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTED:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise RulesetError(path, line, f"nested deeper than {MOST_NESTED} levels; write it out flatter")


def _lines(path: Path, node: yaml.Node | None) -> dict[Place, int]:
    lines: dict[Place, int] = {}
    for place, line in _walk(path, node, ()):
        if len(place) > MOST_NESTED or len(lines) > MOST_PARTS:
            raise RulesetError(
                path, line, f"nested deeper than {MOST_NESTED} levels, or more than {MOST_PARTS} parts; write it out flatter"
            )
        lines[place] = line
    return lines


def _walk(path: Path, node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if key.tag not in KEYS:
                raise RulesetError(path, line, f"key {name!r} is no text; put it in quotes")
            if name in seen:
                raise RulesetError(path, line, f"key {name!r} stands here and on line {seen[name]}; remove one")
            seen[name] = line
            yield (*place, name), line
            yield from _walk(path, value, (*place, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _walk(path, value, (*place, index))
