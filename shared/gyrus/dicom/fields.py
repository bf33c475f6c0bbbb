"""What is read from a header: one table of fields, from which readers, documents and fingerprints are made.

A field is found at its own tag, else at the end of one of its `nested` paths (functional groups of enhanced objects, sequences of
classic ones), else at one of its `private` places, else by the module of its maker. The first value that is not empty wins, and a
maker's value is stored with its source. A field without a tag is derived, or has only other places.

Levels: subject, study, series and acquisition fields are the same for most images of a series and make the shared block of a header;
image fields change from image to image.
"""

from gyrus.dicom.field import Field, Level, Private, Table

_MEANING = 0x00080104  # CodeMeaning
_CONTENT = 0x00209111  # FrameContentSequence
_POSITION, _PLANE = 0x00209113, 0x00209116  # PlanePositionSequence, PlaneOrientationSequence
_MEASURES = 0x00289110  # PixelMeasuresSequence
_VALUES, _WINDOW = 0x00289145, 0x00289132  # PixelValueTransformationSequence, FrameVOILUTSequence
_ANATOMY = 0x00209071  # FrameAnatomySequence
_FRAME_TYPES = (0x00189226, 0x00189329, 0x00189751)  # MR, CT and PET image frame type sequences
_TIMING, _ECHO, _MODIFY = 0x00189112, 0x00189114, 0x00189115
_IMAGING, _FOV, _AVERAGES = 0x00189006, 0x00189125, 0x00189119
_RECEIVE, _TRANSMIT = 0x00189042, 0x00189049
_DIFFUSION, _DIRECTION = 0x00189117, 0x00189076
_CARDIAC, _LABELLING = 0x00189118, 0x00189251
_XRAY, _EXPOSURE, _ROTATION, _TABLE = 0x00189325, 0x00189321, 0x00189304, 0x00189308
_RECONSTRUCTION, _GEOMETRY, _SCAN = 0x00189314, 0x00189312, 0x00189301
_TRACER = 0x00540016  # RadiopharmaceuticalInformationSequence


def _frame_type(tag: int) -> tuple[tuple[int, ...], ...]:
    return tuple((sequence, tag) for sequence in _FRAME_TYPES)


def _xa(element: int, vr: str, pattern: str = "") -> Private:
    return Private(0x0021, "SIEMENS MR SDS 01", element, vr, "siemens_xa", pattern)


def _siemens(group: int, element: int, vr: str, pattern: str = "") -> Private:
    return Private(group, "SIEMENS MR HEADER", element, vr, "siemens_private", pattern)


def _uih(element: int, vr: str, pattern: str = "") -> Private:
    return Private(0x0065, "Image Private Header", element, vr, "uih_private", pattern)


_IN_PLANE, _SLICES = r"\bp(\d+)", r"\bp\d+s(\d+)"  # `p2s4`: two-fold in the plane, four slices at once


_XA_NAME = Private(0x0021, "SIEMENS MR SDI 02", 0x77, "LO", "siemens_xa")
_XA_IMAGE_TYPE = Private(0x0021, "SIEMENS MR SDI 02", 0x75, "CS", "siemens_xa")
_GE_FILE = Private(0x0019, "GEMS_ACQU_01", 0x9C, "LO", "ge_private")
_GE_FAMILY = Private(0x0019, "GEMS_ACQU_01", 0x9E, "LO", "ge_private")
_PHILIPS_TECHNIQUE = Private(0x2001, "Philips Imaging DD 001", 0x20, "LO", "philips_private")
_PHILIPS_SLICES = Private(0x2001, "Philips Imaging DD 001", 0x18, "SL", "philips_private")
_PHILIPS_FLIP = Private(0x2001, "Philips Imaging DD 001", 0x23, "FL", "philips_private")
_PHILIPS_PHASE = Private(0x2001, "Philips Imaging DD 001", 0x08, "IS", "philips_private")
_PHILIPS_B_VALUE = Private(0x2005, "Philips MR Imaging DD 005", 0x12, "IS", "philips_private")
_PHILIPS_GRADIENT = Private(0x2005, "Philips MR Imaging DD 005", 0x13, "IS", "philips_private")
_PHILIPS_LABEL = Private(0x2005, "Philips MR Imaging DD 005", 0x29, "CS", "philips_private")
_UIH_NAME = _uih(0x2D, "ST")

_A: Level = "acquisition"

