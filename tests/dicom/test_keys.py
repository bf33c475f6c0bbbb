from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.dicom import kind_of, stack_key
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.keys import KEY_FIELDS, ROLES, is_twice, parsed_key, role, split_by
from gyrus.dicom.spread import COUNTED_FIELDS, RANGE_FIELDS

SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def mr(**known: Any) -> str:
    return stack_key({"modality": "MR"} | known, {})


MPRAGE = {
    "echo_time": 2.5,
    "inversion_time": 900.0,
    "flip_angle": 9.0,
    "echo_numbers": 1,
    "image_type": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "image_orientation_patient": SAGITTAL,
}


def test_a_key_reads_like_the_parameters_that_make_the_stack() -> None:
    key = mr(**MPRAGE)

    assert key == "MR|TE=2.5|TI=900|FA=9|ECHO=1|TYPE=M|ORIENT=SAG"


@pytest.mark.parametrize(
    ("unknown", "key"),
    [
        ("echo_time", "MR|TI=900|FA=9|ECHO=1|TYPE=M|ORIENT=SAG"),
        ("image_type", "MR|TE=2.5|TI=900|FA=9|ECHO=1|ORIENT=SAG"),
        ("image_orientation_patient", "MR|TE=2.5|TI=900|FA=9|ECHO=1|TYPE=M|ORIENT=UNK"),
    ],
)
def test_a_part_that_is_unknown_is_left_out_but_an_unknown_orientation_says_so(unknown: str, key: str) -> None:
    assert mr(**{name: value for name, value in MPRAGE.items() if name != unknown}) == key


NUMBERS = st.none() | st.floats(-1, 1e4)
WORDS = st.none() | st.lists(st.sampled_from(["M", "P", "ADC", "x|y", "a=b", ""]), min_size=1, max_size=5)
KNOWN = st.fixed_dictionaries(
    {"modality": st.sampled_from(["MR", "CT", "PT", "OT"]), "enhanced": st.none() | st.booleans()}
    | dict.fromkeys(("echo_time", "inversion_time", "flip_angle", "kvp", "slice_thickness"), NUMBERS)
    | dict.fromkeys(("image_type", "convolution_kernel", "corrected_image"), WORDS)
)


@given(KNOWN)
def test_a_key_gives_its_parts_back_and_none_of_them_is_empty(known: dict[str, Any]) -> None:
    key = stack_key(known, {})

    parts = parsed_key(key)

    assert all(parts.values())
    assert "|".join([parts.pop("MODALITY"), *(f"{name}={value}" for name, value in parts.items())]) == key


def test_a_ct_key_has_voltage_kernel_and_thickness() -> None:
    known = {"modality": "CT", "kvp": 120.0, "convolution_kernel": ["H30s"], "slice_thickness": 5.0, "image_type": ["O", "P", "AXIAL"]}

    assert stack_key(known, {}) == "CT|KVP=120|KERNEL=H30s|ST=5|TYPE=AXIAL|ORIENT=UNK"


@pytest.mark.parametrize(
    ("known", "key"),
    [
        ({"corrected_image": ["DECY", "ATTN"]}, "PT|AC=1|ORIENT=UNK"),
        ({"attenuation_correction_method": "measured, 511 keV"}, "PT|AC=1|ORIENT=UNK"),
        ({"corrected_image": ["DECY"]}, "PT|AC=0|ORIENT=UNK"),
        ({"attenuation_correction_method": "NONE"}, "PT|AC=0|ORIENT=UNK"),
        ({"reconstruction_method": "OSEM 2i24s"}, "PT|RECON=OSEM 2I24S|ORIENT=UNK"),
    ],
)
def test_attenuation_corrected_and_uncorrected_pet_are_two_stacks(known: dict[str, Any], key: str) -> None:
    assert stack_key({"modality": "PT"} | known, {}) == key


@pytest.mark.parametrize(("first", "second"), [(5.19, 5.2), (0.05, 0.0500001), (4.95, 4.9500001)])
def test_echo_times_that_two_writers_print_differently_meet(first: float, second: float) -> None:
    assert mr(echo_time=first) == mr(echo_time=second)


def test_ultra_short_echoes_stay_apart() -> None:
    assert mr(echo_time=0.05) != mr(echo_time=0.1)


def test_an_echo_time_of_zero_is_kept_and_an_inversion_time_of_zero_is_none() -> None:
    assert mr(echo_time=0.0, inversion_time=0.0) == "MR|TE=0|ORIENT=UNK"


