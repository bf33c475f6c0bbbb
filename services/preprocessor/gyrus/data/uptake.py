"""The SUV factor of PET images in files; the rule itself is `gyrus.dicom.uptake`."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from pydicom import dcmread

from gyrus.data.sources import source_of
from gyrus.dicom.pixels import BROKEN
from gyrus.dicom.planes import Image, images_of
from gyrus.dicom.uptake import GE_SCAN_START, PHILIPS_ACTIVITY, PHILIPS_SUV, Uptake, uptake_of

PRIVATE: Final = {
    GE_SCAN_START: (0x0009, "GEMS_PETD_01", 0x0D),
    PHILIPS_SUV: (0x7053, "Philips PET Private Group", 0x00),
    PHILIPS_ACTIVITY: (0x7053, "Philips PET Private Group", 0x09),
}


def suv_factor(what: Any) -> dict[str, Any]:
    """What the values of a PET stack are multiplied by to become uptake by body weight, g/ml: {suv_factor, by, …} with its inputs.

    Where there is none, suv_factor is None and `reason` says why (gyrus.dicom.uptake.NO_FACTOR).
    what: as for load_image. Raises ImageError, Refused, FileNotFoundError; ValueError for images that are no PET.
    """
    source = source_of(what)
    images = source.images or tuple(images_of(source.slices))
    if {_known(image).get("modality") for image in images} != {"PT"}:
        raise ValueError(f"{source.path} is no PET")
    return uptake_in(images).document()


def uptake_in(images: Sequence[Image]) -> Uptake:
    """The factor of the images of a stack."""
    is_counts = _known(images[0]).get("units") == "CNTS"  # then each image may have a factor of its own
    own = [_private(image.path) if number == 0 or is_counts else {} for number, image in enumerate(images)]
    return uptake_of([{**_known(image), **said} for image, said in zip(images, own, strict=True)])


def _known(image: Image) -> Mapping[str, Any]:
    return {**image.header.shared, **image.header.image}


def _private(path: str) -> dict[str, Any]:
    """What GE and Philips say beside the standard; numbers as numbers, a date and time in the form of our fields."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings(), suppress(*BROKEN):
        warnings.simplefilter("ignore")  # odd values were counted when the header was read
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        for name, (group, creator, element) in PRIVATE.items():
            with suppress(KeyError, TypeError, ValueError):
                said = dataset.private_block(group, creator)[element].value
                found[name] = _moment(str(said)) if name == GE_SCAN_START else float(said)
    return found


def _moment(text: str) -> str:
    """20140131093000.00 as 2014-01-31T09:30:00.00."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}".strip()
