from typing import Any

import pytest

from gyrus.dicom import kind_of, stack_key
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.keys import KEY_FIELDS

SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def mr(**known: Any) -> str:
    return stack_key({"modality": "MR"} | known, {})


def test_a_key_reads_like_the_parameters_that_make_the_stack() -> None:
    key = mr(
        echo_time=2.5,
        inversion_time=900.0,
        flip_angle=9.0,
        echo_numbers=1,
        image_type=["ORIGINAL", "PRIMARY", "M", "ND"],
        image_orientation_patient=SAGITTAL,
    )

    assert key == "MR|TE=2.5|TI=900|FA=9|ECHO=1|TYPE=M|ROLE=|ORIENT=SAG"


def test_a_ct_key_has_voltage_kernel_and_thickness() -> None:
    known = {"modality": "CT", "kvp": 120.0, "convolution_kernel": ["H30s"], "slice_thickness": 5.0, "image_type": ["O", "P", "AXIAL"]}

    assert stack_key(known, {}) == "CT|KVP=120|KERNEL=H30s|ST=5|TYPE=AXIAL|ORIENT=UNK"


def test_attenuation_corrected_and_uncorrected_pet_are_two_stacks() -> None:
    corrected = stack_key({"modality": "PT", "corrected_image": ["DECY", "ATTN"]}, {})
    uncorrected = stack_key({"modality": "PT", "attenuation_correction_method": "NONE"}, {})

    assert (corrected, uncorrected) == ("PT|TYPE=|RECON=|AC=1|ORIENT=UNK", "PT|TYPE=|RECON=|AC=0|ORIENT=UNK")


@pytest.mark.parametrize(("first", "second"), [(5.19, 5.2), (0.05, 0.0500001), (4.95, 4.9500001)])
def test_echo_times_that_two_writers_print_differently_meet(first: float, second: float) -> None:
    assert mr(echo_time=first) == mr(echo_time=second)


def test_ultra_short_echoes_stay_apart() -> None:
    assert mr(echo_time=0.05) != mr(echo_time=0.1)


def test_an_echo_time_of_zero_is_kept_and_an_inversion_time_of_zero_is_none() -> None:
    assert mr(echo_time=0.0, inversion_time=0.0) == "MR|TE=0|TI=|FA=|ECHO=|TYPE=|ROLE=|ORIENT=UNK"


def test_only_words_of_derived_images_make_a_role() -> None:
    assert "|ROLE=DIFFUSION+ADC|" in mr(image_type=["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "NORM", "DIS2D"])


@pytest.mark.parametrize(
    ("known", "letter"),
    [
        ({"complex_image_component": "PHASE"}, "P"),
        ({"complex_image_component": "MIXED", "image_type": ["O", "P", "R"]}, "R"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]}, "P"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"]}, "M"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "SW_M_FFE", "SW_M", "FFE"]}, "M"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "SW_P_FFE", "SW_P", "FFE"]}, "P"),
        ({"image_type": ["DERIVED", "SECONDARY", "REFORMATTED"]}, ""),
        ({"image_type": ["DERIVED", "SECONDARY", "MPR"]}, ""),
        ({"image_type": ["ORIGINAL"]}, ""),
    ],
)
def test_magnitude_phase_real_and_imaginary_are_told_apart(known: dict[str, Any], letter: str) -> None:
    assert f"|TYPE={letter}|" in mr(**known)


def test_tube_current_time_and_diffusion_do_not_split_a_stack() -> None:
    axes = {"diffusion_b_value", "x_ray_tube_current", "exposure", "repetition_time", "temporal_position_identifier", "trigger_time"}

    assert axes.isdisjoint(KEY_FIELDS)
    assert set(KEY_FIELDS) <= set(STANDARD.names_of("series", "acquisition", "image"))


def key(**parts: str) -> str:
    default = {"TE": "", "TI": "", "FA": "", "ECHO": "", "TYPE": "", "ROLE": "", "ORIENT": "AX"} | parts
    return "|".join(["MR", *(f"{name}={value}" for name, value in default.items())])


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ([key()], "single"),
        ([key(TE="2"), key(TE="4")], "multi_echo"),
        ([key(TE="2", ECHO="1"), key(TE="4", ECHO="2")], "multi_echo"),
        ([key(TI="700", FA="4", ROLE="INV1"), key(TI="2500", FA="5", ROLE="INV2")], "multi_ti_flip_angle"),
        ([key(TYPE="M"), key(TYPE="P")], "magnitude_phase"),
        ([key(TE="2", TYPE="M"), key(TE="4", TYPE="P")], "multi_echo_magnitude_phase"),
        ([key(ROLE="W"), key(ROLE="F"), key(ROLE="IP")], "dixon"),
        ([key(ROLE="ADC"), key(ROLE="TRACEW")], "derived_maps"),
        ([key(ORIENT="AX"), key(ORIENT="SAG")], "multi_orientation"),
        ([key(), key(MF="1")], "duplicate_representation"),
        ([key(TYPE="M"), key(MF="1", ROLE="DIFFUSION")], "duplicate_representation"),
        ([key(TE="2"), key(FA="9")], "mixed"),
        ([key(TE="2"), key(TE="4", ROLE="LOCALIZER")], "single"),
        ([key(TE="2", ROLE="OTHER"), key(TE="4", ROLE="OTHER")], "multi_echo"),
    ],
)
def test_a_series_is_named_by_what_varies_between_its_stacks(keys: list[str], kind: str) -> None:
    assert kind_of(keys) == kind
    assert kind_of(reversed(keys)) == kind
