"""Labels of studies from CSV or JSON: one number, one text, or several 0/1 columns. Ids are text: 001 is not 1.

GyrusError
└ LabelError        (a ValueError) the file and line, what was found, what to do
"""

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import torch

from gyrus.shared.errors import GyrusError

FIRST: Final = "study_id"
MOST_NAMED: Final = 20
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
Kind = Literal["binary", "multiclass", "multilabel", "text"]


@dataclass(frozen=True)
class Row:
    """What was written about one study."""

    where: str
    study: str
    values: tuple[Any, ...]  #: int, float, text; nan: blank


@dataclass(frozen=True)
class Table:
    """What was written: the names of columns (none where nobody named them), and rows."""

    origin: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


class LabelError(GyrusError, ValueError):
    """Labels cannot be used."""


@dataclass(frozen=True)
class Labels:
    """The labels of studies. kind: binary (0 or 1), multiclass (whole numbers), text, or multilabel (0 or 1 in each column)."""

    kind: Kind
    columns: tuple[str, ...]
    by_study: Mapping[str, Any]  #: int, text, or a tuple of int and nan
    origin: str = "study_labels"  #: for messages

    def of(self, study: str) -> Any:
        """A label: int or text, a float32 tensor [K] of several; None where there is none."""
        label = self.by_study.get(study)
        return torch.tensor(label, dtype=torch.float32) if isinstance(label, tuple) else label

    def numbers(self, class_to_idx: Mapping[Any, int] | None = None) -> dict[Any, int]:
        """The number of each class: as given, else in the order of the classes."""
        if self.kind == "multilabel":
            return {}
        return dict(class_to_idx) if class_to_idx is not None else {one: n for n, one in enumerate(sorted(set(self.by_study.values())))}

    def numbered(self, class_to_idx: Mapping[Any, int] | None = None) -> "Labels":
        """The same, each class by its number. Raises LabelError for a class that has none."""
        if self.kind == "multilabel":
            return self
        numbers = self.numbers(class_to_idx)
        if strangers := sorted({str(label) for label in self.by_study.values() if label not in numbers}):
            raise LabelError(f"{self.origin}: class_to_idx has no number for {', '.join(strangers[:MOST_NAMED])}")
        return replace(self, by_study={study: numbers[label] for study, label in self.by_study.items()})

    def lacking(self, studies: Sequence[str], unmatched: Sequence[str]) -> LabelError:
        """That studies have no label; with the labels that have no study, since often they are one and the same, written otherwise."""
        beside = f" Labels without a study: {_few(unmatched)}." if unmatched else ""
        do = "Add them, or say unlabelled='drop' to leave these studies out, or 'keep' for the label None."
        return LabelError(f"{self.origin}: {len(studies)} studies have no label: {_few(studies)}.{beside} {do}")


def labels_of(given: str | PathLike[str] | Mapping[str, Any] | None, blanks: str = "error") -> Labels | None:
    """Labels as ImageDataset takes them: a file, a mapping, or None."""
    if given is None:
        return None
    return _labels(_of_mapping(given, "study_labels"), blanks) if isinstance(given, Mapping) else read_labels(given, blanks)


def read_labels(path: str | PathLike[str], blanks: str = "error") -> Labels:
    """Read a CSV file (study_id, then one label or several columns of 0 and 1) or a JSON file ({study: label}).

    blanks: a blank among several columns is an `error`, or `nan`. Raises FileNotFoundError, LabelError.
    """
    file = Path(path)
    try:
        table = _of_json(file) if file.suffix.lower() == ".json" else _of_csv(file)
    except UnicodeDecodeError as error:
        raise LabelError(f"{file}: byte {error.start} is not UTF-8; save it as text in UTF-8") from None
    return _labels(table, blanks)


def _of_csv(file: Path) -> Table:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.reader(lines)
        head = [name.strip() for name in next(reader, [])]
        if len(head) < 2 or head[0].lower() != FIRST:
            raise LabelError(f"{file}:1: expected a header like `{FIRST},label`, with commas, found `{','.join(head)}`")
        if twice := sorted({name for name in head if head.count(name) > 1}):
            raise LabelError(f"{file}:1: several columns are called {', '.join(twice)}; give each a name of its own")
        rows = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(head):
                    raise LabelError(f"{file}:{reader.line_num}: {len(cells)} cells where the header has {len(head)}")
                rows.append(Row(f"{file}:{reader.line_num}", cells[0].strip(), tuple(_value(cell.strip()) for cell in cells[1:])))
    return Table(str(file), tuple(head[1:]), rows)


