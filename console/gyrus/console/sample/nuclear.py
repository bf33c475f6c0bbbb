"""Positron emission: activity, its decay, and the elements that let a reader compute uptake values."""

import math
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Elements, Study
from gyrus.console.sample.phantom import Floats

HALF_LIFE_S: Final = 6586.2  # of 18F
DOSE_BQ: Final = 185e6
INJECTED_S: Final = 9 * 3600 + 1500  # after midnight
SCANNED_S: Final = INJECTED_S + 3600
FRAME_S: Final = 600
NOISE: Final = 0.06
RATE: Final = math.log(2) / HALF_LIFE_S


def becquerel_per_ml(uptake: Floats, study: Study, random: np.random.Generator) -> Floats:
    """Activity at the start of the scan, for which the scanner corrects, of a standardised uptake value."""
    dose_at_start = DOSE_BQ * math.exp(-RATE * (SCANNED_S - INJECTED_S))
    per_uptake = dose_at_start / (float(study.elements["PatientWeight"]) * 1000)  # Bq/g, and a gram is a millilitre
    noise = NOISE * np.sqrt(np.maximum(uptake, 0.02)) * random.standard_normal(uptake.shape, dtype=np.float32)
    activity: Floats = np.maximum(uptake + noise, 0) * np.float32(per_uptake)
    return activity


def decay_factor() -> float:
    """What the mean activity within the frame is multiplied with to be that of its start."""
    return RATE * FRAME_S / (1 - math.exp(-RATE * FRAME_S))


def frame_reference_ms() -> float:
    """When, within the frame, the activity is its mean."""
    return 1000 * math.log(decay_factor()) / RATE


def tracer() -> Dataset:
    """The item of the Radiopharmaceutical Information Sequence: FDG."""
    item = Dataset()
    item.Radiopharmaceutical = "FDG -- fluorodeoxyglucose"
    item.RadiopharmaceuticalRoute = "Intravenous route"
    item.RadiopharmaceuticalVolume = "0"
    item.RadiopharmaceuticalStartTime = "092500.00"
    item.RadionuclideTotalDose = f"{DOSE_BQ:.0f}"
    item.RadionuclideHalfLife = f"{HALF_LIFE_S}"
    item.RadionuclidePositronFraction = "0.97"
    item.RadionuclideCodeSequence = [coded("C-111A1", "SRT", "^18^Fluorine")]
    item.RadiopharmaceuticalCodeSequence = [coded("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")]
    return item


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def emission_elements(slices: int) -> Elements:
    """The PET modules of a static scan of one bed, PS3.3 C.8.9."""
    energies = Dataset()
    energies.EnergyWindowLowerLimit, energies.EnergyWindowUpperLimit = "375", "650"
    return {
        "Modality": "PT",
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "SeriesType": ["STATIC", "IMAGE"],
        "NumberOfSlices": slices,
        "CorrectedImage": ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "RADL", "DCAL", "SLSENS", "NORM"],
        "RandomsCorrectionMethod": "SING",
        "AttenuationCorrectionMethod": "measured,, 0.096000 cm-1,",
        "ScatterCorrectionMethod": "Convolution subtraction",
        "DecayCorrection": "START",
        "ReconstructionMethod": "3D IR",
        "CollimatorType": "NONE",
        "ActualFrameDuration": FRAME_S * 1000,
        "FrameReferenceTime": f"{frame_reference_ms():.1f}",
        "DecayFactor": f"{decay_factor():.6f}",
        "DoseCalibrationFactor": "1",
        "ScatterFractionFactor": "0.31",
        "DeadTimeFactor": "1.02",
        "EnergyWindowRangeSequence": [energies],
        "RadiopharmaceuticalInformationSequence": [tracer()],
        "PatientOrientationCodeSequence": [coded("F-10450", "SRT", "recumbent")],
        "PatientGantryRelationshipCodeSequence": [coded("F-10470", "SRT", "headfirst")],
    }
