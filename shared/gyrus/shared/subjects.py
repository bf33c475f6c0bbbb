"""Subject codes from folders: which folder of a path is a subject's, and under which code, by a pattern or a map. Pure.

    {subject}           the first folder below the rule's path: what holds where a rule has no pattern
    */{subject}         the second
    raw/sub-{subject}   what follows `sub-` in the name of a folder in `raw`
    **/{subject}/dicom  the uppermost folder that holds a folder `dicom`

`*` is any part of one folder's name, `**` any number of folders, `{subject}` at least one sign of one folder's name, as few as fit.
A pattern describes the first folders of a path; what lies below them does not matter. The file's own name is never a subject.
"""

import csv
import functools
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, field_validator

from gyrus.shared.errors import Misuse

DEFAULT = "{subject}"  # the pattern of a rule that has none: the first folder level
MOST = 100_000  # folders that a map may name
LONGEST = 1000  # characters of a pattern
COLUMNS = ("folder", "subject")

_FIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"S[0-9a-f]{16}", re.IGNORECASE)  # what is made of a PatientID: no folder shall look like it
_TOKEN = re.compile(r"(\*|\{subject\})")
_MEANS = {"*": "[^/]*?", DEFAULT: "(?P<subject>[^/]+?)"}


class NoRule(Misuse, ValueError):
    """A pattern or a map that cannot be used; the message says where, and what to write."""


class Rule(BaseModel, frozen=True, extra="forbid"):
    """How the folders of a place name their subjects: by a pattern, a map, or both: the pattern finds the folder, the map its code."""

    source: str = Field(description="Name of the source.")
    path: str = Field("", description="Text path of the folder within the source that the rule holds for; empty: the whole source.")
    pattern: str | None = Field(None, description="Which folder is a subject's; default: the first below `path`.")
    map: dict[str, str] | None = Field(
        None, description="Subject codes by folder: relative to `path`, its own name, or what {subject} stands for."
    )

    @field_validator("pattern")
    @classmethod
    def _usable(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)

    @field_validator("map")
    @classmethod
    def _fit(cls, codes: dict[str, str] | None) -> dict[str, str] | None:
        return None if codes is None else check_map(codes)

    def document(self) -> dict[str, Any]:
        """The rule as it is stored: a map as sorted pairs, since folders have names that no field of a document may have."""
        pairs = None if self.map is None else [[folder, code] for folder, code in sorted(self.map.items())]
        whole = {"source": self.source, "path": self.path, "pattern": self.pattern, "map": pairs}
        return {name: value for name, value in whole.items() if value is not None}


def stored(document: Mapping[str, Any]) -> Rule:
    """The rule that `Rule.document` wrote: checked when it was given, not each time that it is loaded."""
    pairs = document.get("map")
    return Rule.model_construct(**{**document, "map": None if pairs is None else dict(pairs)})


def is_fit(code: str) -> bool:
    """Whether a text can be a subject's code: letters, digits, `.`, `_` and `-`, at most 64, and not what a digest looks like."""
    return bool(_FIT.fullmatch(code)) and not _DIGEST.fullmatch(code)


# ── where a file's subject is ────────────────────────────────────────────────────────────────────────────────────────


def rule_of(path: str, rules: Iterable[Rule], source: str) -> Rule | None:
    """The rule that holds for a file: of those whose path it lies below the one with the longest, of equal ones the first."""
    holding = (rule for rule in rules if rule.source == source and (not rule.path or path.startswith(rule.path + "/")))
    return max(holding, key=lambda rule: len(rule.path), default=None)


def folder_of(path: str, rules: Sequence[Rule], source: str) -> str | None:
    """The subject folder of a file, relative to the source; None where no rule holds, or its pattern does not fit.

    path: the file's text path, relative to the source.
    """
    rule = rule_of(path, rules, source)
    found = rule and _match(path, rule)
    if not rule or not found:
        return None
    return f"{rule.path}/{found['folder']}" if rule.path else found["folder"]


def code_of(path: str, rules: Sequence[Rule], source: str) -> str | None:
    """The subject code of a file; None where the rules give none: no match, no entry in the map, or a name that is no fit code."""
    rule = rule_of(path, rules, source)
    found = rule and _match(path, rule)
    if not rule or not found:
        return None
    code = found["subject"]
    if rule.map is not None:
        names = (found["folder"], found["folder"].rpartition("/")[2], found["subject"])
        code = next((rule.map[name] for name in names if name in rule.map), "")
    return code if is_fit(code) else None


