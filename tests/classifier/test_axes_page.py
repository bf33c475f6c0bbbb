"""docs/axes/*.md say what the rules say now."""

import shutil
from pathlib import Path

import pytest

from gyrus.classifier.core import Ruleset
from gyrus.classifier.core.axes import RULED
from gyrus.classifier.core.axes_page import pages
from gyrus.classifier.core.axes_words import said
from gyrus.classifier.core.loader import PACKAGED

FOLDER = Path(__file__).parents[2] / "docs" / "axes"


PAGES = pages()


def test_the_pages_in_the_repository_are_those_of_the_rules():
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert sorted(kept) == sorted([axis.name for axis in RULED] + ["flags"]), "`make axes` writes them anew"
    assert [name for name in PAGES if kept[name] != PAGES[name]] == [], "`make axes` writes them anew"


def test_each_value_has_its_section_with_an_example_for_and_one_against(ruleset: Ruleset):
    for axis, rules in ruleset.axes.items():
        for known in rules:
            section = PAGES[axis].partition(f"## `{known.value}` –")[2].partition("\n## ")[0]
            assert "\n- example: " in section and "\n- not: " in section
            assert all(f"`{word}`" in section for word in known.rule.detection.keywords)


def test_values_stand_in_the_order_in_which_they_are_believed(ruleset: Ruleset):
    technique = PAGES["technique"]
    places = [technique.index(f"## `{known.value}` –") for known in sorted(ruleset.axes["technique"], key=lambda known: known.place)]

    assert places == sorted(places)


def test_a_changed_window_changes_the_page(tmp_path: Path):
    folder = Path(shutil.copytree(PACKAGED, tmp_path / "rules"))
    path = folder / "base-detection.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("echo_time: {above: 17}", "echo_time: {above: 17.5}"), encoding="utf-8")

    changed = {name: text for name, text in pages(folder).items() if text != PAGES[name]}

    assert list(changed) == ["base"]
    assert "numbers: TE > 17.5 ms" in changed["base"]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("has_gre & !has_epi & echo_time>17", "`has_gre`, not `has_epi`, TE > 17 ms"),
        ("technique=MPRAGE | text:dark fluid", "technique `MPRAGE` or “dark fluid”"),
        ("!description:adc", "not “adc” in the description"),
        ("n_temporal_positions<2", "n temporal positions < 2"),
    ],
)
def test_conditions_are_said_in_words(condition: str, words: str):
    assert said(condition) == words
