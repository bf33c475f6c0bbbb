"""Object classes (PS3.4 annex B) that decide whether a file is an image of a patient, and of which modality."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."

MODALITY_OF_CLASS: dict[str, str] = {
    _STORAGE + suffix: modality
    for modality, suffixes in {
        "MR": ("4", "4.1", "4.3", "4.4"),
        "CT": ("2", "2.1", "2.2"),
        "PT": ("128", "128.1", "130"),
        "NM": ("20",),
        "US": ("3.1", "6.1", "6.2"),
        "CR": ("1",),
        "DX": ("1.1", "1.1.1"),
        "MG": ("1.2", "1.2.1"),
        "XA": ("12.1", "12.1.1"),
        "RF": ("12.2", "12.2.1"),
    }.items()
    for suffix in suffixes
}

SECONDARY_CAPTURE = _STORAGE + "7"

# Objects with pixels that are not an image of the patient: segmentations and dose grids.
NOT_OF_A_PATIENT = frozenset(_STORAGE + suffix for suffix in ("66.4", "66.7", "66.8", "481.2"))