def _match(path: str, rule: Rule) -> re.Match[str] | None:
    below = path[len(rule.path) + 1 :] if rule.path else path
    return _expression(rule.pattern or DEFAULT).match(below)


@functools.lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern; its groups are `folder` and `subject`."""
    text = "(?P<folder>"
    for part in pattern.split("/"):
        if part == "**":
            text += "(?:[^/]+/)*?"
        else:
            end = ")/" if DEFAULT in part else "/"
            text += "".join(_MEANS.get(token) or re.escape(token) for token in _TOKEN.split(part)) + end
    return re.compile(text)


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_pattern(pattern: str) -> str:
    """The pattern, without slashes at its ends. Raises NoRule."""
    parts = pattern.strip("/").split("/")
    rest = pattern.replace(DEFAULT, "")
    if pattern.count(DEFAULT) != 1 or "{" in rest or "}" in rest:
        problem = "it must say {subject} once, where the subject's name is, and have no other braces"
    elif any(part in ("", ".", "..") for part in parts):
        problem = "each part between two slashes must be a folder's name"
    elif any("**" in part and part != "**" for part in parts):
        problem = "`**` stands for whole folders: write it alone between two slashes"
    elif any(part.count("*") > 2 for part in parts) or parts.count("**") > 2:
        problem = "at most two `*` in one folder's name, and two `**`"
    elif len(pattern) > LONGEST:
        problem = f"it has more than {LONGEST} characters"
    else:
        return "/".join(parts)
    raise NoRule(
        f"The subject pattern '{pattern[:80]}' cannot be used: {problem}. Examples: {{subject}}, */{{subject}}, raw/sub-{{subject}}."
    )


def check_map(codes: Mapping[str, str]) -> dict[str, str]:
    """The map, its folders without slashes at their ends. Raises NoRule."""
    if len(codes) > MOST:
        raise NoRule(f"The subject map names {len(codes)} folders; at most {MOST} are possible.")
    checked: dict[str, str] = {}
    for folder, code in codes.items():
        if not folder.strip("/"):
            raise NoRule(f"The subject map has no folder for the code '{code[:80]}'.")
        if not is_fit(code):
            raise NoRule(f"The subject map gives the code '{code[:80]}', which is none: {_WHAT_FITS}")
        if checked.setdefault(folder.strip("/"), code) != code:
            raise NoRule(f"The subject map gives the folder '{folder}' two codes.")
    return checked


_WHAT_FITS = "write letters, digits, '.', '_' and '-', at most 64, and not S with 16 hexadecimal digits."


def parse_map(text: str) -> dict[str, str]:
    """A subject map from CSV with the header `folder,subject`, or with semicolons. Raises NoRule, naming the line.

    Folders are text paths relative to the folder that is ingested. Several may have one subject.
    """
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",")
    codes: dict[str, str] = {}
    lines: dict[str, int] = {}
    try:
        if tuple(name.strip().lower() for name in next(rows, [])) != COLUMNS:
            raise NoRule("Line 1 of the subject map must be its header: folder,subject")
        for row in rows:
            if any(cell.strip() for cell in row):
                folder, code = _entry(row, rows.line_num)
                if codes.setdefault(folder, code) != code:
                    raise NoRule(
                        f"Lines {lines[folder]} and {rows.line_num} of the subject map give one folder two codes: keep one of them."
                    )
                lines.setdefault(folder, rows.line_num)
    except csv.Error as error:
        raise NoRule(f"Line {rows.line_num} of the subject map is no CSV ({error}).") from None
    if not codes:
        raise NoRule("The subject map names no folder: below its header, write a line for each, e.g. visit-01,P001")
    return check_map(codes)


def _entry(row: Sequence[str], line: int) -> tuple[str, str]:
    if len(row) != len(COLUMNS):
        raise NoRule(f"Line {line} of the subject map has {len(row)} columns: write folder,subject and quote what holds a comma.")
    folder, code = row[0].strip().removeprefix("./").strip("/"), row[1].strip()
    if not folder:
        raise NoRule(f"Line {line} of the subject map names no folder.")
    if not is_fit(code):
        raise NoRule(f"Line {line} of the subject map gives the code '{code[:80]}', which is none: {_WHAT_FITS}")
    return folder, code
