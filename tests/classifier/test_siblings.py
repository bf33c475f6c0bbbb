"""What stacks of one acquisition tell each other."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.fingerprints import a_fingerprint, an_mprage
from gyrus.classifier.core import Ruleset, classify_study

RUN = {
    "protocol_name": "epi_a", "sequence_name": "*epfid2d1_64", "scanning_sequence": "EP", "repetition_time": 2000, "flip_angle": 70,
    "magnetic_field_strength": 3, "echo_time": 30,
}  # fmt: skip
STEADY = {
    "protocol_name": "gre_a", "sequence_name": "*fl3d1r", "scanning_sequence": "GR",
    "repetition_time": 28, "flip_angle": 15, "echo_time": 20,
    "mr_acquisition_type": "3D", "magnetic_field_strength": 3,
}  # fmt: skip
DUAL = {
    "protocol_name": "scan 4", "scanning_sequence": "GR", "repetition_time": 500, "flip_angle": 60, "mr_acquisition_type": "2D",
    "magnetic_field_strength": 3, "manufacturer": "Philips",
}  # fmt: skip


def labels(ruleset: Ruleset, **stacks: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: verdict.document() for name, verdict in classify_study(stacks, ruleset).items()}


def test_one_volume_beside_a_run_of_its_acquisition_is_its_reference(ruleset: Ruleset):
    run, single = a_fingerprint(**RUN, n_temporal_positions=200), a_fingerprint(**RUN, n_temporal_positions=1)

    beside, alone = labels(ruleset, run=run, single=single), labels(ruleset, single=single)

    assert beside["single"]["construct"] == ["SBRef"]
    assert beside["run"]["construct"] == alone["single"]["construct"] == []
    assert (beside["single"]["technique"], beside["single"]["intent"]) == ("BOLD-EPI", "func")
    assert beside["single"]["evidence"]["construct"][0]["source"] == "SIBLING_INFERENCE"


def test_magnitude_and_phase_belong_to_the_susceptibility_image_of_their_acquisition(ruleset: Ruleset):
    processed = a_fingerprint(**STEADY, image_type="ORIGINAL\\PRIMARY\\M\\SWI\\ND")
    phase, magnitude = a_fingerprint(**STEADY, image_type="ORIGINAL\\PRIMARY\\P\\ND"), a_fingerprint(**STEADY)

    beside = labels(ruleset, processed=processed, phase=phase, magnitude=magnitude)
    alone = labels(ruleset, phase=phase)

    assert {found["provenance"] for found in beside.values()} == {"SWIRecon"}
    assert alone["phase"]["provenance"] == "RawRecon"


def test_a_slice_by_slice_pair_of_magnitude_and_phase_is_a_field_map(ruleset: Ruleset):
    magnitude = a_fingerprint(**DUAL, image_type="ORIGINAL\\PRIMARY\\M_FFE\\M\\FFE", echo_time=4.6)
    phase = a_fingerprint(**DUAL, image_type="ORIGINAL\\PRIMARY\\PHASE MAP\\P\\FFE", echo_time=6.9)

    assert {found["intent"] for found in labels(ruleset, magnitude=magnitude, phase=phase).values()} == {"fmap"}
    assert labels(ruleset, magnitude=magnitude)["magnitude"]["intent"] == "anat"


def test_a_sibling_of_another_acquisition_says_nothing(ruleset: Ruleset):
    single = a_fingerprint(**{**RUN, "protocol_name": "epi_b"}, n_temporal_positions=1)
    run = a_fingerprint(**RUN, n_temporal_positions=200)

    assert labels(ruleset, run=run, single=single)["single"] == labels(ruleset, single=single)["single"]


@given(order=st.permutations(["run", "single", "t1", "swi", "phase"]))
@settings(max_examples=20, deadline=None)
def test_who_is_looked_at_first_makes_no_difference(order: list[str], ruleset: Ruleset):
    stacks = {
        "run": a_fingerprint(**RUN, n_temporal_positions=200),
        "single": a_fingerprint(**RUN, n_temporal_positions=1),
        "t1": an_mprage(),
        "swi": a_fingerprint(**STEADY, image_type="ORIGINAL\\PRIMARY\\M\\SWI\\ND"),
        "phase": a_fingerprint(**STEADY, image_type="ORIGINAL\\PRIMARY\\P\\ND"),
    }

    assert classify_study({name: stacks[name] for name in order}, ruleset) == classify_study(stacks, ruleset)
