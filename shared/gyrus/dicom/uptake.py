"""The SUV factor of a PET stack: what its values are multiplied by to become standardised uptake values by body weight (g/ml). Pure.

Facts: PS3.3 C.8.9.1 (units, corrections, decay correction), C.8.9.4 (frame reference time), C.7.2.2 (weight); the order in which the start
of a scan is looked for, and the elements of GE and Philips: QIBA's vendor-neutral recipe for SUV by body weight. Whoever would have to
guess says why not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

Known = Mapping[str, Any]
GE_SCAN_START, PHILIPS_SUV, PHILIPS_ACTIVITY = "ge_scan_start", "philips_suv_factor", "philips_activity_factor"
"""Private elements, where they are known: (0009,xx0D) of GEMS_PETD_01, a date and time; (7053,xx00) and (7053,xx09) of Philips."""

LEAST_DOSE_BQ: Final = 1e5  # a dose of a person is 10⁶ Bq and more; less is one in MBq
MOST_HALF_LIVES: Final = 10.0  # between injection and scan: less than a thousandth is left then
G_PER_KG: Final = 1000.0

NO_FACTOR: Final[Mapping[str, str]] = {
    "no_units": "the images do not say in which units their values are",
    "units": "values in these units do not become uptake by a factor",
    "suv_type": "the values are uptake already, but not by body weight",
    "not_attenuation_corrected": "the images are not corrected for attenuation",
    "not_decay_corrected": "the images are not corrected for decay, or do not say to which time",
    "no_weight": "the weight of the patient is missing",
    "no_dose": "the injected dose or the half-life is missing",
    "odd_dose": "the injected dose is no dose of a person in Bq",
    "no_times": "the time of the injection or the start of the scan is missing",
    "odd_times": "injection and scan do not go together",
    "differs": "the images of the stack differ in it",
}


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """The factor with what it was made from, or why there is none (a code of NO_FACTOR)."""

    factor: float | None = None
    reason: str | None = None
    units: str | None = None
    by: str | None = None  #: units (they are uptake already), dose, philips
    weight_kg: float | None = None
    dose_bq: float | None = None
    half_life_s: float | None = None
    decay_correction: str | None = None
    injected: str | None = None
    decayed_to: str | None = None  #: the time to which images and dose are reckoned
    decay_s: float | None = None  #: from injection until then

    def document(self) -> dict[str, Any]:
        """Plain JSON: suv_factor or the reason, and the inputs that there are. Absolute times stay here: they may name a person's visit."""
        said = {
            name: value for name, value in asdict(self).items() if value is not None and name not in ("factor", "injected", "decayed_to")
        }
        return {"suv_factor": self.factor, **said}


@dataclass(frozen=True)
class _NoFactor(Exception):
    reason: str


def uptake_of(images: Sequence[Known]) -> Uptake:
    """The factor of a stack. images: the fields of each, by the names of our table."""
    first = images[0]
    units = str(first.get("units") or "")
    told: dict[str, Any] = {"units": units or None, "decay_correction": first.get("decay_correction")}
    try:
        for name in ("units", "decay_correction", "radionuclide_total_dose", "patient_weight", "radionuclide_half_life", "suv_type"):
            if len({str(image.get(name)) for image in images}) > 1:
                raise _NoFactor("differs")
        return Uptake(**{**told, **_factor(units, images)})
    except _NoFactor as why:
        return Uptake(reason=why.reason, **told)


def _factor(units: str, images: Sequence[Known]) -> dict[str, Any]:
    first = images[0]
    if units == "GML":
        if first.get("suv_type", "BW") != "BW":  # absent means BW (PS3.3 C.8.9.1)
            raise _NoFactor("suv_type")
        return {"factor": 1.0, "by": "units"}
    if units == "CNTS":
        return _of_philips(images)
    if units == "BQML":
        return _by_dose(images, 1.0)
    raise _NoFactor("units" if units else "no_units")


def _of_philips(images: Sequence[Known]) -> dict[str, Any]:
    """Counts are uptake by Philips' own factor, or activity by the other; images of one stack share them."""
    by_image = [(image.get(PHILIPS_SUV), image.get(PHILIPS_ACTIVITY)) for image in images]
    if len(set(by_image)) > 1:
        raise _NoFactor("differs")
    suv, activity = by_image[0]
    if suv:
        return {"factor": float(suv), "by": "philips"}
    if not activity:
        raise _NoFactor("units")
    return _by_dose(images, float(activity))


