"""Real series of public sets, judged by hand-made labels: as they are, and with every free text taken out.

The labels never name fat saturation, water excitation or flow compensation, which ScanOptions (0018,0022) state; these are set aside here.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from classifier.real_series import labelled
from classifier.test_truth import AXES, SHARED, tool
from gyrus.console.offline import extract

HOME, LABELS = os.environ.get("GYRUS_TEST_DICOM"), SHARED / "data" / "dicom" / "LABELS.jsonl"
NEVER_LABELLED = frozenset({"FatSat", "WaterExcitation", "FlowComp"})
pytestmark = [
    pytest.mark.skipif(
        not (HOME and LABELS.exists()), reason="GYRUS_TEST_DICOM names no folder with the unpacked sets of ../shared/data/dicom"
    ),
    pytest.mark.timeout(600),
]

Record = dict[str, Any]
SURE = 0.9


@pytest.fixture(scope="module")
def told() -> Mapping[bool, Mapping[str, list[Record]]]:
    """Whether free text was taken out → series → its stacks."""
    found = extract(Path(str(HOME)), 2)
    records: dict[bool, dict[str, list[Record]]] = {False: defaultdict(list), True: defaultdict(list)}
    for is_blank, of_series in records.items():
        for record in labelled(found, is_blank):
            of_series[record["series_uid"]].append({**record, "modifier": sorted(set(record["modifier"]) - NEVER_LABELLED)})
    return records


def asked(told: Mapping[str, list[Record]]) -> list[tuple[Record, Record]]:
    """Label and the stack that it is about, for each MR series whose label is not of low confidence, as score_series.py picks them."""
    fits = tool("score_series").fits
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    once = Counter(label["series_uid"] for label in labels)
    pairs = []
    for label in labels:
        stacks = told.get(label["series_uid"], [])
        if once[label["series_uid"]] > 1 or not stacks or not label["expected"] or label["label_confidence"] == "low":
            continue
        if not label.get("per_stack"):
            stacks = [max(stacks, key=lambda one: one["n_images"])]
        pairs.append((label, max(stacks, key=lambda one: sum(fits(axis, label, one) for axis in AXES))))
    return pairs


def test_real_series_are_as_labelled(told: Mapping[bool, Mapping[str, list[Record]]]):
    """The labels' acceleration comes from converted files, which do not hold partial Fourier: there headers say more."""
    fits, pairs = tool("score_series").fits, asked(told[False])
    right = Counter(axis for label, stack in pairs for axis in AXES if fits(axis, label, stack))
    whole = sum(all(fits(axis, label, stack) for axis in AXES) for label, stack in pairs)

    assert {axis: right[axis] / len(pairs) for axis in AXES if right[axis] < (0.93 if axis == "acceleration" else 0.95) * len(pairs)} == {}
    assert whole >= 0.85 * len(pairs)


@pytest.mark.parametrize("is_blank", [False, True], ids=["as it is", "without free text"])
def test_no_localizer_phase_image_or_map_is_called_plain_anatomy_or_function(
    is_blank: bool, told: Mapping[bool, Mapping[str, list[Record]]]
):
    fits = tool("score_series").fits
    others = [
        (label, stack)
        for label, stack in asked(told[is_blank])
        if label["expected"].get("construct") or label["expected"]["intent"] in {"localizer", "derived", "excluded", "fmap", "misc"}
    ]
    called = [
        (label["archive"], label["description"], stack["intent"])
        for label, stack in others
        if stack["intent"] in {"anat", "func"} and not stack["construct"] and not fits("intent", label, stack)
    ]

    assert len(others) > 40
    assert called == []


def test_without_free_text_hardly_anything_is_surely_wrong(told: Mapping[bool, Mapping[str, list[Record]]]):
    fits, pairs = tool("score_series").fits, asked(told[True])
    wrong = [
        (label["archive"], label["description"], axis, stack[axis])
        for label, stack in pairs
        for axis in ("base", "technique", "intent")
        if stack[axis] not in {None, "misc"} and not stack["review"] and stack["confidence"][axis] >= SURE and not fits(axis, label, stack)
    ]

    assert len({where[:2] for where in wrong}) <= 0.02 * len(pairs), wrong


def test_most_real_series_are_answered_surely_and_few_of_these_answers_are_wrong(told: Mapping[bool, Mapping[str, list[Record]]]):
    """Acceleration apart (above). Wrong are ColFA for FA, M0 for PWI, and one label about two stacks, magnitude and phase."""
    fits, pairs = tool("score_series").fits, asked(told[False])
    sure = [(label, stack) for label, stack in pairs if stack["probability"]["all"] >= SURE]
    wrong = [label["description"] for label, stack in sure if not all(fits(axis, label, stack) for axis in AXES if axis != "acceleration")]

    assert len(sure) >= 0.75 * len(pairs)
    assert len(wrong) <= 0.05 * len(sure), wrong
