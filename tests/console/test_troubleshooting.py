"""docs/troubleshooting.md quotes what is really printed, and leaves out no reason."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gyrus.data.refusals import REFUSALS
from gyrus.dicom.rejects import REJECT_REASONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for room in ("shared", "console", "services") for path in (ROOT / room).rglob("*.py"))
SEEN = re.compile(r"^\| (.*?) \|", re.MULTILINE)  # first column of the tables: what people see


def quoted() -> list[str]:
    """Everything that the first columns quote; a rejection's sentence too."""
    return [text for cell in SEEN.findall(PAGE) for text in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("text", quoted())
def test_what_people_see_stands_in_the_code(text: str) -> None:
    pieces = [piece.strip(" .:") for piece in re.split("…|FIELD", text)]

    assert [piece for piece in pieces if len(piece) > 2 and piece not in CODE and not piece.startswith("gyrus ")] == []


@pytest.mark.parametrize(
    ("head", "reasons"), [("| reason | which says | do |", REJECT_REASONS), ("| refused | which says, and what to do |", REFUSALS)]
)
def test_every_reason_is_listed_with_its_sentence(head: str, reasons: Mapping[str, str]) -> None:
    table = PAGE.partition(head)[2].partition("\n\n")[0]

    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table, re.MULTILINE)) == reasons


def test_the_titles_that_people_know_are_there() -> None:
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)

    assert titles[:3] == ['"No DICOM files found"', '"Duplicate series"', "Memory issues"]


def test_it_is_linked_from_the_first_page() -> None:
    assert "(docs/troubleshooting.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