def _by_dose(images: Sequence[Known], bq_per_ml: float) -> dict[str, Any]:
    """Weight over what is left of the dose at the time to which the images are corrected."""
    first = images[0]
    if "ATTN" not in (first.get("corrected_image") or []):
        raise _NoFactor("not_attenuation_corrected")
    correction = first.get("decay_correction")
    if "DECY" not in (first.get("corrected_image") or []) or correction not in ("START", "ADMIN"):
        raise _NoFactor("not_decay_corrected")
    weight, dose, half_life = (first.get(name) for name in ("patient_weight", "radionuclide_total_dose", "radionuclide_half_life"))
    if not weight or weight <= 0:
        raise _NoFactor("no_weight")
    if not dose or not half_life or dose <= 0 or half_life <= 0:
        raise _NoFactor("no_dose")
    if dose < LEAST_DOSE_BQ:
        raise _NoFactor("odd_dose")
    times = {"decay_s": 0.0} if correction == "ADMIN" else _decay(images, float(half_life))
    left = dose * 2 ** (-times["decay_s"] / half_life)
    return {
        "factor": bq_per_ml * weight * G_PER_KG / left,
        "by": "dose",
        "weight_kg": float(weight),
        "dose_bq": float(dose),
        "half_life_s": float(half_life),
        **times,
    }


def _decay(images: Sequence[Known], half_life_s: float) -> dict[str, Any]:
    """How long the dose decays: from its injection to the start of the scan, s."""
    start = _scan_start(images, half_life_s)
    injected = _injected(images[0], start)
    if start is None or injected is None:
        raise _NoFactor("no_times")
    decay_s = (start - injected).total_seconds()
    if not 0 <= decay_s <= MOST_HALF_LIVES * half_life_s:
        raise _NoFactor("odd_times")
    return {"injected": injected.isoformat(), "decayed_to": start.isoformat(), "decay_s": decay_s}


def _injected(known: Known, start: datetime | None) -> datetime | None:
    """With its date if there is one; else on the day of the scan, or before midnight of the day before."""
    if said := _moment(known.get("radiopharmaceutical_start_date_time")):
        return said
    if start is None:
        return None
    same_day = _moment(f"{start.date().isoformat()}T{known.get('radiopharmaceutical_start_time')}")
    return same_day - timedelta(days=1) if same_day and same_day > start else same_day


def _scan_start(images: Sequence[Known], half_life_s: float) -> datetime | None:
    """The time of the series if no image is older; else what GE says; else reckoned back from a frame (see _from_frame)."""
    first = images[0]
    series = _moment(f"{first.get('series_date')}T{first.get('series_time')}")
    acquired = [_acquired(image) for image in images]
    known = [one for one in acquired if one is not None]
    if series and known and series <= min(known):
        return series
    if said := _moment(first.get(GE_SCAN_START)):
        return said
    return next((_from_frame(image, begun, half_life_s) for image, begun in zip(images, acquired, strict=True) if begun), None)


def _acquired(image: Known) -> datetime | None:
    return _moment(image.get("acquisition_date_time")) or _moment(f"{image.get('acquisition_date')}T{image.get('acquisition_time')}")


def _from_frame(image: Known, begun: datetime, half_life_s: float) -> datetime | None:
    """A frame's reference time counts from the start of the scan to when its rate was the mean of the frame (PS3.3 C.8.9.4.1.5)."""
    reference_ms, duration_ms = image.get("frame_reference_time"), image.get("actual_frame_duration")
    if not reference_ms or not duration_ms or reference_ms <= 0 or duration_ms <= 0:
        return None
    rate = math.log(2) / half_life_s
    decay = rate * duration_ms / 1000
    mean_s = math.log(decay / -math.expm1(-decay)) / rate
    return begun - timedelta(seconds=reference_ms / 1000 - mean_s)


def _moment(text: Any) -> datetime | None:
    """A date and time as our fields say it, without its zone: of one scanner all times are of one zone."""
    try:
        return datetime.fromisoformat(_six_digits(str(text))).replace(tzinfo=None)
    except ValueError:
        return None


def _six_digits(text: str) -> str:
    whole, point, part = text.partition(".")
    digits = len(part) - len(part.lstrip("0123456789"))
    return f"{whole}.{part[:digits][:6]:0<6}{part[digits:]}" if point else text
