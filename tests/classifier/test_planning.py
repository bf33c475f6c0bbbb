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

    assert [document_of({**coils, "flip_angle": angle}, ruleset)["intent"] for angle in (1, 12)] == ["localizer", "anat"]
