"""Values that several elements say together, where no element says them alone; and values that cannot be what they claim to be."""

from gyrus.dicom.values import Answers, Value

_ECHO_WORDS = {"SPIN": ["SE"], "GRADIENT": ["GR"], "BOTH": ["SE", "GR"]}
_SMALLEST_DOSE = 10_000  # Bq; who writes less means MBq

# Defined terms of CorrectedImage (PS3.3 C.8.9.1) by the field in which an enhanced object says YES or NO (C.8.22.2).
_CORRECTIONS = {
    "decay_corrected": "DECY",
    "attenuation_corrected": "ATTN",
    "scatter_corrected": "SCAT",
    "dead_time_corrected": "DTIM",
    "gantry_motion_corrected": "MOTN",
    "patient_motion_corrected": "PMOT",
    "count_loss_normalization_corrected": "CLN",
    "randoms_corrected": "RAN",
    "non_uniform_radial_sampling_corrected": "RADL",
    "sensitivity_calibrated": "DCAL",
    "detector_normalization_correction": "NORM",
}


def derived(known: dict[str, Value]) -> Answers:
    """Field to (value, source) for fields that `known` has not."""
    found: Answers = {
        "scanning_sequence": (scanning_sequence(known), "pulse_sequence_module"),
        "acquisition_matrix": (acquisition_matrix(known), "encoding_steps"),
        "corrected_image": (corrected_image(known), "pet_corrections"),
        "acquisition_date_time": (acquisition_date_time(known), "acquisition_date_and_time"),
    }
    return {name: answer for name, answer in found.items() if answer[0] is not None and known.get(name) is None}


def scanning_sequence(known: dict[str, Value]) -> list[str] | None:
    """SE, GR, EP and IR, as the words of the pulse sequence module mean them (PS3.3 C.8.13.4, C.8.3.1.1.2)."""
    words = list(_ECHO_WORDS.get(str(known.get("echo_pulse_sequence")), []))
    words += ["EP"] if known.get("echo_planar_pulse_sequence") == "YES" else []
    words += ["IR"] if known.get("inversion_recovery") == "YES" else []
    return words or None


def acquisition_matrix(known: dict[str, Value]) -> list[float] | None:
    """Frequency rows and columns, phase rows and columns. Phase along columns means that each row is one step."""
    frequency, phase = known.get("mr_acquisition_frequency_encoding_steps"), known.get("number_of_phase_encoding_steps")
    direction = known.get("in_plane_phase_encoding_direction")
    if not frequency or not phase or direction not in ("ROW", "COL"):
        return None
    return [0.0, float(frequency), float(phase), 0.0] if direction == "COL" else [float(frequency), 0.0, 0.0, float(phase)]


def corrected_image(known: dict[str, Value]) -> list[str] | None:
    """The corrections that an enhanced PET object says YES to."""
    return [word for name, word in _CORRECTIONS.items() if known.get(name) == "YES"] or None


def acquisition_date_time(known: dict[str, Value]) -> str | None:
    """YYYY-MM-DDTHH:MM:SS[.ffffff] of the date and the time."""
    day, clock = known.get("acquisition_date"), known.get("acquisition_time")
    return f"{day}T{clock}" if day and clock else None


def suspects(known: dict[str, Value]) -> list[str]:
    """Fields whose values are kept as they are, and cannot be right: a dose in MBq."""
    dose = known.get("radionuclide_total_dose")
    return ["radionuclide_total_dose"] if dose is not None and dose < _SMALLEST_DOSE else []