def _of_json(file: Path) -> Table:
    try:
        said = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise LabelError(f"{file}:{error.lineno}: this is no JSON: {error.msg}") from None
    except LabelError as error:
        raise LabelError(f"{file}: {error}") from None
    if not isinstance(said, dict):
        raise LabelError(f'{file}: expected an object of labels by study, like {{"study_001": 0}}')
    return _of_mapping(said, str(file))


def _of_mapping(said: Mapping[str, Any], origin: str) -> Table:
    """A label by study, a list of them, or labels by column."""
    columns = tuple(dict.fromkeys(name for label in said.values() if isinstance(label, Mapping) for name in label))
    rows = []
    for study, label in said.items():
        if not isinstance(study, str):
            raise LabelError(f"{origin}: the id {study!r} is no text; ids are text, since 001 is not 1")
        if isinstance(label, Mapping):
            label = [label.get(name) for name in columns]  # noqa: PLW2901
        label = _plain(label)  # noqa: PLW2901
        values = [_plain(value) for value in label] if isinstance(label, Sequence) and not isinstance(label, str) else [label]
        if strange := [value for value in values if isinstance(value, (Sequence, Mapping)) and not isinstance(value, str)]:
            raise LabelError(f"{origin}, {study}: {strange[0]!r} is neither a number nor a text")
        rows.append(Row(f"{origin}, {study}", study, tuple(map(_value, values))))
    return Table(origin, columns, rows)


def _plain(value: Any) -> Any:
    """A number or an array of numpy or torch as numbers and lists of Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _labels(table: Table, blanks: str) -> Labels:
    if not table.rows:
        raise LabelError(f"{table.origin} holds no label")
    by_study: dict[str, tuple[Any, ...]] = {}
    for row in table.rows:
        if not row.study:
            raise LabelError(f"{row.where}: there is no {FIRST}")
        if str(by_study.setdefault(row.study, row.values)) != str(row.values):
            raise LabelError(f"{row.where}: {row.study} has another label further up")
    widths = sorted({len(row.values) for row in table.rows})
    if len(widths) > 1 or not widths[0]:
        raise LabelError(f"{table.origin}: studies have {' or '.join(map(str, widths))} labels; all must have as many, at least one")
    columns = table.columns or tuple(f"label_{n}" for n in range(widths[0]))
    if len(columns) > 1:
        _check_several(table, blanks)
        return Labels("multilabel", columns, by_study, table.origin)
    return Labels(_kind(table), columns, {study: values[0] for study, values in by_study.items()}, table.origin)


def _check_several(table: Table, blanks: str) -> None:
    for row in table.rows:
        for value in row.values:
            if _is_blank(value) and blanks != "nan":
                raise LabelError(f"{row.where}: a label of {row.study} is blank; blank_labels='nan' allows that")
            if not (_is_blank(value) or value in (0, 1)):
                raise LabelError(f"{row.where}: {row.study} has {value!r} in one of several columns; there each is 0 or 1")


def _kind(table: Table) -> Kind:
    for row in table.rows:
        if _is_blank(row.values[0]):
            raise LabelError(f"{row.where}: the label of {row.study} is blank; take the line out, and say unlabelled='drop' or 'keep'")
        if isinstance(row.values[0], float):
            raise LabelError(f"{row.where}: {row.study} has {row.values[0]!r}; a label is a whole number or a text")
    found = {row.values[0] for row in table.rows}
    texts = {value for value in found if isinstance(value, str)}
    if texts and texts != found:
        raise LabelError(f"{table.origin}: labels are numbers and texts: {_few(sorted(map(str, found)))}; write all as one or the other")
    return "text" if texts else "binary" if found <= {0, 1} else "multiclass"


def _value(cell: Any) -> Any:
    """A whole number, another number, a text, or nan for a blank."""
    if cell is None or cell == "":
        return math.nan
    if isinstance(cell, str) and not NUMBER.fullmatch(cell):
        return cell  # 1_0 is a text, though Python reads it as 10
    try:
        return int(cell) if not isinstance(cell, float) else _whole(cell)  # beyond 2^53 a float would be another number
    except (TypeError, ValueError):
        return _whole(float(cell)) if isinstance(cell, str) else str(cell)


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _is_blank(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in pairs:
        if said.setdefault(name, value) != value:
            raise LabelError(f"{name} stands twice, with different labels")
    return said


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
