"""What a tag says by itself: the VR that the standard's dictionary gives it (PS3.6), and whether it reserves a block."""

from functools import lru_cache

from pydicom.datadict import dictionary_VR


@lru_cache(maxsize=4096)
def standard_vr(tag: int) -> str:
    """Two letters, or several choices such as `US or SS`; UN for a tag that is not in the dictionary, as private ones are."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def is_creator(tag: int) -> bool:
    """Whether an element reserves a block of private elements (PS3.5 section 7.8.1)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF
