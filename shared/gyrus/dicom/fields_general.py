"""Fields of subjects, studies and series (PS3.3 C.7.1 to C.7.5)."""

from gyrus.dicom.field import Field
from gyrus.dicom.macros import AGENT, ANATOMY, MEANING, PROFILE, REGION, ROUTE

SUBJECT = (
    Field("patient_id", "PatientID", 0x00100020, "subject", phi=True),
    Field("patient_name", "PatientName", 0x00100010, "subject", phi=True),
    Field("issuer_of_patient_id", "IssuerOfPatientID", 0x00100021, "subject", phi=True),
    Field("patient_birth_date", "PatientBirthDate", 0x00100030, "subject", "date", phi=True),
    Field("patient_sex", "PatientSex", 0x00100040, "subject"),
    Field("patient_identity_removed", "PatientIdentityRemoved", 0x00120062, "subject"),
    Field("deidentification_method", "DeidentificationMethod", 0x00120063, "subject", "texts"),
)

STUDY = (
    Field("study_instance_uid", "StudyInstanceUID", 0x0020000D, "study", "uid"),
    Field("study_date", "StudyDate", 0x00080020, "study", "date"),
    Field("study_time", "StudyTime", 0x00080030, "study", "time"),
    Field("study_id", "StudyID", 0x00200010, "study", phi=True),
    Field("accession_number", "AccessionNumber", 0x00080050, "study", phi=True),
    Field("study_description", "StudyDescription", 0x00081030, "study"),
    Field("study_comments", "StudyComments", 0x00324000, "study", phi=True),
    Field("timezone_offset_from_utc", "TimezoneOffsetFromUTC", 0x00080201, "study"),
    Field("patient_age_years", "PatientAge", 0x00101010, "study", "age", "years"),
    Field("patient_size", "PatientSize", 0x00101020, "study", "number", "m", empty=(0.0,)),
    Field("patient_weight", "PatientWeight", 0x00101030, "study", "number", "kg", empty=(0.0,)),
)

SERIES = (
    Field("series_instance_uid", "SeriesInstanceUID", 0x0020000E, "series", "uid"),
    Field("modality", "Modality", 0x00080060, "series"),
    Field("series_number", "SeriesNumber", 0x00200011, "series", "integer"),
    Field("series_date", "SeriesDate", 0x00080021, "series", "date"),
    Field("series_time", "SeriesTime", 0x00080031, "series", "time"),
    Field("series_description", "SeriesDescription", 0x0008103E, "series"),
    Field("protocol_name", "ProtocolName", 0x00181030, "series"),
    Field("body_part_examined", "BodyPartExamined", 0x00180015, "series", nested=((ANATOMY, REGION, MEANING),)),
    Field("laterality", "Laterality", 0x00200060, "series", nested=((ANATOMY, 0x00209072),)),
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
)

_VOLUME, _START, _RATE, _DURATION = 0x00181041, 0x00181042, 0x00181046, 0x00181047

CONTRAST = (
    Field("contrast_bolus_agent", "ContrastBolusAgent", 0x00180010, "series", nested=((AGENT, MEANING),)),
    Field("contrast_bolus_route", "ContrastBolusRoute", 0x00181040, "series", nested=((ROUTE, MEANING), (AGENT, ROUTE, MEANING))),
    Field("contrast_bolus_volume", "ContrastBolusVolume", _VOLUME, "series", "number", "ml", ((AGENT, _VOLUME), (AGENT, PROFILE, _VOLUME))),
    Field("contrast_bolus_start_time", "ContrastBolusStartTime", _START, "series", "time", nested=((AGENT, PROFILE, _START),)),
    Field("contrast_bolus_total_dose", "ContrastBolusTotalDose", 0x00181044, "series", "number", "ml"),
    Field("contrast_flow_rate", "ContrastFlowRate", _RATE, "series", "number", "ml/s", ((AGENT, PROFILE, _RATE),)),
    Field("contrast_flow_duration", "ContrastFlowDuration", _DURATION, "series", "number", "s", ((AGENT, PROFILE, _DURATION),)),
)
