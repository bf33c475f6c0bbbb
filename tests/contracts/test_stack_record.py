"""The record of a stack: its keys are promised to everybody who reads `--json` or the API."""

import json

from gyrus.shared.documents import stack_record

KEYS = [
    "series_uid", "stack_key", "kind", "modality", "n_files", "n_images", "b_values", "n_volumes", "orientation", "completeness",
    "base", "technique", "modifier", "construct", "provenance", "acceleration", "contrast", "body_part", "intent", "probability", "review",
    "review_kinds", "review_group",
]  # fmt: skip
LISTS = {"modifier", "construct", "acceleration", "review", "review_kinds"}
NOT_KNOWN = dict.fromkeys(
    ("base", "technique", "modifier", "construct", "provenance", "acceleration", "contrast", "body_part", "intent", "all")
)  # each with a probability


def test_all_keys_are_there_in_their_order_even_of_a_stack_of_which_nothing_is_known() -> None:
    record = stack_record({}, None)

    assert list(record) == KEYS
    assert {key: value for key, value in record.items() if value is not None} == {"probability": NOT_KNOWN, **{key: [] for key in LISTS}}


def test_a_labelled_stack_says_what_its_documents_say_and_nothing_more() -> None:
    stack = {
        "_id": "c/1.2/0a", "cohort": "c", "series_instance_uid": "1.2", "stack_key": "MR|TE=2.5", "kind": "single", "modality": "MR",
        "n_files": 5, "n_images": 5, "b_values": [], "n_volumes": 1, "orientation": "AX", "winners": "aa", "version": "bb",
        "completeness": {"verdict": "complete", "reasons": []},
    }  # fmt: skip
    label = {
        "base": "T1w", "technique": "MPRAGE", "modifier": ["IR"], "construct": [], "provenance": None, "acceleration": ["GRAPPA"],
        "contrast": "none", "body_part": "head", "intent": "anatomical", "probability": {"base": 0.97},
        "review": ["low confidence"], "review_kinds": ["doubt"], "review_group": "0123",
        "evidence": [{"rule": "x"}], "of": {"version": "bb"},
    }  # fmt: skip

    record = stack_record(stack, label)

    assert record == {
        **{key: stack[key] for key in KEYS if key in stack},
        **{key: label[key] for key in KEYS if key in label},
        "series_uid": "1.2",
        "probability": NOT_KNOWN | {"base": 0.97},
    }
    assert json.loads(json.dumps(record)) == record
