"""Which stacks the policy asks for, and when a plan differs from another."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gyrus.shared import documents
from gyrus.shared.policy import Policy, why_not


def a_label(intent: str | None, construct: tuple[str, ...] = (), body_part: str | None = None) -> dict[str, Any]:
    return {"intent": intent, "construct": list(construct), "body_part": body_part}


def asked(modality: str, *said: Any) -> str | None:
    found: str | None = Policy().plan(modality, a_label(*said))["policy"]
    return found


def test_by_default_anatomy_diffusion_maps_and_heads_in_ct_are_asked_for() -> None:
    assert asked("MR", "anat") == "anatomical MR"
    assert asked("MR", "dwi", ("ADC",)) == "diffusion maps"
    assert asked("CT", "ct", (), "brain") == asked("CT", "ct", (), "head") == "CT head"


@pytest.mark.parametrize(
    ("modality", "said"),
    [
        ("MR", ("dwi",)), ("MR", ("func",)), ("MR", ("localizer",)), ("MR", (None,)), ("MR", ("perf", ("CBF",))),
        ("CT", ("ct", (), "chest")), ("CT", ("ct",)), ("CT", ("localizer", (), "head")), ("PT", ("pet", (), "brain")),
    ],
)  # fmt: skip
def test_nothing_else_is_asked_for_by_default(modality: str, said: tuple[Any, ...]) -> None:
    assert asked(modality, *said) is None


def test_the_mode_is_of_the_stack_whatever_the_policy() -> None:
    assert [Policy().plan(modality, a_label(None))["mode"] for modality in ("MR", "CT", "PT", None)] == ["mri", "ct", None, None]


def test_a_policy_of_ones_own_is_json_of_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYRUS_POLICY", json.dumps([{"modality": "MR", "intent": ["func", "dwi"]}, {"modality": ["CT"]}]))
    monkeypatch.setenv("GYRUS_MOST_VOLUMES", "3")
    policy = Policy()

    assert [policy.plan("MR", a_label(intent))["policy"] for intent in ("func", "anat")] == ["MR func/dwi", None]
    assert policy.plan("CT", a_label("ct"))["parameters"] == {"recipe": documents.RECIPE, "volumes": 3}


@pytest.mark.parametrize("wrong", ['[{"modalty": "MR"}]', '"anat"', '[{"intent": 3}]'])
def test_a_policy_that_says_nothing_we_know_is_an_error(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("GYRUS_POLICY", wrong)

    with pytest.raises(ValidationError):
        Policy()


def test_why_there_is_no_volume_names_what_was_looked_at() -> None:
    label = a_label("func", (), "brain")

    assert why_not(Policy().plan("MR", a_label("anat")), "MR", a_label("anat")) is None
    assert why_not(Policy().plan("PT", label), "PT", label) == ("unsupported_modality", "only MR and CT have a recipe")
    assert why_not(Policy().plan("MR", label), "MR", label) == (
        "not_asked_for",
        "no wish of the policy fits: modality MR; intent func; construct unknown; body part brain",
    )


def test_another_policy_changes_the_plans_of_those_only_of_whom_it_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Policy()
    monkeypatch.setenv("GYRUS_POLICY", json.dumps([{"name": "anatomical MR", "modality": "MR", "intent": "anat"}, {"intent": "func"}]))
    after = Policy()

    assert before.digest != after.digest
    assert before.plan("MR", a_label("anat")) == after.plan("MR", a_label("anat"))
    assert before.plan("MR", a_label("func")) != after.plan("MR", a_label("func"))


def test_another_recipe_or_other_parameters_are_another_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Policy().plan("MR", a_label("anat")), Policy().digest
    monkeypatch.setattr(documents, "RECIPE", documents.RECIPE + 1)

    assert Policy().plan("MR", a_label("anat")) != before[0]
    assert Policy().digest != before[1]
