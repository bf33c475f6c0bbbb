"""Fields of magnetic resonance (PS3.3 C.8.3.1 classic, C.8.13 enhanced).

Sources of values that several elements say together: `pulse_sequence_module` (scanning sequence of its words) and `encoding_steps`
(acquisition matrix of the steps and their direction).
"""

from gyrus.dicom.field import Field, Level, Private
from gyrus.dicom.macros import (
    CARDIAC,
    MR_ABSORPTION,
    MR_AVERAGES,
    MR_B_MATRIX,
    MR_DIFFUSION,
    MR_ECHO,
    MR_FIELD_OF_VIEW,
    MR_GRADIENT,
    MR_IMAGING,
    MR_LABELLING,
    MR_MODIFIER,
    MR_RECEIVE_COIL,
    MR_TIMING,
    MR_TRANSMIT_COIL,
    MR_VELOCITY,
    frame_type,
)


def _xa(element: int, vr: str, pattern: str = "") -> Private:
    return Private(0x0021, "SIEMENS MR SDS 01", element, vr, "siemens_xa", pattern)


def _uih(element: int, vr: str, pattern: str = "") -> Private:
    return Private(0x0065, "Image Private Header", element, vr, "uih_private", pattern)


_XA_NAME = Private(0x0021, "SIEMENS MR SDI 02", 0x77, "LO", "siemens_xa")
_GE_FILE = Private(0x0019, "GEMS_ACQU_01", 0x9C, "LO", "ge_private")
_GE_FAMILY = Private(0x0019, "GEMS_ACQU_01", 0x9E, "LO", "ge_private")
_PHILIPS_TECHNIQUE = Private(0x2001, "Philips Imaging DD 001", 0x20, "LO", "philips_private")
_PHILIPS_SLICES = Private(0x2001, "Philips Imaging DD 001", 0x18, "SL", "philips_private")
_PHILIPS_FLIP = Private(0x2001, "Philips Imaging DD 001", 0x23, "DS", "philips_private")
_PHILIPS_LABEL = Private(0x2005, "Philips MR Imaging DD 005", 0x29, "CS", "philips_private")
_XA_INVERSION = Private(0x0021, "SIEMENS MR SDI 02", 0x89, "FD", "siemens_xa")
_UIH_NAME = _uih(0x2D, "ST")

_A: Level = "acquisition"
_ROW, _COLUMN_STEPS, _OUT_STEPS = 0x00189058, 0x00189231, 0x00189232
_NOWHERE = ([0.0, 0.0, 0.0],)
_EFFECTIVE_ECHO_TIME, _INVERSION_TIMES = 0x00189082, 0x00189079

