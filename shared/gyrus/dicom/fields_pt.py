"""Fields of positron emission tomography (PS3.3 C.8.9 classic, C.8.22 enhanced).

The tracer stands in the items of a sequence. Some write it at the top level: such a value counts where the items have none, and says so.
Source of values that several elements say together: `pet_corrections` (corrected image of the YES and NO of enhanced objects).
"""

from functools import partial

from gyrus.dicom.field import Field, Level
from gyrus.dicom.macros import CONTENT, MEANING, PT_FACTORS, PT_RECONSTRUCTION, TRACER

_A: Level = "acquisition"
_SUBSTANCE, _NUCLIDE, _ROUTE = 0x00540304, 0x00540300, 0x00540302  # code sequences of an item
_tracer = partial(Field, level=_A, sequence_first=True)

PET_SERIES = (
    Field("units", "Units", 0x00541001, _A),
    Field("counts_source", "CountsSource", 0x00541002, _A),
    Field("series_type", "SeriesType", 0x00541000, _A, "texts"),
    Field("suv_type", "SUVType", 0x00541006, _A),
    Field("number_of_slices", "NumberOfSlices", 0x00540081, _A, "integer"),
    Field("number_of_time_slices", "NumberOfTimeSlices", 0x00540101, _A, "integer"),
    Field("number_of_rr_intervals", "NumberOfRRIntervals", 0x00540061, _A, "integer"),
    Field("number_of_time_slots", "NumberOfTimeSlots", 0x00540071, _A, "integer"),
    Field("reconstruction_method", "ReconstructionMethod", 0x00541103, _A, nested=((PT_RECONSTRUCTION, 0x00189315),)),
    Field("reconstruction_type", "ReconstructionType", 0x00189756, _A, nested=((PT_RECONSTRUCTION, 0x00189756),)),
)

CORRECTIONS = (
    Field("corrected_image", "CorrectedImage", 0x00280051, _A, "texts", makers=("pet_corrections",)),
    Field("attenuation_correction_method", "AttenuationCorrectionMethod", 0x00541101, _A),
    Field("attenuation_correction_source", "AttenuationCorrectionSource", 0x00189738, _A),
    Field("decay_correction", "DecayCorrection", 0x00541102, _A),
    Field("decay_correction_date_time", "DecayCorrectionDateTime", 0x00189701, _A, "date_time"),
    Field("randoms_correction_method", "RandomsCorrectionMethod", 0x00541100, _A),
    Field("scatter_correction_method", "ScatterCorrectionMethod", 0x00541105, _A),
    Field("decay_corrected", "DecayCorrected", 0x00189758, _A),
    Field("attenuation_corrected", "AttenuationCorrected", 0x00189759, _A),
    Field("scatter_corrected", "ScatterCorrected", 0x00189760, _A),
    Field("dead_time_corrected", "DeadTimeCorrected", 0x00189761, _A),
    Field("gantry_motion_corrected", "GantryMotionCorrected", 0x00189762, _A),
    Field("patient_motion_corrected", "PatientMotionCorrected", 0x00189763, _A),
    Field("count_loss_normalization_corrected", "CountLossNormalizationCorrected", 0x00189764, _A),
    Field("randoms_corrected", "RandomsCorrected", 0x00189765, _A),
    Field("non_uniform_radial_sampling_corrected", "NonUniformRadialSamplingCorrected", 0x00189766, _A),
    Field("sensitivity_calibrated", "SensitivityCalibrated", 0x00189767, _A),
    Field("detector_normalization_correction", "DetectorNormalizationCorrection", 0x00189768, _A),
)

TRACERS = (
    _tracer("radiopharmaceutical", "Radiopharmaceutical", 0x00180031, nested=((TRACER, 0x00180031), (TRACER, _SUBSTANCE, MEANING))),
    Field("radionuclide", "", 0, _A, nested=((TRACER, _NUCLIDE, MEANING),)),
    _tracer("radiopharmaceutical_route", "RadiopharmaceuticalRoute", 0x00181070, nested=((TRACER, 0x00181070), (TRACER, _ROUTE, MEANING))),
    _tracer(
        "radiopharmaceutical_volume",
        "RadiopharmaceuticalVolume",
        0x00181071,
        kind="number",
        unit="ml",
        nested=((TRACER, 0x00181071),),
        empty=(0.0,),
    ),
    _tracer("radiopharmaceutical_start_time", "RadiopharmaceuticalStartTime", 0x00181072, kind="time", nested=((TRACER, 0x00181072),)),
    _tracer("radiopharmaceutical_stop_time", "RadiopharmaceuticalStopTime", 0x00181073, kind="time", nested=((TRACER, 0x00181073),)),
    _tracer(
        "radiopharmaceutical_start_date_time",
        "RadiopharmaceuticalStartDateTime",
        0x00181078,
        kind="date_time",
        nested=((TRACER, 0x00181078),),
    ),
    _tracer(
        "radiopharmaceutical_stop_date_time",
        "RadiopharmaceuticalStopDateTime",
        0x00181079,
        kind="date_time",
        nested=((TRACER, 0x00181079),),
    ),
    _tracer(
        "radionuclide_total_dose",
        "RadionuclideTotalDose",
        0x00181074,
        kind="number",
        unit="Bq",
        nested=((TRACER, 0x00181074),),
        empty=(0.0,),
    ),
    _tracer(
        "radionuclide_half_life", "RadionuclideHalfLife", 0x00181075, kind="number", unit="s", nested=((TRACER, 0x00181075),), empty=(0.0,)
    ),
    _tracer(
        "radionuclide_positron_fraction",
        "RadionuclidePositronFraction",
        0x00181076,
        kind="number",
        nested=((TRACER, 0x00181076),),
        empty=(0.0,),
    ),
)

PET_IMAGE = (
    Field("frame_reference_time", "FrameReferenceTime", 0x00541300, "image", "number", "ms"),
    Field("actual_frame_duration", "ActualFrameDuration", 0x00181242, "image", "number", "ms", ((CONTENT, 0x00189220),)),
    Field("decay_factor", "DecayFactor", 0x00541321, "image", "number", "", ((PT_FACTORS, 0x00541321),)),
    Field("dose_calibration_factor", "DoseCalibrationFactor", 0x00541322, "image", "number"),
    Field("scatter_fraction_factor", "ScatterFractionFactor", 0x00541323, "image", "number", "", ((PT_FACTORS, 0x00541323),)),
    Field("dead_time_factor", "DeadTimeFactor", 0x00541324, "image", "number", "", ((PT_FACTORS, 0x00541324),)),
    Field("image_index", "ImageIndex", 0x00541330, "image", "integer"),
)
