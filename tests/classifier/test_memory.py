"""What was read before is not read again, and nobody can tell."""

import pickle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.fingerprints import a_dwi, a_tse, an_adc, an_mprage
from gyrus.classifier.core import ClassificationContext, Ruleset, classify_study, fields, load_rules
from gyrus.classifier.core.memory import MOST, Memory
from gyrus.classifier.core.study import Study, classify

RULES = load_rules()
EXAMPLES = [fingerprint for rules in RULES.axes.values() for known in rules for fingerprint in (*known.rule.examples, *known.rule.never)]


class Watched(dict[str, Any]):
    """A fingerprint that remembers which of its keys were asked for."""

    asked: frozenset[str] = frozenset()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked |= {key}
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.asked |= {key}
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked |= {str(key)}
        return super().__contains__(key)


def test_nothing_is_read_that_the_key_does_not_hold(ruleset: Ruleset):
    read: set[str] = set()
    for fingerprint in EXAMPLES:
        watched = Watched(fields.told(fingerprint))
        context = ClassificationContext(watched, ruleset.reader)
        assert context.acquisition
        classify(context, Study(None), ruleset, {})
        read |= watched.asked

    assert read <= set(ruleset.reader.asked)


@given(stacks=st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_study_that_was_seen_before_has_the_same_verdicts(stacks: list[dict[str, Any]]):
    study = {str(number): fingerprint for number, fingerprint in enumerate(stacks)}
    for fingerprint in stacks:
        classify_study({"alone": fingerprint}, RULES)
    again = classify_study(study, RULES)
    RULES.memory.forget()

    assert again == classify_study(study, RULES)


def test_values_that_python_calls_equal_are_not_read_alike(ruleset: Ruleset):
    keys = {ruleset.reader.key(a_tse(multiband_factor=value)) for value in (1, 1.0, True, "1", [1])}

    assert len(keys) == 5


def test_fields_that_no_rule_reads_and_their_order_do_not_change_the_key(ruleset: Ruleset):
    plain = an_mprage()
    other = {"study_date": "2020-01-31", **dict(reversed(plain.items())), "rows": 256}

    assert ruleset.reader.key(other) == ruleset.reader.key(plain)


def test_a_correction_is_neither_remembered_nor_forgotten(ruleset: Ruleset):
    said = [{"stack": "s", "axis": "technique", "value": "TSE"}]
    plain = classify_study({"s": an_mprage()}, ruleset)
    corrected = classify_study({"s": an_mprage()}, ruleset, said)

    assert (plain["s"].axes["technique"].value, corrected["s"].axes["technique"].value) == ("MPRAGE", "TSE")
    assert classify_study({"s": an_mprage()}, ruleset) == plain


def test_what_siblings_say_is_not_remembered_for_a_stack_alone(ruleset: Ruleset):
    study = {"adc": an_adc(), "dwi": a_dwi(sequence_name="*re_b1000#3")}
    beside = classify_study(study, ruleset)["adc"]
    alone = classify_study({"adc": an_adc()}, ruleset)["adc"]

    assert (beside.axes["technique"].value, alone.axes["technique"].value) == ("MS-EPI", "DWI-EPI")


def test_a_full_memory_forgets_and_goes_on(ruleset: Ruleset):
    memory, made = Memory(), []

    def context() -> ClassificationContext:
        made.append(1)
        return ClassificationContext.from_fingerprint({}, ruleset.reader)

    for number in (*range(MOST), *range(MOST), MOST, 0):
        memory.context(str(number), context)

    assert len(made) == MOST + 2


def test_rules_that_are_sent_to_a_worker_take_no_memory_along():
    classify_study({"s": an_mprage()}, RULES)
    copy = pickle.loads(pickle.dumps(RULES))

    assert len(RULES.memory) > 0
    assert len(copy.memory) == 0
    assert classify_study({"s": an_mprage()}, copy) == classify_study({"s": an_mprage()}, RULES)
