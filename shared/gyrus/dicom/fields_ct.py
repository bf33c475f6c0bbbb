"""Fields of computed tomography (PS3.3 C.8.2.1 classic, C.8.15 enhanced). Exposure changes from image to image."""

from gyrus.dicom.field import Field, Level
from gyrus.dicom.macros import (
    CODE_VALUE,
    CT_DETAILS,
    CT_EXPOSURE,
    CT_GEOMETRY,
    CT_PHANTOM,
    CT_RECONSTRUCTION,
    CT_TABLE,
    CT_TYPE,
    CT_X_RAY,
    MEANING,
    PT_ACQUISITION,
    PT_RECONSTRUCTION,
)

_A: Level = "acquisition"
_TILT, _HEIGHT, _COLLECTED = 0x00181120, 0x00181130, 0x00180090
_RECONSTRUCTED, _ALGORITHM = 0x00181100, 0x00189315


def _gantry(tag: int) -> tuple[tuple[int, ...], ...]:
    """Places of what the gantry does: the standard's in CT, one that some write, and PET's."""
    return ((CT_DETAILS, tag), (CT_GEOMETRY, tag), (PT_ACQUISITION, tag))


CT = (
    Field("acquisition_type", "AcquisitionType", 0x00189302, _A, nested=((CT_TYPE, 0x00189302),)),
    Field("kvp", "KVP", 0x00180060, _A, "number", "kV", ((CT_X_RAY, 0x00180060),), empty=(0.0,)),
    Field("focal_spots", "FocalSpots", 0x00181190, _A, "numbers", "mm", ((CT_X_RAY, 0x00181190),)),
    Field("filter_type", "FilterType", 0x00181160, _A, nested=((CT_X_RAY, 0x00181160),)),
    Field("generator_power", "GeneratorPower", 0x00181170, _A, "number", "kW"),
    Field("data_collection_diameter", "DataCollectionDiameter", _COLLECTED, _A, "number", "mm", _gantry(_COLLECTED), empty=(0.0,)),
    Field("gantry_detector_tilt", "GantryDetectorTilt", _TILT, _A, "number", "deg", _gantry(_TILT)),
    Field("table_height", "TableHeight", _HEIGHT, _A, "number", "mm", _gantry(_HEIGHT)),
    Field("rotation_direction", "RotationDirection", 0x00181140, _A, nested=((CT_DETAILS, 0x00181140),)),
    Field("revolution_time", "RevolutionTime", 0x00189305, _A, "number", "s", ((CT_DETAILS, 0x00189305),), empty=(0.0,)),
    Field("single_collimation_width", "SingleCollimationWidth", 0x00189306, _A, "number", "mm", ((CT_DETAILS, 0x00189306),), empty=(0.0,)),
    Field("total_collimation_width", "TotalCollimationWidth", 0x00189307, _A, "number", "mm", ((CT_DETAILS, 0x00189307),), empty=(0.0,)),
    Field("table_speed", "TableSpeed", 0x00189309, _A, "number", "mm/s", ((CT_TABLE, 0x00189309),)),
    Field("table_feed_per_rotation", "TableFeedPerRotation", 0x00189310, _A, "number", "mm", ((CT_TABLE, 0x00189310),)),
    Field("spiral_pitch_factor", "SpiralPitchFactor", 0x00189311, _A, "number", "", ((CT_TABLE, 0x00189311),), empty=(0.0,)),
    Field(
        "distance_source_to_detector",
        "DistanceSourceToDetector",
        0x00181110,
        _A,
        "number",
        "mm",
        ((CT_GEOMETRY, 0x00181110),),
        empty=(0.0,),
    ),
    Field("convolution_kernel", "ConvolutionKernel", 0x00181210, _A, "texts", nested=((CT_RECONSTRUCTION, 0x00181210),)),
    Field(
        "reconstruction_algorithm",
        "ReconstructionAlgorithm",
        _ALGORITHM,
        _A,
        nested=((CT_RECONSTRUCTION, _ALGORITHM), (PT_RECONSTRUCTION, _ALGORITHM)),
    ),
    Field(
        "reconstruction_diameter",
        "ReconstructionDiameter",
        _RECONSTRUCTED,
        _A,
        "number",
        "mm",
        ((CT_RECONSTRUCTION, _RECONSTRUCTED), (PT_RECONSTRUCTION, _RECONSTRUCTED)),
        empty=(0.0,),
    ),
    Field("exposure_modulation_type", "ExposureModulationType", 0x00189323, _A, nested=((CT_EXPOSURE, 0x00189323),)),
    Field("ctdi_phantom_type", "", 0, _A, nested=((CT_PHANTOM, MEANING), (CT_EXPOSURE, CT_PHANTOM, MEANING))),
    Field("ctdi_phantom_type_code", "", 0, _A, nested=((CT_PHANTOM, CODE_VALUE), (CT_EXPOSURE, CT_PHANTOM, CODE_VALUE))),
    Field("exposure_time", "ExposureTime", 0x00181150, "image", "number", "ms", ((CT_EXPOSURE, 0x00189328),)),
    Field("x_ray_tube_current", "XRayTubeCurrent", 0x00181151, "image", "number", "mA", ((CT_EXPOSURE, 0x00189330),)),
    Field("exposure", "Exposure", 0x00181152, "image", "number", "mAs", ((CT_EXPOSURE, 0x00189332),)),
    Field("ctdi_vol", "CTDIvol", 0x00189345, "image", "number", "mGy", ((CT_EXPOSURE, 0x00189345),)),
)
