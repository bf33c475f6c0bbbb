"""Every packaged rule keeps the promises that stand beside it."""

from typing import Any

import pytest

from classifier.fingerprints import verdict_of
from gyrus.classifier.core import Ruleset, load_rules

RULES = load_rules()
PROMISES = [
    pytest.param(axis, known.value, promise, fingerprint, id=f"{axis}.{known.value}.{promise}.{number}")
    for axis, rules in RULES.axes.items()
    for known in rules
    for promise in ("examples", "never")
    for number, fingerprint in enumerate(getattr(known.rule, promise), 1)
]


@pytest.mark.parametrize(("axis", "value", "promise", "fingerprint"), PROMISES)
def test_a_rule_fires_on_its_examples_and_never_elsewhere(axis: str, value: str, promise: str, fingerprint: dict[str, Any]):
    values = verdict_of(fingerprint, RULES).axes[axis].values

    assert (value in values) is (promise == "examples")


def test_a_stack_of_which_nothing_is_known_is_raw_and_for_some_purpose(ruleset: Ruleset):
    verdict = verdict_of({"modality": "MR"}, ruleset)

    assert {axis: result.values for axis, result in verdict.axes.items() if result.values} == {
        "provenance": ("RawRecon",),
        "intent": ("misc",),
    }
    assert verdict.review