def test_only_words_of_derived_images_make_a_role() -> None:
    assert "|ROLE=DIFFUSION+ADC|" in mr(image_type=["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "NORM", "DIS2D"])


NO_ROLES = ("ND", "NORM", "DIS2D", "DIS3D", "MFSPLIT", "MB", "SH", "FIL", "FM", "ECHO_00", "TE1", "GDC", "UCA", "IF", "MOSAIC")


def test_the_list_of_roles_is_closed() -> None:
    assert ", ".join(sorted(ROLES)) == (
        "ADC, ASL, CALC_BVALUE, CBF, CBV, COLFA, COLOR_LUT, CPR, CSA MIP, CSA MPR, CSA REPORT, DEN, DIFFUSION, EADC, F, "
        "FA, FAT, INV1, INV2, IN_PHASE, IP, LOCALIZER, MAG, MEAN_MAP, MIN_IP, MIP, MNIP, MPR, MTT, OP, OPP_PHASE, "
        "OTHER, PERFUSION, PHA, PROJECTION IMAGE, RCBF, REFORMATTED, RELCBF, RGB, SCREEN SAVE, SCREENSHOT, SUB, "
        "SUBTRACTION, SWI, TENSOR, TENSOR_B0, TRACE, TRACEW, TTEST, TTP, UNI, W, WATER"
    )
    assert mr(image_type=["ORIGINAL", "PRIMARY", "M", *NO_ROLES]) == mr(image_type=["ORIGINAL", "PRIMARY", "M"])


@pytest.mark.parametrize("word", sorted(ROLES))
def test_a_word_of_the_list_counts_from_the_third_value_on_however_it_is_spelled(word: str) -> None:
    assert role({"image_type": ["DERIVED", "PRIMARY", "M", f" {word.lower()} "]}) == word
    assert role({"image_type": [word, word, "M"]}) == ""


@pytest.mark.parametrize(
    ("known", "letter"),
    [
        ({"complex_image_component": "PHASE"}, "P"),
        ({"complex_image_component": "MIXED", "image_type": ["O", "P", "R"]}, "R"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]}, "P"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"]}, "M"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "SW_M_FFE", "SW_M", "FFE"]}, "M"),
        ({"image_type": ["ORIGINAL", "PRIMARY", "SW_P_FFE", "SW_P", "FFE"]}, "P"),
        *(({"image_type": ["ORIGINAL", "PRIMARY", word]}, "M") for word in ("M", "M_FFE", "M_SE", "M_IR", "m")),
        *(({"image_type": ["ORIGINAL", "PRIMARY", word]}, "P") for word in ("P", "PHASE MAP", "p")),
        *(({"image_type": ["ORIGINAL", "PRIMARY", word]}, "R") for word in ("R", "R_FFE", "R_SE")),
        *(({"image_type": ["ORIGINAL", "PRIMARY", word]}, "I") for word in ("I", "I_FFE", "I_SE")),
        *(({"complex_image_component": word}, word[0]) for word in ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")),
        ({"complex_image_component": "REAL", "image_type": ["ORIGINAL", "PRIMARY", "M"]}, "R"),
        ({"image_type": ["DERIVED", "SECONDARY", "REFORMATTED"]}, ""),
        ({"image_type": ["DERIVED", "SECONDARY", "MPR"]}, ""),
        ({"image_type": ["ORIGINAL"]}, ""),
    ],
)
def test_magnitude_phase_real_and_imaginary_are_told_apart(known: dict[str, Any], letter: str) -> None:
    assert parsed_key(mr(**known)).get("TYPE", "") == letter


def test_tube_current_time_and_diffusion_do_not_split_a_stack() -> None:
    axes = {"diffusion_b_value", "temporal_position_identifier", "receive_coil_name", "slice_location", "instance_number", *RANGE_FIELDS}

    assert axes.isdisjoint(KEY_FIELDS)
    assert set(RANGE_FIELDS) | set(COUNTED_FIELDS) <= set(STANDARD.by_name)
    assert set(KEY_FIELDS) <= set(STANDARD.names_of("series", "acquisition", "image"))


def key(modality: str = "MR", **parts: str) -> str:
    """A key of an axial stack; parts stand in the order in which they are named, but the orientation comes last."""
    known = {**parts, "ORIENT": parts.get("ORIENT", "AX")}
    return "|".join([modality, *(f"{name}={value}" for name, value in known.items())])


def ct(**parts: str) -> str:
    return key("CT", **parts)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ([key()], "single"),
        ([key(TE="2"), key(TE="4")], "multi_echo"),
        ([key(ECHO="1"), key(ECHO="2")], "multi_echo"),
        ([key(TE="2", ECHO="1"), key(TE="4", ECHO="2")], "multi_echo"),
        ([key(TE="2"), key()], "multi_echo"),
        ([key(TI="700"), key(TI="2500")], "multi_ti"),
        ([key(FA="5"), key(FA="25")], "multi_flip_angle"),
        ([key(TI="700", FA="4"), key(TI="2500", FA="5")], "multi_ti_flip_angle"),
        ([key(TI="700", FA="4", ROLE="INV1"), key(TI="2500", FA="5", ROLE="INV2")], "multi_ti_flip_angle"),
        ([key(TYPE="M"), key(TYPE="P")], "magnitude_phase"),
        ([key(TYPE="M"), key()], "magnitude_phase"),
        ([key(TE="2", TYPE="M"), key(TE="4", TYPE="P")], "multi_echo_magnitude_phase"),
        ([key(TE="2", ECHO="1", TYPE="M"), key(TE="4", ECHO="2", TYPE="P")], "multi_echo_magnitude_phase"),
        ([key(ROLE="W"), key(ROLE="F"), key(ROLE="IP")], "dixon"),
        ([key(TE="2", ROLE="IN_PHASE"), key(TE="4", ROLE="OPP_PHASE")], "dixon"),
        ([key(ROLE="ADC"), key(ROLE="TRACEW")], "derived_maps"),
        ([key(ROLE="W"), key(ROLE="ADC")], "derived_maps"),
        ([key(TYPE="M", ROLE="SWI"), key(TYPE="P", ROLE="PHA")], "derived_maps"),
        ([key(ORIENT="AX"), key(ORIENT="SAG"), key(ORIENT="COR")], "multi_orientation"),
        ([ct(KERNEL="H30s"), ct(KERNEL="H60s")], "multi_kernel"),
        ([ct(KVP="80"), ct(KVP="140")], "multi_kvp"),
        ([ct(ST="4"), ct(ST="7")], "multi_thickness"),
        ([key("PT", AC="0"), key("PT", AC="1")], "ac_nac"),
        ([key(), key(MF="1")], "duplicate_representation"),
        ([key(TYPE="M"), key(MF="1", ROLE="DIFFUSION")], "duplicate_representation"),
        ([key(TE=te, **form) for te in ("2", "4") for form in ({"TYPE": "M"}, {"MF": "1"})], "multi_echo"),
        ([key(TE="2"), key(FA="9")], "mixed"),
        ([ct(KVP="80", KERNEL="H30s"), ct(KVP="140", KERNEL="H60s")], "mixed"),
        ([key(TE="2"), key(TE="4", ROLE="LOCALIZER")], "single"),
        ([key(TE="2", ROLE="OTHER"), key(TE="4", ROLE="OTHER")], "multi_echo"),
        ([ct(ST="5", TYPE="AXIAL"), ct(TYPE="LOCALIZER", ORIENT="COR")], "single"),
    ],
)
def test_a_series_is_named_by_what_varies_between_its_stacks(keys: list[str], kind: str) -> None:
    assert kind_of(keys) == kind
    assert kind_of(reversed(keys)) == kind


def test_a_series_of_classic_and_enhanced_images_holds_them_twice() -> None:
    assert is_twice([key(), key(MF="1")])
    assert not is_twice([key(TE="2"), key(TE="4")])


def test_a_kernel_cannot_break_the_line_of_a_key_or_pretend_to_be_a_part() -> None:
    key = stack_key({"modality": "CT", "convolution_kernel": ["A|ORIENT=SAG\n\x1b[31m"]}, {})

    assert key == "CT|KERNEL=A/ORIENT=SAG??[31m|ORIENT=UNK"


@pytest.mark.parametrize(
    ("kind", "splits"),
    [
        ("single", ""),
        ("multi_echo", "multi_echo"),
        ("multi_echo_magnitude_phase", "multi_echo"),
        ("multi_flip_angle", "multi_flip_angle"),
        ("multi_ti_flip_angle", "multi_ti\\multi_flip_angle"),
        ("mixed", ""),
    ],
)
def test_a_compound_kind_tells_everything_that_split_the_series(kind: str, splits: str) -> None:
    assert split_by(kind) == splits
