"""The SUV factor of PET, with its inputs, or the reason why there is none."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom.conftest import RealDicom
from gyrus.data import suv_factor
from gyrus.data.uptake import PRIVATE, _private
from gyrus.dicom.uptake import GE_SCAN_START, NO_FACTOR, PHILIPS_ACTIVITY, PHILIPS_SUV, uptake_of

F18_S = 6586.2


def a_pet(**told: Any) -> dict[str, Any]:
    """One image of 70 kg and 350 MBq of F-18, scanned an hour after the injection."""
    known = {
        "units": "BQML",
        "corrected_image": ["ATTN", "DECY", "SCAT"],
        "decay_correction": "START",
        "patient_weight": 70.0,
        "radionuclide_total_dose": 350e6,
        "radionuclide_half_life": F18_S,
        "radiopharmaceutical_start_time": "10:00:00.00",
        "series_date": "2024-01-02",
        "series_time": "11:00:00",
        "acquisition_date_time": "2024-01-02T11:00:00",
    }
    return {name: value for name, value in {**known, **told}.items() if value is not None}


def factor(*images: Mapping[str, Any]) -> float:
    found = uptake_of(images or [a_pet()])
    assert found.factor is not None, found.reason
    return found.factor


def why(**told: Any) -> str | None:
    found = uptake_of([a_pet(**told)])
    assert found.factor is None
    assert found.reason in NO_FACTOR
    return found.reason


AN_HOUR = 70.0 * 1000 / (350e6 * 2 ** (-3600 / F18_S))


def test_the_factor_is_weight_over_what_is_left_of_the_dose_when_the_scan_starts() -> None:
    assert factor() == pytest.approx(AN_HOUR, rel=1e-12)


def test_images_corrected_to_the_injection_take_the_whole_dose_and_need_no_times() -> None:
    assert factor(a_pet(decay_correction="ADMIN", series_time=None, radiopharmaceutical_start_time=None)) == 70.0 * 1000 / 350e6


def test_the_inputs_are_told_without_dates() -> None:
    assert uptake_of([a_pet()]).document() == {
        "suv_factor": pytest.approx(AN_HOUR), "units": "BQML", "by": "dose", "weight_kg": 70.0, "dose_bq": 350e6,
        "half_life_s": F18_S, "decay_correction": "START", "decay_s": 3600.0,
    }  # fmt: skip


def test_values_that_are_uptake_already_have_the_factor_one_but_only_by_body_weight() -> None:
    assert factor({"units": "GML"}) == factor({"units": "GML", "suv_type": "BW"}) == 1.0
    assert why(units="GML", suv_type="LBM") == "suv_type"


def test_philips_counts_have_a_factor_of_their_own_or_one_to_activity() -> None:
    assert factor(a_pet(units="CNTS", **{PHILIPS_SUV: 0.0007})) == 0.0007
    assert factor(a_pet(units="CNTS", **{PHILIPS_SUV: 0.0, PHILIPS_ACTIVITY: 2.0})) == pytest.approx(2 * AN_HOUR)
    assert why(units="CNTS") == "units"
    assert uptake_of([a_pet(units="CNTS", **{PHILIPS_SUV: one}) for one in (0.1, 0.2)]).reason == "differs"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"units": None}, "no_units"), ({"units": "PROPCPS"}, "units"), ({"decay_correction": "NONE"}, "not_decay_corrected"),
        ({"decay_correction": None}, "not_decay_corrected"), ({"corrected_image": ["ATTN"]}, "not_decay_corrected"),
        ({"corrected_image": ["DECY"]}, "not_attenuation_corrected"), ({"corrected_image": None}, "not_attenuation_corrected"),
        ({"patient_weight": None}, "no_weight"), ({"patient_weight": 0.0}, "no_weight"), ({"radionuclide_total_dose": None}, "no_dose"),
        ({"radionuclide_half_life": None}, "no_dose"), ({"radionuclide_total_dose": 350.0}, "odd_dose"),
        ({"radiopharmaceutical_start_time": None}, "no_times"), ({"series_time": None}, "no_times"),
        ({"radiopharmaceutical_start_date_time": "2024-01-02T11:30:00"}, "odd_times"),
        ({"radiopharmaceutical_start_date_time": "2023-12-31T10:00:00"}, "odd_times"),
        ({"radiopharmaceutical_start_time": "11:10:00"}, "odd_times"),
    ],
)  # fmt: skip
def test_whoever_would_have_to_guess_says_why_not(told: dict[str, Any], reason: str) -> None:
    assert why(**told) == reason


def test_an_injection_before_midnight_was_on_the_day_before() -> None:
    late = {"series_time": "00:20:00", "acquisition_date_time": "2024-01-02T00:20:00", "radiopharmaceutical_start_time": "23:20:00"}

    assert factor(a_pet(**late)) == pytest.approx(AN_HOUR)


def test_a_series_that_was_made_later_starts_when_ge_says_or_by_its_frames() -> None:
    later = {"series_time": "16:00:00", "acquisition_date_time": "2024-01-02T11:20:00"}

    assert why(**later) == "no_times"
    assert factor(a_pet(**later, **{GE_SCAN_START: "2024-01-02T11:00:00.00"})) == pytest.approx(AN_HOUR)
    short = a_pet(
        **later, frame_reference_time=1_200_500.0, actual_frame_duration=1000.0
    )  # its rate is the mean half a second after it began
    assert factor(short) == pytest.approx(AN_HOUR, rel=1e-6)


def test_images_that_disagree_have_no_factor() -> None:
    assert uptake_of([a_pet(), a_pet(patient_weight=71.0)]).reason == "differs"


@given(st.floats(0, 9 * F18_S), st.floats(30, 200), st.floats(1e6, 1e9))
def test_the_longer_the_dose_decays_the_larger_the_factor_and_half_a_life_more_is_the_square_root_of_two(
    decay_s: float, weight_kg: float, dose_bq: float
) -> None:
    def at(seconds: float) -> float:
        injected = datetime(2024, 1, 2, 11) - timedelta(seconds=seconds)
        return factor(
            a_pet(patient_weight=weight_kg, radionuclide_total_dose=dose_bq, radiopharmaceutical_start_date_time=injected.isoformat())
        )

    assert at(decay_s + F18_S / 2) == pytest.approx(at(decay_s) * 2**0.5, rel=1e-6)


def test_private_elements_of_ge_and_philips_are_found_wherever_their_block_lies(tmp_path: Path) -> None:
    said = Dataset()
    for name, value, vr in ((GE_SCAN_START, "20240102110000.00", "DT"), (PHILIPS_SUV, 0.0007, "DS"), (PHILIPS_ACTIVITY, 2.0, "DS")):
        group, creator, element = PRIVATE[name]
        said.add_new((group, 0x0010), "LO", "SOMEBODY ELSE")
        said.private_block(group, creator, create=True).add_new(element, vr, value)
    said.save_as(tmp_path / "pet", implicit_vr=False, little_endian=True)

    assert _private(str(tmp_path / "pet")) == {GE_SCAN_START: "2024-01-02T11:00:00.00", PHILIPS_SUV: 0.0007, PHILIPS_ACTIVITY: 2.0}


def test_the_factor_of_a_real_series_is_that_by_which_others_made_uptake_of_it(real_dicom: RealDicom) -> None:
    """Once in Bq/ml and once, by the authors of the set, in g/ml: where a slice kept its largest value, slopes differ by the factor."""
    sets = real_dicom("mirp") / "test/data"
    raw, made = (
        sorted(Path(sets, folder).glob("*.dcm"))
        for folder in ("sts_images_raw/STS_001/FDG_PET/image", "sts_images/STS_001/PET/dicom/image")
    )
    slopes = sorted((float(one.ImagePositionPatient[2]), float(one.RescaleSlope)) for one in map(_header, raw))

    ratios = [float(one.RescaleSlope) / _nearest(slopes, float(one.ImagePositionPatient[2])) for one in map(_header, made)]

    assert suv_factor(made[0].parent)["suv_factor"] == 1.0
    assert suv_factor(raw[0].parent)["suv_factor"] == pytest.approx(float(np.median(ratios)), rel=1e-6)


def _header(path: Path) -> Dataset:
    return dcmread(path, stop_before_pixels=True)


def _nearest(slopes: list[tuple[float, float]], position_mm: float) -> float:
    return min(slopes, key=lambda one: abs(one[0] - position_mm))[1]
