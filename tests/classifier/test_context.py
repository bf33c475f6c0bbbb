"""What a fingerprint says, whoever wrote it."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.fingerprints import a_fingerprint, an_mprage
from gyrus.classifier.core import ClassificationContext

context_of = ClassificationContext.from_fingerprint


def test_the_five_tags_become_flags():
    context = context_of(
        {
            "image_type": "ORIGINAL\\PRIMARY\\M\\NORM\\DIS2D",
            "scanning_sequence": "SE\\IR",
            "sequence_variant": "SK\\SP\\MP",
            "scan_options": "ACC_GEMS\\PFP\\FS",
            "sequence_name": "*tfl3d1_16",
            "manufacturer": "SIEMENS",
        }
    )

    assert {flag for flag, is_set in context.parsed_image_type.items() if is_set} == {
        "is_original", "is_primary", "has_magnitude", "is_normalized", "is_2d_view",
    }  # fmt: skip
    assert {flag for flag, is_set in context.parsed_scanning_sequence.items() if is_set} == {"has_se", "has_ir"}
    assert {flag for flag, is_set in context.parsed_sequence_variant.items() if is_set} == {
        "has_segmented_kspace", "has_spoiled", "has_mag_prepared",
    }  # fmt: skip
    assert {flag for flag, is_set in context.parsed_scan_options.items() if is_set} == {
        "has_parallel_gems", "has_partial_fourier_phase", "has_fat_sat",
    }  # fmt: skip
    assert {flag for flag, is_set in context.parsed_sequence_name.items() if is_set} == {"is_mprage", "is_tfl", "is_3d"}


@pytest.mark.parametrize("odd", ["['SE', 'IR']", "SE_IR", "se\\ir", ["SE", "IR"], "SE, IR"])
def test_odd_spellings_of_a_tag_say_the_same(odd: object):
    plain = context_of({"scanning_sequence": "SE\\IR"}).parsed_scanning_sequence

    assert context_of({"scanning_sequence": odd}).parsed_scanning_sequence == plain


def test_the_seeds_names_are_read_as_the_raw_ones():
    raw = context_of({"repetition_time": 9000, "inversion_time": 2500, "diffusion_b_value": 1000, "sequence_name": "*tse2d1_11"})
    seed = context_of({"mr_tr": 9000, "mr_ti": 2500, "mr_diffusion_b_value": 1000, "stack_sequence_name": "*tse2d1_11"})

    assert seed.unified_flags == raw.unified_flags


def test_given_blobs_are_used_as_given():
    context = context_of({"series_description": "t1", "text_search_blob": "flair t2w", "contrast_search_blob": "agent:gadovist"})

    assert context.text_search_blob == "flair t2w"
    assert context.contrast_search_blob == "agent:gadovist"
    assert context.unified_flags["has_contrast_agent"]


def test_zero_and_absurd_numbers_were_not_measured():
    context = context_of({"echo_time": 0, "repetition_time": "2300", "inversion_time": 1e9, "flip_angle": "nine"})

    assert context.measured == {"repetition_time": 2300.0}


@pytest.mark.parametrize(
    ("manufacturer", "vendor"),
    [
        ("SIEMENS", "SIEMENS"),
        ("Siemens Healthineers", "SIEMENS"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("Philips Medical Systems", "PHILIPS"),
        ("AGFA", "OTHER"),
        ("GENERIC", "OTHER"),
        (None, "OTHER"),
    ],
)
def test_the_vendor_is_a_whole_word(manufacturer: str | None, vendor: str):
    assert context_of({"manufacturer": manufacturer}).vendor == vendor


def test_ge_names_the_exam_and_not_the_series_in_the_protocol():
    texts = {"series_description": "Sag MPRAGE", "protocol_name": "FMRI of the brain"}

    assert not context_of({"manufacturer": "GE MEDICAL SYSTEMS", **texts}).unified_flags["says_function"]
    assert context_of({"manufacturer": "SIEMENS", **texts}).unified_flags["says_function"]


@pytest.mark.parametrize(
    "known",
    [
        {"image_type": "DERIVED\\SECONDARY\\SCREEN SAVE"},
        {"image_type": "DERIVED\\SECONDARY"},
        {"image_type": "ORIGINAL\\PRIMARY\\OTHER\\CSA REPORT"},
        {"sop_class_name": "Secondary Capture Image Storage"},
        {"modality": "SR"},
    ],
)
def test_captures_reports_and_screenshots_are_excluded(known: dict[str, str]):
    assert context_of(an_mprage(**known)).should_exclude()


def test_maps_of_a_workstation_are_images():
    assert not context_of(a_fingerprint(image_type="DERIVED\\SECONDARY\\COMBINED")).should_exclude()
    assert not context_of(a_fingerprint(image_type="DERIVED\\SECONDARY\\ADC")).should_exclude()


def test_the_inversion_time_of_a_flair_nulls_fluid_at_any_repetition_time():
    assert all(
        context_of({"repetition_time": tr, "inversion_time": ti}).unified_flags["ti_nulls_fluid"]
        for tr, ti in [(9000, 2500), (5000, 1800), (11000, 2800), (2000, 800)]
    )
    assert not context_of({"repetition_time": 4000, "inversion_time": 160}).unified_flags["ti_nulls_fluid"]


@given(st.dictionaries(st.sampled_from([*an_mprage(), "contrast_bolus_agent"]), st.one_of(
    st.none(), st.text(max_size=20), st.floats(), st.integers(), st.booleans(), st.lists(st.text(max_size=5), max_size=3),
)))  # fmt: skip
@example({"repetition_time": 1e-200, "inversion_time": 1.0})
@settings(max_examples=300, deadline=None)
def test_no_header_is_too_strange_to_be_read(fingerprint: dict[str, object]):
    context = context_of(fingerprint)

    assert set(context.unified_flags.values()) <= {True, False}
    assert isinstance(context.text_search_blob, str)
    assert all(math.isfinite(number) for number in context.measured.values())