SEQUENCE = (
    Field("scanning_sequence", "ScanningSequence", 0x00180020, _A, "texts", private=(_xa(0x5A, "CS"),), makers=("pulse_sequence_module",)),
    Field("sequence_variant", "SequenceVariant", 0x00180021, _A, "texts", private=(_xa(0x5B, "CS"),)),
    Field("scan_options", "ScanOptions", 0x00180022, _A, "texts", "", ((MR_MODIFIER, 0x00180022),), (_xa(0x5C, "CS"),)),
    Field("mr_acquisition_type", "MRAcquisitionType", 0x00180023, _A),
    Field("sequence_name", "SequenceName", 0x00180024, "image", nested=(frame_type(0x00180024)[0],), private=(_XA_NAME, _UIH_NAME)),
    Field("pulse_sequence_name", "PulseSequenceName", 0x00189005, _A),
    Field("ge_pulse_sequence", "", 0, _A, private=(_GE_FILE,)),
    Field("ge_sequence_family", "", 0, _A, private=(_GE_FAMILY,)),
    Field("philips_scan_technique", "", 0, _A, private=(_PHILIPS_TECHNIQUE,)),
    Field("philips_slices", "", 0, _A, "integer", private=(_PHILIPS_SLICES,)),
    Field("angio_flag", "AngioFlag", 0x00180025, _A),
    Field("echo_pulse_sequence", "EchoPulseSequence", 0x00189008, _A),
    Field("multiple_spin_echo", "MultipleSpinEcho", 0x00189011, _A),
    Field("multi_planar_excitation", "MultiPlanarExcitation", 0x00189012, _A),
    Field("phase_contrast", "PhaseContrast", 0x00189014, _A),
    Field("time_of_flight_contrast", "TimeOfFlightContrast", 0x00189015, _A),
    Field("steady_state_pulse_sequence", "SteadyStatePulseSequence", 0x00189017, _A),
    Field("echo_planar_pulse_sequence", "EchoPlanarPulseSequence", 0x00189018, _A),
    Field("saturation_recovery", "SaturationRecovery", 0x00189024, _A),
    Field("spectrally_selected_suppression", "SpectrallySelectedSuppression", 0x00189025, _A),
    Field("arterial_spin_labeling_contrast", "ArterialSpinLabelingContrast", 0x00189250, _A, private=(_xa(0x55, "CS"),)),
    Field("oversampling_phase", "OversamplingPhase", 0x00189029, _A),
    Field("geometry_of_k_space_traversal", "GeometryOfKSpaceTraversal", 0x00189032, _A),
    Field("segmented_k_space_traversal", "SegmentedKSpaceTraversal", 0x00189033, _A),
    Field("rectilinear_phase_encode_reordering", "RectilinearPhaseEncodeReordering", 0x00189034, _A),
    Field("coverage_of_k_space", "CoverageOfKSpace", 0x00189094, _A),
    Field("number_of_k_space_trajectories", "NumberOfKSpaceTrajectories", 0x00189093, _A, "integer"),
    Field("k_space_filtering", "KSpaceFiltering", 0x00189064, _A),
    Field("complex_image_component", "ComplexImageComponent", 0x00089208, _A, nested=frame_type(0x00089208), makers=("ge_private",)),
    Field("acquisition_contrast", "AcquisitionContrast", 0x00089209, _A, "text", "", frame_type(0x00089209), (_xa(0x49, "CS"),)),
)

TIMING = (
    Field("repetition_time", "RepetitionTime", 0x00180080, _A, "number", "ms", ((MR_TIMING, 0x00180080),)),
    Field("echo_time", "EchoTime", 0x00180081, _A, "number", "ms", ((MR_ECHO, _EFFECTIVE_ECHO_TIME),)),
    Field(
        "inversion_time",
        "InversionTime",
        0x00180082,
        _A,
        "number",
        "ms",
        ((MR_MODIFIER, _INVERSION_TIMES), (MR_MODIFIER, 0x00180082)),
        (_XA_INVERSION,),
        makers=("siemens_phoenix", "philips_private"),
        empty=(0.0,),
    ),
    Field("flip_angle", "FlipAngle", 0x00181314, _A, "number", "deg", ((MR_TIMING, 0x00181314),), (_PHILIPS_FLIP,)),
    Field("echo_numbers", "EchoNumbers", 0x00180086, _A, "integer"),
    Field("echo_train_length", "EchoTrainLength", 0x00180091, _A, "integer", "", ((MR_TIMING, 0x00180091),)),
    Field("rf_echo_train_length", "RFEchoTrainLength", 0x00189240, _A, "integer", "", ((MR_TIMING, 0x00189240),)),
    Field("gradient_echo_train_length", "GradientEchoTrainLength", 0x00189241, _A, "integer", "", ((MR_TIMING, 0x00189241),)),
    Field("number_of_averages", "NumberOfAverages", 0x00180083, _A, "number", "", ((MR_AVERAGES, 0x00180083),), empty=(0.0,)),
    Field("trigger_time", "TriggerTime", 0x00181060, "image", "number", "ms", ((CARDIAC, 0x00209153),)),
    Field("nominal_interval", "NominalInterval", 0x00181062, "image", "number", "ms", ((CARDIAC, 0x00209251),), empty=(0.0,)),
    Field("cardiac_trigger_delay", "NominalCardiacTriggerDelayTime", 0x00209153, "image", "number", "ms", ((CARDIAC, 0x00209153),)),
)

