"""Whether bytes may be DICOM at all, by the first of them and never by a file's name."""

import struct

_ARCHIVES = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"Rar!")
_VRS = frozenset(
    ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OW", "PN", "SH", "SL", "SQ", "SS", "ST")
).union(("TM", "UI", "UL", "UN", "US", "UT"))
_LONGEST_FIRST_VALUE = 1 << 16


def looks_like(head: bytes) -> str:
    """`dicom`, `compressed_container` or `not_dicom`. head: the first bytes of a file, 132 or more where it has them."""
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        return "compressed_container"
    return "dicom" if _starts_with_an_element(head) else "not_dicom"


def _starts_with_an_element(head: bytes) -> bool:
    """Whether a file without preamble begins with an element of group 0002 or 0008 of plausible length."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element = struct.unpack_from(f"{order}HH", head)
        if group not in (0x0002, 0x0008) or element > 0x0110:
            continue
        if head[4:6].decode("latin-1") in _VRS:
            return True
        if order == "<" and struct.unpack_from("<I", head, 4)[0] <= _LONGEST_FIRST_VALUE:
            return True
    return False
