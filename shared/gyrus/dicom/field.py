"""What one line of the table of fields says, and the table as a whole."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Level = Literal["subject", "study", "series", "acquisition", "image"]
Kind = Literal["text", "texts", "number", "numbers", "integer", "date", "time", "date_time", "age", "uid"]

ITEMS = ("siemens_item", "philips_item", "legacy_conversion")  # sources that any field of an enhanced object may have
TOP_LEVEL = "top_level"  # the source of a value that stands at the top level instead of in its sequence

READING = 4  # raised when the same table is read in another way, so that stored headers are known to be old


@dataclass(frozen=True, slots=True)
class Private:
    """A private element: (group, creator, low byte), the VR to decode it with, and the name of the source that it counts as.

    pattern: a regular expression whose first group is the value, where the element is a text that says more. scale: what its numbers
    are multiplied with to have the unit of the field.
    """

    group: int
    creator: str
    element: int
    vr: str
    source: str
    pattern: str = ""
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a header.

    nested: paths of sequences in enhanced objects, and of sequences of classic ones. private: elements of makers, in order.
    makers: sources that modules of makers, or several elements together, answer from, in order, where looking up an element is not
    enough. empty: values that mean that nothing was set. sequence_first: the nested place is the standard's, and the tag at the top level
    is what some write instead. joined: elements of the item at the end of a nested path, whose numbers together are the value.
    phi: it identifies a person and stays behind the phi scope.
    """

    name: str
    keyword: str
    tag: int
    level: Level
    kind: Kind = "text"
    unit: str = ""
    nested: tuple[tuple[int, ...], ...] = ()
    private: tuple[Private, ...] = ()
    makers: tuple[str, ...] = ()
    empty: tuple[Any, ...] = ()
    sequence_first: bool = False
    joined: tuple[int, ...] = ()
    phi: bool = False

    @property
    def names_its_source(self) -> bool:
        """Whether a value of a maker's says where it came from: not where the table gives the field that one place only."""
        return bool(self.tag or self.nested or len(self.private) + len(self.makers) > 1)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source that a value of this field may say, in order: the standard's places say none."""
        if not self.names_its_source:
            return ()
        of_makers = dict.fromkeys([*(place.source for place in self.private), *self.makers])
        return (*((TOP_LEVEL,) if self.sequence_first else ()), *of_makers, *ITEMS)


class Table:
    """Fields in order. Their names, and the names of their sources, are the keys of stored headers."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self.by_name = {field.name: field for field in self.fields}
        if len(self.by_name) != len(self.fields):
            raise ValueError("a field is listed twice")

    @cached_property
    def version(self) -> str:
        """Changes when a field, or the way of reading them, does."""
        return hashlib.blake2b(repr((self.fields, READING)).encode(), digest_size=8).hexdigest()

    @cached_property
    def moving(self) -> tuple[Field, ...]:
        """The fields that functional groups of enhanced objects may hold."""
        return tuple(field for field in self.fields if field.level in ("acquisition", "image") or field.nested)

    @cached_property
    def by_tag(self) -> dict[int, Field]:
        """The fields that have a place at the top level."""
        return {field.tag: field for field in self.fields if field.tag}

    @cached_property
    def by_sequence(self) -> dict[int, list[Field]]:
        """The fields that have a place in a sequence, by the sequence's tag."""
        found: dict[int, list[Field]] = {}
        for field in self.fields:
            for tag in dict.fromkeys(path[0] for path in field.nested):
                found.setdefault(tag, []).append(field)
        return found

    @cached_property
    def by_creator(self) -> dict[tuple[int, str], list[Field]]:
        """The fields that have a place among the private elements of a group and creator."""
        found: dict[tuple[int, str], list[Field]] = {}
        for field in self.fields:
            for place in dict.fromkeys((place.group, place.creator.upper()) for place in field.private):
                found.setdefault(place, []).append(field)
        return found

    @cached_property
    def in_sequences_first(self) -> tuple[Field, ...]:
        """The fields whose place of the standard is in a sequence, though some write them at the top level."""
        return tuple(field for field in self.fields if field.sequence_first)

    @cached_property
    def of_image(self) -> frozenset[str]:
        """The fields that change from image to image, and the names of their sources."""
        names = {field.name for field in self.fields if field.level == "image"}
        return frozenset(names | {f"{name}_source" for name in names})

    def names_of(self, *levels: Level) -> tuple[str, ...]:
        """The names of the fields of some levels, in the order of the table."""
        return tuple(field.name for field in self.fields if field.level in levels)


def snake(keyword: str) -> str:
    """The name of a field of the standard: its keyword in small letters (`EchoTime` is `echo_time`)."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", keyword)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()
