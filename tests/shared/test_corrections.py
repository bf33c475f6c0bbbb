"""Which corrections count, and for which stack."""

from typing import Any

import pytest

from gyrus.shared.corrections import pins, standing

OLD, OTHER, NEW = "c/1/old", "c/1/other", "c/1/new"


def said(stack: str, value: Any = "T1w", axis: str = "base", **more: Any) -> dict[str, Any]:
    return {"stack": stack, "series": "c/1", "axis": axis, "value": value, **more}


def stacks(*living: str) -> list[dict[str, Any]]:
    return [{"_id": stack, "series": "c/1", "retired": stack not in living} for stack in (OLD, OTHER, NEW)]


def fates(corrections: list[dict[str, Any]], *living: str) -> list[tuple[str, str, Any]]:
    return [(one["state"], one["stack"], one["value"]) for one in standing(corrections, stacks(*living))]


def test_of_several_the_last_counts_until_it_is_taken_back():
    assert fates([said(OLD), said(OLD, "T2w")], OLD) == [("stands", OLD, "T2w")]
    assert fates([said(OLD), said(OLD, withdrawn=True)], OLD) == []


def test_what_was_said_of_a_retired_stack_goes_to_the_one_that_lives_or_waits():
    assert fates([said(OLD)], NEW) == [("carried over", NEW, "T1w")]
    assert fates([said(OLD)], NEW, OTHER) == [("waits", OLD, "T1w")]


def test_what_is_said_of_the_heir_itself_replaces_what_is_carried_over():
    assert fates([said(OLD), said(NEW, "T2w")], NEW) == [("replaced", OLD, "T1w"), ("stands", NEW, "T2w")]


def test_what_is_carried_over_can_be_taken_back_where_it_is_now():
    corrections = [said(OLD), said(NEW, withdrawn=True)]

    assert fates(corrections, NEW) == [("replaced", OLD, "T1w")]
    assert pins(corrections, stacks(NEW)) == []


def test_what_was_taken_back_before_takes_nothing_back_that_is_said_later():
    assert fates([said(NEW), said(NEW, withdrawn=True), said(OLD, "T2w")], NEW) == [("carried over", NEW, "T2w")]


@pytest.mark.parametrize(
    ("one", "another", "state"), [("T1w", "T2w", "waits"), ("T1w", "T1w", "carried over"), (["a", "b"], ["b", "a"], "carried over")]
)
def test_stacks_that_become_one_wait_for_a_person_where_they_were_said_to_differ(one: Any, another: Any, state: str):
    assert {fate for fate, _, _ in fates([said(OLD, one), said(OTHER, another)], NEW)} == {state}