HARDWARE = (
    Field("magnetic_field_strength", "MagneticFieldStrength", 0x00180087, _A, "number", "T", empty=(0.0,)),
    Field("imaging_frequency", "ImagingFrequency", 0x00180084, _A, "number", "MHz", ((MR_IMAGING, 0x00189098),), empty=(0.0,)),
    Field("imaged_nucleus", "ImagedNucleus", 0x00180085, _A, nested=((0x00189100,), (MR_IMAGING, 0x00189100))),
    Field("receive_coil_name", "ReceiveCoilName", 0x00181250, _A, nested=((MR_RECEIVE_COIL, 0x00181250),)),
    Field("transmit_coil_name", "TransmitCoilName", 0x00181251, _A, nested=((MR_TRANSMIT_COIL, 0x00181251),)),
    Field("sar", "SAR", 0x00181316, _A, "number", "W/kg", ((MR_TIMING, MR_ABSORPTION, 0x00189181),)),
    Field("dbdt", "dBdt", 0x00181318, _A, "number", "T/s"),
    Field("b1rms", "B1rms", 0x00181320, _A, "number", "µT"),
)

SAMPLING = (
    Field("acquisition_matrix", "AcquisitionMatrix", 0x00181310, _A, "numbers", makers=("encoding_steps",)),
    Field(
        "number_of_phase_encoding_steps",
        "NumberOfPhaseEncodingSteps",
        0x00180089,
        _A,
        "integer",
        "",
        ((MR_FIELD_OF_VIEW, _COLUMN_STEPS),),
        empty=(0,),
    ),
    Field(
        "mr_acquisition_frequency_encoding_steps",
        "MRAcquisitionFrequencyEncodingSteps",
        _ROW,
        _A,
        "integer",
        "",
        ((MR_FIELD_OF_VIEW, _ROW),),
    ),
    Field(
        "mr_acquisition_phase_encoding_steps_out_of_plane",
        "MRAcquisitionPhaseEncodingStepsOutOfPlane",
        _OUT_STEPS,
        _A,
        "integer",
        "",
        ((MR_FIELD_OF_VIEW, _OUT_STEPS),),
        empty=(0,),
    ),
    Field("percent_sampling", "PercentSampling", 0x00180093, _A, "number", "%", ((MR_FIELD_OF_VIEW, 0x00180093),), empty=(0.0,)),
    Field(
        "percent_phase_field_of_view",
        "PercentPhaseFieldOfView",
        0x00180094,
        _A,
        "number",
        "%",
        ((MR_FIELD_OF_VIEW, 0x00180094),),
        empty=(0.0,),
    ),
    Field("pixel_bandwidth", "PixelBandwidth", 0x00180095, _A, "number", "Hz/px", ((MR_IMAGING, 0x00180095),), empty=(0.0,)),
    Field("in_plane_phase_encoding_direction", "InPlanePhaseEncodingDirection", 0x00181312, _A, nested=((MR_FIELD_OF_VIEW, 0x00181312),)),
    Field("parallel_acquisition", "ParallelAcquisition", 0x00189077, _A, nested=((MR_MODIFIER, 0x00189077),)),
    Field("parallel_acquisition_technique", "ParallelAcquisitionTechnique", 0x00189078, _A, nested=((MR_MODIFIER, 0x00189078),)),
    Field(
        "parallel_reduction_factor_in_plane",
        "ParallelReductionFactorInPlane",
        0x00189069,
        _A,
        "number",
        nested=((MR_MODIFIER, 0x00189069),),
        private=(_uih(0x0D, "SH", r"F:(\d+(?:\.\d+)?)"),),
        makers=("siemens_phoenix", "siemens_private", "siemens_xa", "ge_private"),
    ),
    Field(
        "parallel_reduction_factor_out_of_plane",
        "ParallelReductionFactorOutOfPlane",
        0x00189155,
        _A,
        "number",
        nested=((MR_MODIFIER, 0x00189155),),
        makers=("siemens_phoenix", "ge_private"),
    ),
    Field(
        "multiband_factor",
        "",
        0,
        _A,
        "number",
        makers=("image_comments", "siemens_private", "siemens_xa", "siemens_phoenix", "ge_private", "philips_private"),
    ),
    Field(
        "partial_fourier",
        "PartialFourier",
        0x00189081,
        _A,
        nested=((MR_MODIFIER, 0x00189081),),
        makers=("siemens_phoenix", "scan_options"),
    ),
    Field(
        "partial_fourier_direction",
        "PartialFourierDirection",
        0x00189036,
        _A,
        nested=((MR_MODIFIER, 0x00189036),),
        makers=("scan_options",),
    ),
)

