"""The list of oddities is closed, and every one has a sentence."""

from gyrus.dicom.diagnostics import DIAGNOSTICS, is_listed, sentence_of, summed


def test_every_code_has_a_sentence() -> None:
    assert all(said[0].isupper() and said.endswith(".") for said in DIAGNOSTICS.values())


def test_a_code_may_name_a_field() -> None:
    assert is_listed("value_invalid:echo_time")
    assert sentence_of("value_invalid:echo_time") == "echo_time: a value is not of the form that its element must have, and was left out."
    assert not is_listed("unheard_of")


def test_counts_of_several_are_added_by_code() -> None:
    assert summed([{"b": 1, "a": 2}, {}, {"a": 1, "c": 0}]) == {"a": 3, "b": 1}
