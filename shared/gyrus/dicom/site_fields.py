"""Fields that a site reads beside the standard ones, written in YAML. docs/fields.md explains the file.

Nothing in it is evaluated: every value is taken as text, so that `0021` stays what it says.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import cast, get_args

import yaml

from gyrus.dicom.field import Field, Kind, Level, Private, Table
from gyrus.dicom.fields import STANDARD

KEYS = ("name", "keyword", "creator", "group", "element", "vr", "level", "type", "unit", "phi")
OF_PRIVATE = ("creator", "group", "element", "vr")
SOURCE = "site"
NUMBERS = ("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV")
READABLE = frozenset((*NUMBERS, "AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"))
NO_NAMES = frozenset({"frames", "modalities_in_study", "visit"})  # of documents, beside the fields

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


class SiteFieldsError(ValueError):
    """A file of site fields cannot be followed; the text names file, line, what was found and what is possible."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")


def site_fields_of(path: Path | None) -> tuple[Field, ...]:
    """The fields of a site's file, none without a file. Raises SiteFieldsError at the first fault."""
    if path is None:
        return ()
    found: list[Field] = []
    for entry in _entries(path):
        field = entry.field()
        entry.check_new(field, [*STANDARD.fields, *found])
        found.append(field)
    return tuple(found)


@lru_cache(maxsize=4)
def table_with(site: tuple[Field, ...]) -> Table:
    """The standard fields and a site's."""
    return Table(STANDARD.fields + site) if site else STANDARD


class _Entry:
    """One entry of the file: its texts by key, and the line of each."""

    def __init__(self, path: Path, line: int, texts: Mapping[str, tuple[str, int]]) -> None:
        self._path, self._line, self._texts = path, line, texts

    def error(self, key: str, reason: str) -> SiteFieldsError:
        return SiteFieldsError(self._path, self._texts.get(key, ("", self._line))[1], reason)

    def field(self) -> Field:
        for key in self._texts:
            if key not in KEYS:
                raise self.error(key, f"unknown key '{key}'; {_possible(key, KEYS)}")
        name = self._wanted("name")
        if not _NAME.fullmatch(name) or name.endswith("_source"):
            raise self.error("name", f"'{name}' is no name: small letters, digits and _, a letter first, not ending in _source.")
        keyword, tag = ("", 0) if "creator" in self._texts else self._element()
        return Field(
            name,
            keyword,
            tag,
            cast("Level", self._one_of("level", get_args(Level))),
            cast("Kind", self._one_of("type", get_args(Kind))),
            self._text("unit"),
            private=() if tag else (self._private(),),
            phi=self._truth("phi"),
        )

    def check_new(self, field: Field, others: Iterable[Field]) -> None:
        """Refuse a name, or an element, that is taken."""
        for other in others:
            if field.name in (other.name, f"{other.name}_source") or field.name in NO_NAMES:
                raise self.error("name", f"there is a field '{field.name}' already; choose another name, such as 'site_{field.name}'.")
            if field.tag and field.tag == other.tag:
                raise self.error("keyword", f"{field.keyword} is read already, as the field '{other.name}'; leave this entry out.")

    def _element(self) -> tuple[str, int]:
        """Keyword and tag of an element of the standard."""
        from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword  # noqa: PLC0415 - only where a file asks for it

        for key in OF_PRIVATE:
            if key in self._texts:
                raise self.error(key, f"'{key}' belongs to a private element, which has a 'creator'; or leave it out beside 'keyword'.")
        keyword = self._wanted("keyword")
        tag = tag_for_keyword(keyword)
        if tag is None:
            near = get_close_matches(keyword, keyword_dict, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise self.error("keyword", f"the standard has no keyword '{keyword}'{hint} A maker's element has a creator instead.")
        if dictionary_VR(tag) not in READABLE and dictionary_VR(tag) != "US or SS":
            raise self.error("keyword", f"{keyword} has the value representation {dictionary_VR(tag)}, which is no value of a field.")
        return keyword, int(tag)

    def _private(self) -> Private:
        if "keyword" in self._texts:
            raise self.error("keyword", "an entry has a keyword, or a creator with group, element and vr; not both.")
        group, element = self._hexadecimal("group", 4), self._hexadecimal("element", 2)
        if not group % 2:
            raise self.error("group", f"{group:04x} is even: private groups are odd.")
        return Private(group, self._wanted("creator"), element, self._one_of("vr", sorted(READABLE)), SOURCE)

    def _hexadecimal(self, key: str, digits: int) -> int:
        text, example = self._wanted(key).lower().removeprefix("0x"), "0029" if digits == 4 else "1a"
        if not re.fullmatch(f"[0-9a-f]{{{digits}}}", text):
            raise self.error(key, f"'{self._text(key)}' is no {key}: {digits} hexadecimal digits, such as {example}.")
        return int(text, 16)

    def _one_of(self, key: str, known: Iterable[str]) -> str:
        text = self._wanted(key)
        if text not in known:
            raise self.error(key, f"there is no {key} '{text}'; {_possible(text, known)}")
        return text

    def _truth(self, key: str) -> bool:
        text = self._text(key).lower() or "true"
        if text not in _TRUTH:
            raise self.error(key, f"'{text}' is neither true nor false.")
        return _TRUTH[text]

    def _wanted(self, key: str) -> str:
        if not self._text(key):
            raise self.error(key, f"'{key}' is missing; an entry has name, level, type, and a keyword or creator, group, element and vr.")
        return self._text(key)

    def _text(self, key: str) -> str:
        return self._texts.get(key, ("", 0))[0].strip()


def _entries(path: Path) -> list[_Entry]:
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SiteFieldsError(path, 1, f"the file of site fields cannot be read: {unreadable}.") from None
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise SiteFieldsError(path, line, f"not YAML: {broken.problem}.") from None
    except RecursionError:
        raise SiteFieldsError(path, 1, "not a file of site fields: it is nested too deeply.") from None
    except yaml.YAMLError as broken:
        raise SiteFieldsError(path, 1, f"not YAML: {broken}.") from None
    if not isinstance(node, yaml.SequenceNode):
        raise SiteFieldsError(path, 1, "expected a list of fields, each beginning with `- name: …`.")
    return [_entry(path, item) for item in node.value]


def _entry(path: Path, node: yaml.Node) -> _Entry:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise SiteFieldsError(path, line, "expected a field with name, level, type, and a keyword or a creator.")
    texts: dict[str, tuple[str, int]] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(value, yaml.ScalarNode):
            raise SiteFieldsError(path, at, f"'{key.value}' has several values; each key of a field has one.")
        if str(key.value) in texts:
            raise SiteFieldsError(path, at, f"'{key.value}' stands twice in this field; remove one.")
        texts[str(key.value)] = (str(value.value), at)
    return _Entry(path, line, texts)


def _possible(found: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(found, names, n=1)
    return f"{f'did you mean {near[0]}? ' if near else ''}possible: {', '.join(names)}."