PREPARATION = (
    Field("inversion_recovery", "InversionRecovery", 0x00189009, _A, nested=((MR_MODIFIER, 0x00189009),)),
    Field("spoiling", "Spoiling", 0x00189016, _A, nested=((MR_MODIFIER, 0x00189016),)),
    Field("t2_preparation", "T2Preparation", 0x00189021, _A, nested=((MR_MODIFIER, 0x00189021),)),
    Field("flow_compensation", "FlowCompensation", 0x00189010, _A, nested=((MR_MODIFIER, 0x00189010),)),
    Field("spatial_presaturation", "SpatialPresaturation", 0x00189027, _A, nested=((MR_MODIFIER, 0x00189027),)),
    Field("spectrally_selected_excitation", "SpectrallySelectedExcitation", 0x00189026, _A, nested=((MR_MODIFIER, 0x00189026),)),
    Field("magnetization_transfer", "MagnetizationTransfer", 0x00189020, _A, nested=((MR_IMAGING, 0x00189020),)),
    Field("blood_signal_nulling", "BloodSignalNulling", 0x00189022, _A, nested=((MR_IMAGING, 0x00189022),)),
    Field("tagging", "Tagging", 0x00189028, _A, nested=((MR_IMAGING, 0x00189028),)),
    Field("asl_context", "ASLContext", 0x00189257, "image", nested=((MR_LABELLING, 0x00189257),), private=(_PHILIPS_LABEL,)),
    Field("velocity_encoding", "VelocityEncodingMaximumValue", 0x00189217, "image", "number", "cm/s", ((MR_VELOCITY, 0x00189217),)),
    Field(
        "velocity_encoding_direction",
        "VelocityEncodingDirection",
        0x00189090,
        "image",
        "numbers",
        "",
        ((MR_VELOCITY, 0x00189090),),
        empty=_NOWHERE,
    ),
)

DIFFUSION = (
    Field(
        "diffusion_b_value",
        "DiffusionBValue",
        0x00189087,
        "image",
        "number",
        "s/mm2",
        ((MR_DIFFUSION, 0x00189087),),
        makers=("siemens_private", "siemens_csa", "sequence_name", "ge_private", "philips_private", "canon_comment", "uih_private"),
    ),
    Field(
        "diffusion_directionality",
        "DiffusionDirectionality",
        0x00189075,
        "image",
        nested=((MR_DIFFUSION, 0x00189075),),
        makers=("siemens_private", "siemens_csa", "ge_private", "philips_private"),
    ),
    Field(
        "diffusion_gradient_orientation",
        "DiffusionGradientOrientation",
        0x00189089,
        "image",
        "numbers",
        nested=((MR_DIFFUSION, MR_GRADIENT, 0x00189089),),
        makers=("siemens_private", "siemens_csa", "ge_private", "philips_private", "canon_comment", "uih_private"),
        empty=([0.0, 0.0, 0.0],),
    ),
    Field(
        "diffusion_b_matrix",
        "",
        0,
        "image",
        "numbers",
        "s/mm2",
        nested=((MR_DIFFUSION, MR_B_MATRIX),),
        makers=("siemens_private", "siemens_csa"),
        joined=(0x00189602, 0x00189603, 0x00189604, 0x00189605, 0x00189606, 0x00189607),
    ),
    Field("diffusion_frame", "", 0, "image", makers=("ge_private", "canon_comment", "uih_private")),
)