FIELDS: tuple[Field, ...] = (
    # Subject
    Field("patient_id", "PatientID", 0x00100020, "subject", phi=True),
    Field("patient_name", "PatientName", 0x00100010, "subject", phi=True),
    Field("issuer_of_patient_id", "IssuerOfPatientID", 0x00100021, "subject", phi=True),
    Field("patient_birth_date", "PatientBirthDate", 0x00100030, "subject", "date", phi=True),
    Field("patient_sex", "PatientSex", 0x00100040, "subject"),
    Field("patient_identity_removed", "PatientIdentityRemoved", 0x00120062, "subject"),
    Field("deidentification_method", "DeidentificationMethod", 0x00120063, "subject", "texts"),
    # Study
    Field("study_instance_uid", "StudyInstanceUID", 0x0020000D, "study", "uid"),
    Field("study_date", "StudyDate", 0x00080020, "study", "date"),
    Field("study_time", "StudyTime", 0x00080030, "study", "time"),
    Field("study_id", "StudyID", 0x00200010, "study", phi=True),
    Field("accession_number", "AccessionNumber", 0x00080050, "study", phi=True),
    Field("study_description", "StudyDescription", 0x00081030, "study"),
    Field("study_comments", "StudyComments", 0x00324000, "study", phi=True),
    Field("timezone_offset_from_utc", "TimezoneOffsetFromUTC", 0x00080201, "study"),
    Field("patient_age_years", "PatientAge", 0x00101010, "study", "age", "years"),
    Field("patient_size", "PatientSize", 0x00101020, "study", "number", "m"),
    Field("patient_weight", "PatientWeight", 0x00101030, "study", "number", "kg"),
    # Series and equipment
    Field("series_instance_uid", "SeriesInstanceUID", 0x0020000E, "series", "uid"),
    Field("modality", "Modality", 0x00080060, "series"),
    Field("series_number", "SeriesNumber", 0x00200011, "series", "integer"),
    Field("series_date", "SeriesDate", 0x00080021, "series", "date"),
    Field("series_time", "SeriesTime", 0x00080031, "series", "time"),
    Field("series_description", "SeriesDescription", 0x0008103E, "series"),
    Field("protocol_name", "ProtocolName", 0x00181030, "series"),
    Field("body_part_examined", "BodyPartExamined", 0x00180015, "series", nested=((_ANATOMY, 0x00082218, _MEANING),)),
    Field("laterality", "Laterality", 0x00200060, "series", nested=((_ANATOMY, 0x00209072),)),
    Field("patient_position", "PatientPosition", 0x00185100, "series"),
    Field("frame_of_reference_uid", "FrameOfReferenceUID", 0x00200052, "series", "uid"),
    Field("manufacturer", "Manufacturer", 0x00080070, "series"),
    Field("manufacturer_model_name", "ManufacturerModelName", 0x00081090, "series"),
    Field("station_name", "StationName", 0x00081010, "series"),
    Field("institution_name", "InstitutionName", 0x00080080, "series"),
    Field("device_serial_number", "DeviceSerialNumber", 0x00181000, "series"),
    Field("software_versions", "SoftwareVersions", 0x00181020, "series", "texts"),
    Field("performed_procedure_step_description", "PerformedProcedureStepDescription", 0x00400254, "series"),
    Field("requested_procedure_description", "RequestedProcedureDescription", 0x00321060, "series"),
    Field("conversion_type", "ConversionType", 0x00080064, "series"),
    Field("burned_in_annotation", "BurnedInAnnotation", 0x00280301, "series"),
    Field("contrast_bolus_agent", "ContrastBolusAgent", 0x00180010, "series", nested=((0x00180012, _MEANING),)),
    Field("contrast_bolus_route", "ContrastBolusRoute", 0x00181040, "series", nested=((0x00180014, _MEANING),)),
    Field("contrast_bolus_volume", "ContrastBolusVolume", 0x00181041, "series", "number", "ml"),
    Field("contrast_bolus_start_time", "ContrastBolusStartTime", 0x00181042, "series", "time"),
    Field("contrast_bolus_total_dose", "ContrastBolusTotalDose", 0x00181044, "series", "number", "ml"),
    Field("contrast_flow_rate", "ContrastFlowRate", 0x00181046, "series", "number", "ml/s"),
    Field("contrast_flow_duration", "ContrastFlowDuration", 0x00181047, "series", "number", "s"),
    # Acquisition, any modality
    Field("sop_class_uid", "SOPClassUID", 0x00080016, _A, "uid"),
    Field("image_type", "ImageType", 0x00080008, _A, "texts", nested=_frame_type(0x00089007)),
    Field("siemens_image_type", "", 0, _A, "texts", private=(_XA_IMAGE_TYPE,)),
    Field("acquisition_date", "AcquisitionDate", 0x00080022, _A, "date"),
    Field("derivation_description", "DerivationDescription", 0x00082111, _A),
    Field("slice_thickness", "SliceThickness", 0x00180050, _A, "number", "mm", ((_MEASURES, 0x00180050),)),
    Field("spacing_between_slices", "SpacingBetweenSlices", 0x00180088, _A, "number", "mm", ((_MEASURES, 0x00180088),)),
    Field("pixel_spacing", "PixelSpacing", 0x00280030, _A, "numbers", "mm", ((_MEASURES, 0x00280030),)),
    Field("rows", "Rows", 0x00280010, _A, "integer"),
    Field("columns", "Columns", 0x00280011, _A, "integer"),
    Field("number_of_frames", "NumberOfFrames", 0x00280008, _A, "integer"),
    Field("samples_per_pixel", "SamplesPerPixel", 0x00280002, _A, "integer"),
    Field("photometric_interpretation", "PhotometricInterpretation", 0x00280004, _A),
    Field("bits_allocated", "BitsAllocated", 0x00280100, _A, "integer"),
    Field("bits_stored", "BitsStored", 0x00280101, _A, "integer"),
    Field("high_bit", "HighBit", 0x00280102, _A, "integer"),
    Field("pixel_representation", "PixelRepresentation", 0x00280103, _A, "integer"),
    Field("pixel_padding_value", "PixelPaddingValue", 0x00280120, _A, "integer"),
    Field("lossy_image_compression", "LossyImageCompression", 0x00282110, _A),
    Field("corrected_image", "CorrectedImage", 0x00280051, _A, "texts"),
    Field("number_of_temporal_positions", "NumberOfTemporalPositions", 0x00200105, _A, "integer"),
    Field("temporal_resolution", "TemporalResolution", 0x00200110, _A, "number", "ms"),
    Field("images_in_acquisition", "ImagesInAcquisition", 0x00201002, _A, "integer"),
    Field("transfer_syntax_uid", "TransferSyntaxUID", 0x00020010, _A, "uid"),
    Field("sop_class_name", "", 0, _A),
    Field("enhanced", "", 0, _A),
    Field("tile_count", "", 0, _A, "integer", makers=("siemens_private", "siemens_csa", "uih_private")),
    Field("tile_normal", "", 0, _A, "numbers", makers=("siemens_csa",)),
    Field("tile_positions", "", 0, _A, "numbers", "mm", makers=("uih_private",)),
    # MR
    Field("scanning_sequence", "ScanningSequence", 0x00180020, _A, "texts", private=(_xa(0x5A, "CS"),)),
    Field("sequence_variant", "SequenceVariant", 0x00180021, _A, "texts", private=(_xa(0x5B, "CS"),)),
    Field("scan_options", "ScanOptions", 0x00180022, _A, "texts", private=(_xa(0x5C, "CS"),)),
    Field("mr_acquisition_type", "MRAcquisitionType", 0x00180023, _A),
    Field("pulse_sequence_name", "PulseSequenceName", 0x00189005, _A),
    Field("ge_pulse_sequence", "", 0, _A, private=(_GE_FILE,)),
    Field("ge_sequence_family", "", 0, _A, private=(_GE_FAMILY,)),
    Field("philips_scan_technique", "", 0, _A, private=(_PHILIPS_TECHNIQUE,)),
    Field("philips_slices", "", 0, _A, "integer", private=(_PHILIPS_SLICES,)),
    Field("angio_flag", "AngioFlag", 0x00180025, _A),
    Field("repetition_time", "RepetitionTime", 0x00180080, _A, "number", "ms", ((_TIMING, 0x00180080),)),
    Field("echo_time", "EchoTime", 0x00180081, _A, "number", "ms", ((_ECHO, 0x00189082),)),
    Field("inversion_time", "InversionTime", 0x00180082, _A, "number", "ms", ((_MODIFY, 0x00189079),)),
    Field("flip_angle", "FlipAngle", 0x00181314, _A, "number", "deg", ((_TIMING, 0x00181314),), (_PHILIPS_FLIP,)),
    Field("echo_numbers", "EchoNumbers", 0x00180086, _A, "integer"),
    Field("echo_train_length", "EchoTrainLength", 0x00180091, _A, "integer", "", ((_TIMING, 0x00180091),)),
    Field("rf_echo_train_length", "RFEchoTrainLength", 0x00189240, _A, "integer", "", ((_TIMING, 0x00189240),)),
    Field("gradient_echo_train_length", "GradientEchoTrainLength", 0x00189241, _A, "integer", "", ((_TIMING, 0x00189241),)),
    Field("number_of_averages", "NumberOfAverages", 0x00180083, _A, "number", "", ((_AVERAGES, 0x00180083),)),
    Field("imaged_nucleus", "ImagedNucleus", 0x00180085, _A, nested=((0x00189100,), (_IMAGING, 0x00189100))),
    Field("magnetic_field_strength", "MagneticFieldStrength", 0x00180087, _A, "number", "T"),
    Field("percent_sampling", "PercentSampling", 0x00180093, _A, "number", "%", ((_FOV, 0x00180093),)),
    Field("percent_phase_field_of_view", "PercentPhaseFieldOfView", 0x00180094, _A, "number", "%", ((_FOV, 0x00180094),)),
    Field("pixel_bandwidth", "PixelBandwidth", 0x00180095, _A, "number", "Hz/px", ((_IMAGING, 0x00180095),)),
    Field("acquisition_matrix", "AcquisitionMatrix", 0x00181310, _A, "numbers"),
    Field("in_plane_phase_encoding_direction", "InPlanePhaseEncodingDirection", 0x00181312, _A, nested=((_FOV, 0x00181312),)),
    Field("receive_coil_name", "ReceiveCoilName", 0x00181250, _A, nested=((_RECEIVE, 0x00181250),)),
    Field("transmit_coil_name", "TransmitCoilName", 0x00181251, _A, nested=((_TRANSMIT, 0x00181251),)),
    Field("parallel_acquisition", "ParallelAcquisition", 0x00189077, _A, nested=((_MODIFY, 0x00189077),)),
    Field("parallel_acquisition_technique", "ParallelAcquisitionTechnique", 0x00189078, _A, nested=((_MODIFY, 0x00189078),)),
    Field(
        "parallel_reduction_factor_in_plane",
        "ParallelReductionFactorInPlane",
        0x00189069,
        _A,
        "number",
        nested=((_MODIFY, 0x00189069),),
        private=(_siemens(0x0051, 0x11, "LO", _IN_PLANE), _xa(0x09, "LO", _IN_PLANE), _uih(0x0D, "SH", r"F:(\d+(?:\.\d+)?)")),
        makers=("ge_private",),
    ),
    Field(
        "parallel_reduction_factor_out_of_plane",
        "ParallelReductionFactorOutOfPlane",
        0x00189155,
        _A,
        "number",
        nested=((_MODIFY, 0x00189155),),
        makers=("ge_private",),
    ),
    Field(
        "multiband_factor",
        "",
        0,
        _A,
        "number",
        private=(_siemens(0x0051, 0x11, "LO", _SLICES), _xa(0x09, "LO", _SLICES)),
        makers=("image_comments",),
    ),
    Field("partial_fourier", "PartialFourier", 0x00189081, _A, nested=((_MODIFY, 0x00189081),)),
    Field("inversion_recovery", "InversionRecovery", 0x00189009, _A, nested=((_MODIFY, 0x00189009),)),
    Field("spoiling", "Spoiling", 0x00189016, _A, nested=((_MODIFY, 0x00189016),)),
    Field("t2_preparation", "T2Preparation", 0x00189021, _A, nested=((_MODIFY, 0x00189021),)),
    Field("flow_compensation", "FlowCompensation", 0x00189010, _A, nested=((_MODIFY, 0x00189010),)),
    Field("spectrally_selected_excitation", "SpectrallySelectedExcitation", 0x00189026, _A, nested=((_MODIFY, 0x00189026),)),
    Field("magnetization_transfer", "MagnetizationTransfer", 0x00189020, _A, nested=((_IMAGING, 0x00189020),)),
    Field("blood_signal_nulling", "BloodSignalNulling", 0x00189022, _A, nested=((_IMAGING, 0x00189022),)),
    Field("echo_pulse_sequence", "EchoPulseSequence", 0x00189008, _A),
    Field("phase_contrast", "PhaseContrast", 0x00189014, _A),
    Field("time_of_flight_contrast", "TimeOfFlightContrast", 0x00189015, _A),
    Field("steady_state_pulse_sequence", "SteadyStatePulseSequence", 0x00189017, _A),
    Field("echo_planar_pulse_sequence", "EchoPlanarPulseSequence", 0x00189018, _A),
    Field("saturation_recovery", "SaturationRecovery", 0x00189024, _A),
    Field("spectrally_selected_suppression", "SpectrallySelectedSuppression", 0x00189025, _A),
    Field("arterial_spin_labeling_contrast", "ArterialSpinLabelingContrast", 0x00189250, _A),
    Field("geometry_of_k_space_traversal", "GeometryOfKSpaceTraversal", 0x00189032, _A),
    Field(
        "complex_image_component",
        "ComplexImageComponent",
        0x00089208,
        _A,
        nested=_frame_type(0x00089208),
        makers=("ge_private",),
    ),
    Field("acquisition_contrast", "AcquisitionContrast", 0x00089209, _A, nested=_frame_type(0x00089209)),
    Field("volumetric_properties", "VolumetricProperties", 0x00089206, _A, nested=_frame_type(0x00089206)),
    Field("volume_based_calculation_technique", "VolumeBasedCalculationTechnique", 0x00089207, _A, nested=_frame_type(0x00089207)),
    Field("asl_context", "ASLContext", 0x00189257, "image", nested=((_LABELLING, 0x00189257),), private=(_PHILIPS_LABEL,)),
    Field("philips_cardiac_phase", "", 0, "image", "integer", private=(_PHILIPS_PHASE,)),
    Field("philips_b_value_number", "", 0, "image", "integer", private=(_PHILIPS_B_VALUE,)),
    Field("philips_gradient_number", "", 0, "image", "integer", private=(_PHILIPS_GRADIENT,)),
    # CT
    Field("kvp", "KVP", 0x00180060, _A, "number", "kV", ((_XRAY, 0x00180060),)),
    Field("convolution_kernel", "ConvolutionKernel", 0x00181210, _A, "texts", nested=((_RECONSTRUCTION, 0x00181210),)),
    Field("reconstruction_diameter", "ReconstructionDiameter", 0x00181100, _A, "number", "mm", ((_RECONSTRUCTION, 0x00181100),)),
    Field("gantry_detector_tilt", "GantryDetectorTilt", 0x00181120, _A, "number", "deg", ((_GEOMETRY, 0x00181120),)),
    Field("filter_type", "FilterType", 0x00181160, _A, nested=((_XRAY, 0x00181160),)),
    Field("revolution_time", "RevolutionTime", 0x00189305, _A, "number", "s", ((_ROTATION, 0x00189305),)),
    Field("spiral_pitch_factor", "SpiralPitchFactor", 0x00189311, _A, "number", "", ((_TABLE, 0x00189311),)),
    Field("acquisition_type", "AcquisitionType", 0x00189302, _A, nested=((_SCAN, 0x00189302),)),
    Field("exposure_time", "ExposureTime", 0x00181150, "image", "number", "ms", ((_EXPOSURE, 0x00189328),)),
    Field("x_ray_tube_current", "XRayTubeCurrent", 0x00181151, "image", "number", "mA", ((_EXPOSURE, 0x00189330),)),
    Field("exposure", "Exposure", 0x00181152, "image", "number", "mAs", ((_EXPOSURE, 0x00189332),)),
    Field("ctdi_vol", "CTDIvol", 0x00189345, "image", "number", "mGy", ((_EXPOSURE, 0x00189345),)),
    Field("table_height", "TableHeight", 0x00181130, _A, "number", "mm", ((_GEOMETRY, 0x00181130),)),
    # PET
    Field("units", "Units", 0x00541001, _A),
    Field("counts_source", "CountsSource", 0x00541002, _A),
    Field("series_type", "SeriesType", 0x00541000, _A, "texts"),
    Field("suv_type", "SUVType", 0x00541006, _A),
    Field("attenuation_correction_method", "AttenuationCorrectionMethod", 0x00541101, _A),
    Field("decay_correction", "DecayCorrection", 0x00541102, _A),
    Field("scatter_correction_method", "ScatterCorrectionMethod", 0x00541105, _A),
    Field("reconstruction_method", "ReconstructionMethod", 0x00541103, _A),
    Field("number_of_slices", "NumberOfSlices", 0x00540081, _A, "integer"),
    Field("number_of_time_slices", "NumberOfTimeSlices", 0x00540101, _A, "integer"),
    Field("radiopharmaceutical", "Radiopharmaceutical", 0x00180031, _A, nested=((_TRACER, 0x00180031), (_TRACER, 0x00540304, _MEANING))),
    Field("radionuclide", "", 0, _A, nested=((_TRACER, 0x00540300, _MEANING),)),
    Field("radiopharmaceutical_start_time", "RadiopharmaceuticalStartTime", 0x00181072, _A, "time", nested=((_TRACER, 0x00181072),)),
    Field("radionuclide_total_dose", "RadionuclideTotalDose", 0x00181074, _A, "number", "Bq", ((_TRACER, 0x00181074),)),
    Field("radionuclide_half_life", "RadionuclideHalfLife", 0x00181075, _A, "number", "s", ((_TRACER, 0x00181075),)),
    Field("frame_reference_time", "FrameReferenceTime", 0x00541300, "image", "number", "ms"),
    Field("actual_frame_duration", "ActualFrameDuration", 0x00181242, "image", "number", "ms"),
    Field("decay_factor", "DecayFactor", 0x00541321, "image", "number"),
    Field("image_index", "ImageIndex", 0x00541330, "image", "integer"),
    # One image
    Field("sop_instance_uid", "SOPInstanceUID", 0x00080018, "image", "uid"),
    Field("instance_number", "InstanceNumber", 0x00200013, "image", "integer"),
    Field("acquisition_number", "AcquisitionNumber", 0x00200012, "image", "integer", "", ((_CONTENT, 0x00209156),)),
    Field("acquisition_date_time", "AcquisitionDateTime", 0x0008002A, "image", "date_time", nested=((_CONTENT, 0x00189074),)),
    Field("acquisition_time", "AcquisitionTime", 0x00080032, "image", "time"),
    Field("content_time", "ContentTime", 0x00080033, "image", "time"),
    Field("sequence_name", "SequenceName", 0x00180024, "image", nested=((_FRAME_TYPES[0], 0x00180024),), private=(_XA_NAME, _UIH_NAME)),
    Field("image_comments", "ImageComments", 0x00204000, "image"),
    Field("image_position_patient", "ImagePositionPatient", 0x00200032, "image", "numbers", "mm", ((_POSITION, 0x00200032),)),
    Field("image_orientation_patient", "ImageOrientationPatient", 0x00200037, "image", "numbers", "", ((_PLANE, 0x00200037),)),
    Field("slice_location", "SliceLocation", 0x00201041, "image", "number", "mm"),
    Field("temporal_position_identifier", "TemporalPositionIdentifier", 0x00200100, "image", "integer", "", ((_CONTENT, 0x00209128),)),
    Field("trigger_time", "TriggerTime", 0x00181060, "image", "number", "ms", ((_CARDIAC, 0x00209153),)),
    Field(
        "diffusion_b_value",
        "DiffusionBValue",
        0x00189087,
        "image",
        "number",
        "s/mm2",
        ((_DIFFUSION, 0x00189087),),
        makers=("siemens_private", "siemens_csa", "sequence_name", "ge_private", "philips_private", "canon_comment", "uih_private"),
    ),
    Field(
        "diffusion_directionality",
        "DiffusionDirectionality",
        0x00189075,
        "image",
        nested=((_DIFFUSION, 0x00189075),),
        makers=("siemens_private", "philips_private"),
    ),
    Field(
        "diffusion_gradient_orientation",
        "DiffusionGradientOrientation",
        0x00189089,
        "image",
        "numbers",
        nested=((_DIFFUSION, _DIRECTION, 0x00189089),),
        makers=("siemens_private", "siemens_csa", "ge_private", "philips_private", "canon_comment", "uih_private"),
    ),
    Field("diffusion_frame", "", 0, "image", makers=("ge_private", "canon_comment")),
    Field("pixel_offset", "", 0, "image", "integer", "bytes"),
    Field("pixel_length", "", 0, "image", "integer", "bytes"),
    Field("pixel_data_truncated", "", 0, "image"),
    Field("rescale_slope", "RescaleSlope", 0x00281053, "image", "number", "", ((_VALUES, 0x00281053),)),
    Field("rescale_intercept", "RescaleIntercept", 0x00281052, "image", "number", "", ((_VALUES, 0x00281052),)),
    Field("rescale_type", "RescaleType", 0x00281054, "image", nested=((_VALUES, 0x00281054),)),
    Field("window_center", "WindowCenter", 0x00281050, "image", "numbers", "", ((_WINDOW, 0x00281050),)),
    Field("window_width", "WindowWidth", 0x00281051, "image", "numbers", "", ((_WINDOW, 0x00281051),)),
)

STANDARD = Table(FIELDS)
