"""How much there is to store of a header: a document of MongoDB holds 16 MiB, and a hostile header says more than that.

The fields that images of a series share become documents of series, study and subject as well, and the fingerprints of stacks; the
fields of an image, with the columns of its frames, stay in the document of its file.
"""

from collections.abc import Mapping

from gyrus.dicom.errors import TooLarge
from gyrus.dicom.values import Value

MOST_SHARED = 1 << 20  # bytes; real headers have about 4 kB
MOST_OF_IMAGE = 12 << 20  # bytes; ten thousand frames whose every column differs have about 1 MB

_BARE = 5  # bytes: type, length, end
_PLACE = 8  # bytes: type, and the place in a list as text with its end


def check_weight(shared: Mapping[str, Value], image: Value) -> None:
    """Raises TooLarge where the parts of a header are more than can be stored."""
    for value, most in ((dict(shared), MOST_SHARED), (image, MOST_OF_IMAGE)):
        if (weight := stored_bytes(value)) > most:
            raise TooLarge(f"The header says {weight} bytes of values, at most {most} can be stored.")


def stored_bytes(value: Value) -> int:
    """At least as many bytes as a value takes in BSON, and not many more."""
    if isinstance(value, str):
        return _BARE + len(value.encode(errors="replace"))
    if isinstance(value, bytes):
        return _BARE + len(value)
    if isinstance(value, list | tuple):
        return _BARE + sum(_PLACE + stored_bytes(part) for part in value)
    if isinstance(value, dict):
        return _BARE + sum(2 + len(name.encode()) + stored_bytes(part) for name, part in value.items())
    return _PLACE
