"""The VR that the standard's dictionary gives a tag (PS3.6)."""

from functools import lru_cache

from pydicom.datadict import dictionary_VR


@lru_cache(maxsize=4096)
def standard_vr(tag: int) -> str:
    """Two letters, or several choices such as `US or SS`; UN for a tag that is not in the dictionary, as private ones are."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"
