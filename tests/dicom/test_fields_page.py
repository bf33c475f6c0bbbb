"""docs/fields.md is what the table says now."""

import re
from pathlib import Path

from gyrus.dicom.field import Private, Table
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.fields_page import page
from gyrus.dicom.site_fields import site_fields_of

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"


def test_the_page_in_the_repository_is_that_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(STANDARD), "`make fields` writes it anew"


def test_the_page_has_one_line_for_each_field_and_names_its_sources() -> None:
    lines = {match[1]: line for line in page(STANDARD).splitlines() if (match := re.match(r"\| `(\w+)`(?: \*\*phi\*\*)? \|.*\|", line))}

    for field in STANDARD.fields:
        assert all(place.source in lines[field.name] and place.creator in lines[field.name] for place in field.private)
        assert all(f"`{source}`" in lines[field.name] for source in field.makers)
        assert ("**phi**" in lines[field.name]) == field.phi


def test_a_new_field_changes_the_page(tmp_path: Path) -> None:
    site = tmp_path / "fields.yaml"
    site.write_text("- {name: ward, creator: A|B, group: 0029, element: 10, vr: LO, level: study, type: text}")
    fields = site_fields_of(site)
    told = page(Table(STANDARD.fields + fields))

    assert fields[0].private == (Private(0x29, "A|B", 0x10, "LO", "site"),)
    assert r"| `ward` **phi** |  | text |  |  | `site` (0029,xx10) LO A\|B |  |" in told.splitlines()


def test_the_example_of_a_sites_file_can_be_followed(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "fields.yaml"
    file.write_text(example, encoding="utf-8")

    assert [(field.name, field.phi) for field in site_fields_of(file)] == [("department", True), ("head_temperature", False)]
