"""Fields of acquisitions and images of any modality: what they are, where they lie, how their pixels are stored and scaled.

Sources of values that several elements say together: `acquisition_date_and_time`.
"""

from gyrus.dicom.field import Field, Level, Private
from gyrus.dicom.macros import (
    CODE_VALUE,
    CONTENT,
    MEASURES,
    PLANE,
    POSITION,
    REAL_WORLD,
    TRANSFORMATION,
    UNITS,
    WINDOW,
    frame_type,
)

_A: Level = "acquisition"
_XA_IMAGE_TYPE = Private(0x0021, "SIEMENS MR SDI 02", 0x75, "CS", "siemens_xa")

ACQUISITION = (
    Field("sop_class_uid", "SOPClassUID", 0x00080016, _A, "uid"),
    Field("sop_class_name", "", 0, _A),
    Field("transfer_syntax_uid", "TransferSyntaxUID", 0x00020010, _A, "uid"),
    Field("charset", "SpecificCharacterSet", 0x00080005, _A, "texts"),
    Field("enhanced", "", 0, _A),
    Field("image_type", "ImageType", 0x00080008, _A, "texts", nested=frame_type(0x00089007)),
    Field("siemens_image_type", "", 0, _A, "texts", private=(_XA_IMAGE_TYPE,)),
    Field("volumetric_properties", "VolumetricProperties", 0x00089206, _A, nested=frame_type(0x00089206)),
    Field("volume_based_calculation_technique", "VolumeBasedCalculationTechnique", 0x00089207, _A, nested=frame_type(0x00089207)),
    Field("derivation_description", "DerivationDescription", 0x00082111, _A),
    Field("acquisition_date", "AcquisitionDate", 0x00080022, _A, "date"),
    Field("content_date", "ContentDate", 0x00080023, _A, "date"),
    Field("acquisition_duration", "AcquisitionDuration", 0x00189073, _A, "number", "s"),
    Field("number_of_temporal_positions", "NumberOfTemporalPositions", 0x00200105, _A, "integer"),
    Field("temporal_resolution", "TemporalResolution", 0x00200110, _A, "number", "ms"),
    Field("images_in_acquisition", "ImagesInAcquisition", 0x00201002, _A, "integer"),
    Field("slice_thickness", "SliceThickness", 0x00180050, _A, "number", "mm", ((MEASURES, 0x00180050),)),
    Field("spacing_between_slices", "SpacingBetweenSlices", 0x00180088, _A, "number", "mm", ((MEASURES, 0x00180088),)),
    Field("pixel_spacing", "PixelSpacing", 0x00280030, _A, "numbers", "mm", ((MEASURES, 0x00280030),)),
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
    Field("tile_count", "", 0, _A, "integer", makers=("siemens_private", "siemens_csa", "uih_private")),
    Field("tile_normal", "", 0, _A, "numbers", makers=("siemens_csa",)),
    Field("tile_positions", "", 0, _A, "numbers", "mm", makers=("uih_private",)),
)

IMAGE = (
    Field("sop_instance_uid", "SOPInstanceUID", 0x00080018, "image", "uid"),
    Field("instance_number", "InstanceNumber", 0x00200013, "image", "integer"),
    Field("acquisition_number", "AcquisitionNumber", 0x00200012, "image", "integer", "", ((CONTENT, 0x00209156),)),
    Field("acquisition_time", "AcquisitionTime", 0x00080032, "image", "time"),
    Field(
        "acquisition_date_time",
        "AcquisitionDateTime",
        0x0008002A,
        "image",
        "date_time",
        nested=((CONTENT, 0x00189074),),
        makers=("acquisition_date_and_time",),
    ),
    Field("content_time", "ContentTime", 0x00080033, "image", "time"),
    Field("image_comments", "ImageComments", 0x00204000, "image", phi=True),
    Field("image_position_patient", "ImagePositionPatient", 0x00200032, "image", "numbers", "mm", ((POSITION, 0x00200032),)),
    Field("image_orientation_patient", "ImageOrientationPatient", 0x00200037, "image", "numbers", "", ((PLANE, 0x00200037),)),
    Field("slice_location", "SliceLocation", 0x00201041, "image", "number", "mm"),
    Field("temporal_position_identifier", "TemporalPositionIdentifier", 0x00200100, "image", "integer", "", ((CONTENT, 0x00209128),)),
)

PIXELS = (
    Field("pixel_offset", "", 0, "image", "integer", "bytes"),
    Field("pixel_length", "", 0, "image", "integer", "bytes"),
    Field("pixel_data_truncated", "", 0, "image"),
    Field("rescale_slope", "RescaleSlope", 0x00281053, "image", "number", "", ((TRANSFORMATION, 0x00281053),), empty=(0.0,)),
    Field("rescale_intercept", "RescaleIntercept", 0x00281052, "image", "number", "", ((TRANSFORMATION, 0x00281052),)),
    Field("rescale_type", "RescaleType", 0x00281054, "image", nested=((TRANSFORMATION, 0x00281054),)),
    Field("window_center", "WindowCenter", 0x00281050, "image", "numbers", "", ((WINDOW, 0x00281050),)),
    Field("window_width", "WindowWidth", 0x00281051, "image", "numbers", "", ((WINDOW, 0x00281051),)),
    Field("window_center_width_explanation", "WindowCenterWidthExplanation", 0x00281055, "image", "texts", "", ((WINDOW, 0x00281055),)),
    Field("real_world_value_slope", "RealWorldValueSlope", 0x00409225, "image", "number", "", ((REAL_WORLD, 0x00409225),)),
    Field("real_world_value_intercept", "RealWorldValueIntercept", 0x00409224, "image", "number", "", ((REAL_WORLD, 0x00409224),)),
    Field("real_world_value_unit", "", 0, "image", nested=((REAL_WORLD, UNITS, CODE_VALUE),)),
    Field("lossy_image_compression_ratio", "LossyImageCompressionRatio", 0x00282112, "image", "numbers"),
)
