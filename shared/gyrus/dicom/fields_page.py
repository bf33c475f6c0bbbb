"""docs/fields.md, made from the table of fields: `make fields` writes it, a test refuses an old one."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.datadict import keyword_for_tag

from gyrus.dicom.field import TOP_LEVEL, Field, Level, Private, Table
from gyrus.dicom.fields import STANDARD

HEAD = Path(__file__).with_name("fields_page.md")
COLUMNS = ("field", "standard place", "type", "unit", "in a sequence", "else, by source", "empty")
LEVELS: dict[Level, str] = {
    "subject": "Subject",
    "study": "Study",
    "series": "Series and equipment",
    "acquisition": "Acquisition",
    "image": "Image",
}


def page(table: Table) -> str:
    """The whole page: what is written by hand, then a table for each level."""
    parts = [HEAD.read_text(encoding="utf-8").rstrip("\n")]
    for level, title in LEVELS.items():
        fields = [field for field in table.fields if field.level == level]
        parts.append(f"## {title}\n\n{_table(fields)}")
    return "\n\n".join(parts) + "\n"


def _table(fields: Iterable[Field]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(tuple(_cells(field)) for field in fields)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _cells(field: Field) -> Iterator[str]:
    yield f"`{field.name}`{' **phi**' if field.phi else ''}"
    yield f"{field.keyword} {_tag(field.tag)}" if field.tag else ""
    yield field.kind.replace("_", " ")
    yield field.unit
    first = "first: " if field.sequence_first else ""
    yield first + "; ".join(_path(path, field.joined) for path in field.nested) if field.nested else ""
    yield "; ".join(_sources(field))
    yield ", ".join(_empty(value) for value in field.empty)


def _sources(field: Field) -> Iterator[str]:
    if field.sequence_first:
        yield f"`{TOP_LEVEL}`"
    yield from (f"`{place.source}` {_private(place)}" for place in field.private)
    yield from (f"`{source}`" for source in field.makers)


def _private(place: Private) -> str:
    element = f"({place.group:04X},xx{place.element:02X}) {place.vr} {place.creator}"
    element += f" × {place.scale:g}" if place.scale != 1 else ""
    return f"{element}, `{place.pattern}`" if place.pattern else element


def _path(path: tuple[int, ...], joined: tuple[int, ...]) -> str:
    steps = [f"{keyword_for_tag(tag)} {_tag(tag)}" for tag in path]
    if joined:
        steps.append(f"{keyword_for_tag(joined[0])} … {keyword_for_tag(joined[-1])}")
    return " → ".join(steps)


def _tag(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _empty(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(page(STANDARD))


if __name__ == "__main__":
    main()
