"""A dry run counts files by subject folder, with the code that each would get."""

from typing import Any

from gyrus.shared.subjects import Rule
from gyrus.watcher.dry_run import DryRun
from gyrus.watcher.walk import Seen


def told(paths: list[str], rules: list[Rule], below: str = "", rule: dict[str, Any] | None = None) -> list[tuple[str, str | None, int]]:
    dry = DryRun({"source": "s", "path": below, **({"rule": [rule]} if rule else {})}, rules)
    dry.count([Seen(path, 1, 1) for path in paths])
    return [(row["folder"], row["subject"], row["files"]) for row in dry.told(len(paths), 0)["folders"]]


def test_without_a_rule_the_first_level_below_the_place_is_the_subject_folder_and_its_code_is_not_known() -> None:
    assert told(["t/a/1", "t/a/x/2", "t/b/3", "t/4"], [], below="t") == [("", None, 1), ("a", None, 2), ("b", None, 1)]


def test_a_rule_of_the_cohort_gives_codes_and_what_it_leaves_out_has_none() -> None:
    assert told(["x/a/1", "x/b c/2"], [Rule(source="s", pattern="x/{subject}")]) == [("x/a", "a", 1), ("x/b c", None, 1)]


def test_the_rule_of_the_dry_run_itself_comes_first() -> None:
    given = {"source": "s", "path": "", "map": [["a", "P001"]]}

    assert told(["a/1", "b/2"], [Rule(source="s", pattern="{subject}")], rule=given) == [("a", "P001", 1), ("b", None, 1)]
