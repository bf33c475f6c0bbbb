"""How often the labels are right: on headers that we labelled, on headers whose data sets' authors did, and on both when disturbed."""

import importlib.util
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gyrus.classifier.core import classify_study, packaged_rules

SHARED = Path(__file__).parents[3] / "shared"
VECTORS, SIDECARS = SHARED / "data" / "classification_vectors.jsonl", SHARED / "data" / "bids_sidecars.jsonl"
AXES = ("base", "technique", "modifier", "construct", "provenance", "acceleration", "intent")
SINGLE = ("base", "technique", "provenance", "intent")

pytestmark = pytest.mark.skipif(
    not VECTORS.exists(), reason="the vectors are not kept here; they lie in ../shared/data where that is present"
)


def tool(name: str) -> ModuleType:
    """A program of ../shared/tools as a module."""
    sys.path.insert(0, str(SHARED / "tools"))
    spec = importlib.util.spec_from_file_location(name, SHARED / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.pop(0)
    return module


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def labels_of(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    rules = packaged_rules()
    return {row["id"]: {"id": row["id"], **classify_study({"stack": row["fingerprint"]}, rules)["stack"].document()} for row in rows}


@cache
def disturbed(mode: str) -> list[dict[str, Any]]:
    perturb, seeds = tool("perturb_vectors"), __import__("random").Random
    rows = rows_of(VECTORS)
    for row in rows:
        perturb.MODES[mode](row["fingerprint"], seeds(f"1:{row['id']}"))
    return rows


def kept(tmp_path: Path, labels: dict[str, dict[str, Any]]) -> str:
    path = tmp_path / "labels.jsonl"
    shown = ("id", *AXES, "contrast")
    path.write_text("\n".join(json.dumps({name: label[name] for name in shown}) for label in labels.values()), encoding="utf-8")
    return str(path)


def test_vectors_are_right_on_each_axis_also_where_a_value_is_rare(tmp_path: Path):
    limits = dict.fromkeys(AXES, 0.97)
    limits |= {f"nonempty.{axis}": 0.95 for axis in AXES} | {f"balanced.{axis}": 0.93 for axis in AXES} | {"all": 0.90, "contrast": 0.97}
    asked = [part for name, limit in limits.items() for part in ("--min", f"{name}={limit}")]

    assert tool("score_classification").main([str(VECTORS), kept(tmp_path, labels_of(rows_of(VECTORS))), *asked]) == 0


def test_series_are_what_their_authors_called_them(tmp_path: Path):
    limits = {"axes": 0.95, "kind": 0.95, "bids_suffix": 0.93, "balanced.axes": 0.95, "balanced.kind": 0.95, "balanced.bids_suffix": 0.93}
    asked = [part for name, limit in limits.items() for part in ("--min", f"{name}={limit}")]

    assert tool("score_bids").main([str(SIDECARS), kept(tmp_path, labels_of(rows_of(SIDECARS))), *asked]) == 0


@pytest.mark.parametrize("mode", ["jitter", "spelling", "noise"])
def test_a_header_that_says_the_same_in_another_way_has_the_same_labels(mode: str):
    right = tool("score_classification").right
    rows, plain = disturbed(mode), labels_of(rows_of(VECTORS))
    labels = labels_of(rows)

    def all_right(found: dict[str, dict[str, Any]]) -> float:
        return sum(all(right(row, found[row["id"]])[axis] for axis in AXES) for row in rows) / len(rows)

    assert all_right(labels) >= all_right(plain) - 0.03


@pytest.mark.parametrize("mode", ["notext", "nosequence"])
@pytest.mark.parametrize("axis", AXES)
def test_what_a_header_no_longer_says_becomes_unknown_and_not_wrong(mode: str, axis: str):
    scorer = tool("score_classification")
    rows = disturbed(mode)
    labels = labels_of(rows)

    wrong = [row["id"] for row in rows if not scorer.right(row, labels[row["id"]])[axis] and _is_said(axis, row, labels[row["id"]], scorer)]

    assert len(wrong) / len(rows) <= 0.03, wrong


def _is_said(axis: str, row: dict[str, Any], label: dict[str, Any], scorer: ModuleType) -> bool:
    """Whether a wrong answer claims something. `misc` is the intent of what nobody knows."""
    if axis in SINGLE:
        return scorer.one(axis, label[axis]) not in {None, "misc"}
    allowed = scorer.many(axis, row["expected"][axis]) | scorer.many(axis, row.get("also_accepted", {}).get(axis))
    return not scorer.many(axis, label[axis]) <= allowed
