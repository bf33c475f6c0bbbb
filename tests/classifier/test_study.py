"""What a study's stacks are called, and why."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.fingerprints import a_dwi, a_fingerprint, a_tse, an_adc, an_mprage, document_of, verdict_of
from gyrus.classifier.core import CorrectionError, Ruleset, classify_study

IRRELEVANT = st.dictionaries(
    st.sampled_from(["station_name", "device_serial_number", "software_versions", "rows", "study_date", "window_center", "kvp"]),
    st.one_of(st.text(max_size=10), st.integers(), st.none()),
)
STACKS = {"a": an_mprage(), "b": a_tse(), "c": a_dwi(), "d": an_adc(), "e": a_fingerprint(series_description="localizer")}


def test_an_mprage_is_a_t1_weighted_anatomy(ruleset: Ruleset):
    document = document_of(an_mprage(), ruleset)

    assert {axis: document[axis] for axis in ("base", "technique", "modifier", "construct", "provenance", "acceleration", "intent")} == {
        "base": "T1w",
        "technique": "MPRAGE",
        "modifier": [],
        "construct": [],
        "provenance": "RawRecon",
        "acceleration": ["ParallelImaging"],
        "intent": "anat",
    }
    assert (document["contrast"], document["body_part"], document["review"]) == ("unknown", None, [])


def test_a_document_is_plain_json_with_evidence_and_with_probabilities(ruleset: Ruleset):
    document = document_of(an_mprage(), ruleset)

    assert json.loads(json.dumps(document)) == document
    assert 0.9 < document["probability"]["all"] < 1
    assert document["confidence"]["technique"] == 0.99
    assert document["evidence"]["technique"] == [
        {"source": "HIGH_VALUE_TOKEN", "field": "unified_flags", "value": "is_mprage", "target": "MPRAGE", "weight": 0.95},
        {"source": "TEXT_SEARCH", "field": "text_search_blob", "value": "mprage~", "target": "MPRAGE", "weight": 0.75},
    ]


def test_a_word_that_contradicts_the_readout_is_a_reason_to_look_and_no_label(ruleset: Ruleset):
    document = document_of(a_fingerprint(series_description="t2_tse_tra", scanning_sequence="GR", echo_time=5), ruleset)

    assert document["technique"] == "GRE"
    assert "technique: the text says TSE ('tse'), but the tags show GRE" in document["review"]


def test_numbers_win_over_words_and_the_contradiction_is_said(ruleset: Ruleset):
    document = document_of(a_tse(series_description="T1 tse"), ruleset)

    assert document["base"] == "T2w"
    assert document["alternatives"]["base"] == [{"value": "T1w", "confidence": 0.75}]
    assert "base: the numbers say T2w (TE 100 ms, TR 4000 ms), the text says T1w (t1)" in document["review"]


def test_a_flair_is_known_by_its_inversion_time_alone(ruleset: Ruleset):
    document = document_of(a_tse(scanning_sequence="SE\\IR", repetition_time=9000, inversion_time=2500, echo_time=120), ruleset)

    assert (document["base"], document["technique"], document["modifier"]) == ("T2w", "IR-TSE", ["FLAIR"])
    assert document["evidence"]["base"][0]["source"] == "MODIFIER_INFERENCE"


def test_phase_images_maps_and_localizers_have_no_weighting(ruleset: Ruleset):
    phase = a_fingerprint(series_description="t1", image_type="ORIGINAL\\PRIMARY\\P", scanning_sequence="GR")
    localizer = a_fingerprint(series_description="localizer t1", scanning_sequence="GR")

    assert [document_of(one, ruleset)["base"] for one in (phase, localizer)] == [None, None]
    assert document_of(localizer, ruleset)["intent"] == "localizer"


def test_a_gradient_epi_at_the_echo_time_of_activity_is_taken_for_it_unless_something_else_is_said(ruleset: Ruleset):
    known = {"sequence_name": "*epfid2d1_64", "scanning_sequence": "EP", "magnetic_field_strength": 3}
    plain, reversed_blip = a_fingerprint(echo_time=30, **known), a_fingerprint(echo_time=30, series_description="reverse blip", **known)
    early = a_fingerprint(echo_time=12, **known)

    assert [document_of(one, ruleset)["technique"] for one in (plain, reversed_blip, early)] == ["BOLD-EPI", "GRE-EPI", "GRE-EPI"]
    assert [document_of(one, ruleset)["intent"] for one in (plain, reversed_blip)] == ["func", "fmap"]


def test_a_ct_tells_its_kernel_and_a_pet_its_tracer(ruleset: Ruleset):
    known = {"convolution_kernel": "J40s", "radiopharmaceutical": "FDG"}
    told = [document_of({"modality": modality, **known}, ruleset) for modality in ("CT", "PT", "MR")]

    assert [(one["modality"], one["kernel"], one["tracer"]) for one in told] == [
        ("CT", "J40s", None),
        ("PT", None, "FDG"),
        ("MR", None, None),
    ]


@pytest.mark.parametrize(
    ("written", "tracer"),
    [
        ("FDG", "FDG"),
        ("F-18 FDG", "FDG"),
        ("[18F]FDG", "FDG"),
        ("18FFDG", "FDG"),
        ("Fluorodeoxyglucose F^18^", "FDG"),
        ("FDG -- fluorodeoxyglucose", "FDG"),
        ("C-B1031", "FDG"),
        ("35321007", "FDG"),
        ("11C-PiB", "PIB"),
        ("Pittsburgh compound B C^11^", "PIB"),
        ("F18 AV-45", "FLORBETAPIR"),
        ("18F-Flutemetamol", "FLUTEMETAMOL"),
        ("F-DOPA", "FDOPA"),
        ("Ga-68 PSMA-11", "PSMA"),
        ("Ga68 DOTATATE", "DOTATATE"),
        ("[18F]AV-1451", "FLORTAUCIPIR"),
        ("MK-6240", "MK6240"),
        ("Solution", "Solution"),
    ],
)
def test_a_tracer_has_one_name_however_it_is_written(written: str, tracer: str, ruleset: Ruleset):
    assert document_of({"modality": "PT", "radiopharmaceutical": written}, ruleset)["tracer"] == tracer


def test_a_tracer_that_only_the_description_names_is_told_and_no_other_word_of_it(ruleset: Ruleset):
    told = [document_of({"modality": "PT", "series_description": name}, ruleset)["tracer"] for name in ("Tau MK6240 dyn", "Head AC")]

    assert told == ["MK6240", None]


@pytest.mark.parametrize(("modality", "intent"), [("CT", "ct"), ("PT", "pet")])
def test_other_modalities_never_enter_the_mr_rules(modality: str, intent: str, ruleset: Ruleset):
    document = document_of(an_mprage(modality=modality, contrast_bolus_agent="Omnipaque"), ruleset)

    assert [document[axis] for axis in ("base", "technique", "provenance", "intent")] == [None, None, None, intent]
    assert document["modifier"] == document["construct"] == document["acceleration"] == []
    assert (document["contrast"], document["review"]) == ("yes", [])


def test_a_screenshot_of_an_mprage_is_excluded(ruleset: Ruleset):
    document = document_of(an_mprage(image_type="DERIVED\\SECONDARY\\SCREENSHOT"), ruleset)

    assert (document["intent"], document["technique"], document["review"]) == ("excluded", None, [])


def test_a_map_was_measured_as_the_diffusion_series_of_its_study(ruleset: Ruleset):
    alone = verdict_of(an_adc(), ruleset)
    segmented = a_dwi(sequence_name="*re_b1000#3")
    beside = classify_study({"adc": an_adc(), "dwi": segmented, "t1": an_mprage()}, ruleset)["adc"]

    assert alone.axes["technique"].value == "DWI-EPI"
    assert beside.axes["technique"].value == "MS-EPI"
    assert [one.source for one in beside.axes["technique"].evidence] == ["SIBLING_INFERENCE"]


def test_a_correction_pins_an_axis_and_others_draw_conclusions_from_it(ruleset: Ruleset):
    corrections = [
        {"stack": "s", "axis": "technique", "value": "TSE"},
        {"stack": "s", "axis": "technique", "value": "MPRAGE"},
        {"stack": "gone", "axis": "technique", "value": "TSE"},
    ]
    document = classify_study({"s": a_fingerprint()}, ruleset, corrections)["s"].document()

    assert (document["technique"], document["confidence"]["technique"]) == ("MPRAGE", 1.0)
    assert document["evidence"]["technique"][0]["source"] == "correction"
    assert (document["base"], document["intent"]) == ("T1w", "anat")


def test_a_person_may_say_that_there_is_nothing(ruleset: Ruleset):
    corrections = [{"stack": "s", "axis": "base", "value": None}, {"stack": "s", "axis": "acceleration", "value": []}]
    document = classify_study({"s": an_mprage()}, ruleset, corrections)["s"].document()

    assert (document["base"], document["acceleration"]) == (None, [])
    assert not [reason for reason in document["review"] if reason.startswith("base")]


@pytest.mark.parametrize(
    ("axis", "value", "says"),
    [
        ("tecnique", "TSE", "did you mean 'technique'?"),
        ("modifier", "FLAIR", "takes a list of values"),
        ("base", ["T1w"], "takes one value"),
    ],
)
def test_a_correction_to_what_does_not_exist_is_refused(axis: str, value: Any, says: str, ruleset: Ruleset):
    with pytest.raises(CorrectionError, match=says.replace("?", r"\?")):
        classify_study({"s": an_mprage()}, ruleset, [{"stack": "s", "axis": axis, "value": value}])


def test_a_correction_stands_where_the_rules_no_longer_have_its_value(ruleset: Ruleset):
    corrections = [{"stack": "s", "axis": "technique", "value": "SITE-MPRAGE"}, {"stack": "s", "axis": "construct", "value": ["Retired"]}]
    document = classify_study({"s": an_mprage()}, ruleset, corrections)["s"].document()

    assert (document["technique"], document["construct"], document["base"]) == ("SITE-MPRAGE", ["Retired"], "T1w")


@given(order=st.permutations(sorted(STACKS)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_siblings_does_not_matter(order: list[str], ruleset: Ruleset):
    assert classify_study({stack: STACKS[stack] for stack in order}, ruleset) == classify_study(STACKS, ruleset)


@given(stack=st.sampled_from(sorted(STACKS)), noise=IRRELEVANT)
@settings(max_examples=60, deadline=None)
def test_irrelevant_tags_do_not_matter(stack: str, noise: dict[str, Any], ruleset: Ruleset):
    assert verdict_of({**STACKS[stack], **noise}, ruleset) == verdict_of(STACKS[stack], ruleset)


@given(kept=st.sets(st.sampled_from(sorted(an_mprage()))))
@settings(max_examples=60, deadline=None)
def test_every_value_has_evidence_whatever_the_header_leaves_out(kept: set[str], ruleset: Ruleset):
    verdict = verdict_of({key: value for key, value in an_mprage().items() if key in kept}, ruleset)

    for result in verdict.axes.values():
        assert {one.target for one in result.evidence} == set(result.values)
