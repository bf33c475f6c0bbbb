"""Why a file is refused: the closed list. A rejected file is a document with one of these codes."""

REJECT_REASONS: dict[str, str] = {
    "not_dicom": "The file is not a DICOM file.",
    "empty_file": "The file has no bytes.",
    "unreadable": "The file could not be opened or read.",
    "still_changing": "The file changed while it was being read.",
    "corrupt_header": "The DICOM header breaks off or contradicts itself before the image identifiers.",
    "unsupported_transfer_syntax": "The header is stored in an encoding that cannot be read.",
    "compressed_container": "The file is an archive or compressed file; unpack it first.",
    "missing_uid": "The study, series or instance identifier is missing.",
    "missing_modality": "The modality is missing and cannot be derived from the object type.",
    "unsupported_modality": "The modality is not one that this installation accepts.",
    "non_image_object": "The object holds no image of the patient (report, segmentation, raw data, document…).",
    "dicomdir": "The file is a media directory, not an image.",
    "missing_pixel_data": "The header announces an image but the file holds no pixel data.",
    "too_large": "The header or file exceeds the configured size limit.",
    "policy_blocked": "A rule of this installation forbids storing this file (for example burned-in names).",
    "vanished": "The file was announced and is gone.",
    "internal_error": "The extractor failed on this file; the file itself may be fine.",
}

RETRYABLE: frozenset[str] = frozenset({"unreadable", "still_changing", "internal_error"})

NO_IMAGE: frozenset[str] = frozenset(
    {"not_dicom", "empty_file", "compressed_container", "unsupported_modality", "non_image_object", "dicomdir", "vanished"}
)  # files that are no images of ours, and may lie beside them
