"""What is taken for a planning scan where nobody named one: a handful of slices of milliseconds, and nothing else that is known."""

from typing import Any

import pytest

from classifier.fingerprints import document_of
from gyrus.classifier.core import Ruleset

SLICES: dict[str, Any] = {
    "modality": "MR",
    "scanning_sequence": "GR",
    "sequence_variant": "SP",
    "mr_acquisition_type": "2D",
    "repetition_time": 8.6,
    "echo_time": 4,
    "flip_angle": 20,
    "n_instances": 11,
    "image_type": "ORIGINAL\\PRIMARY\\M\\ND",
}

OTHERS = {
    "inflow": {"repetition_time": 24, "echo_time": 7, "flip_angle": 60},
    "inflow with compensated flow": {"repetition_time": 24, "scan_options": "FC"},
    "stars of lines in three dimensions": {"mr_acquisition_type": "3D", "repetition_time": 3.5, "echo_time": 1.6, "flip_angle": 9},
    "balanced echoes": {"sequence_variant": "SS", "repetition_time": 4.4, "echo_time": 2.2, "flip_angle": 70},
    "balanced echoes by their name": {"manufacturer": "SIEMENS", "sequence_name": "*tfi2d1_192"},
    "cine": {"n_temporal_positions": 11},
    "cine with a trigger": {"scan_options": "CG"},
    "uptake of an agent": {"contrast_bolus_agent": "Gadovist"},
    "uptake in time": {"mr_acquisition_type": "3D", "repetition_time": 4, "flip_angle": 12, "n_temporal_positions": 30},
    "a weighting that is named": {"series_description": "t1_fl2d_tra"},
    "nobody knows how many slices": {"n_instances": None},
    "many slices": {"n_instances": 60},
}


def test_a_handful_of_fast_slices_that_nobody_named_is_for_planning(ruleset: Ruleset):
    document = document_of(SLICES, ruleset)

    assert (document["base"], document["provenance"], document["intent"]) == (None, "Localizer", "localizer")


@pytest.mark.parametrize("what", OTHERS)
def test_fast_slices_of_another_purpose_are_not_for_planning(what: str, ruleset: Ruleset):
    document = document_of({**SLICES, **OTHERS[what]}, ruleset)

    assert document["provenance"] != "Localizer"
    assert document["intent"] != "localizer"


def test_one_degree_shows_coils_and_no_tissue(ruleset: Ruleset):
    coils = {"modality": "MR", "scanning_sequence": "GR", "mr_acquisition_type": "3D", "repetition_time": 4, "echo_time": 0.7}

    assert [document_of({**coils, "flip_angle": angle}, ruleset)["intent"] for angle in (1, 14)] == ["localizer", "anat"]


def test_a_handful_of_slices_in_several_planes_at_once_is_for_planning_whatever_the_readout(ruleset: Ruleset):
    planes = {**SLICES, "scanning_sequence": "SE", "sequence_variant": "SK", "repetition_time": 1000, "echo_time": 80, "flip_angle": 90}
    several, one = ({**planes, "stack_kind": kind} for kind in ("multi_orientation", "single"))

    assert [document_of(header, ruleset)["intent"] for header in (several, one)] == ["localizer", "anat"]


def test_a_whole_head_in_a_few_seconds_without_preparation_is_of_no_known_purpose(ruleset: Ruleset):
    head = {**SLICES, "mr_acquisition_type": "3D", "repetition_time": 3.15, "echo_time": 1.4, "flip_angle": 8, "n_instances": 128}
    named = {**head, "series_description": "t1 vibe"}

    assert [document_of(header, ruleset)["intent"] for header in (head, named)] == ["misc", "anat"]


def test_an_early_epi_with_a_full_flip_is_not_taken_for_function(ruleset: Ruleset):
    run = {
        "modality": "MR",
        "manufacturer": "SIEMENS",
        "sequence_name": "epfid2d1_72",
        "scanning_sequence": "EP",
        "n_temporal_positions": 90,
    }
    run |= {"image_type": "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC", "magnetic_field_strength": 3, "repetition_time": 2540, "flip_angle": 90}
    early, late = (document_of({**run, "echo_time": echo}, ruleset) for echo in (14, 30))

    assert (early["technique"], early["base"], early["intent"]) == ("GRE-EPI", None, "misc")
    assert (late["technique"], late["intent"]) == ("BOLD-EPI", "func")
