"""What Philips scanners (releases 5.3 and 5.7) write besides the standard, and how their exports are named.

Elements as in real exports and in dcm2niix. Stored numbers become displayed ones by the rescale slope, and comparable ones by the scale
slope (2005,100E): value = displayed / (rescale slope · scale slope).
"""

import math

import numpy as np
from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Image, PrivateElements
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.headers import add_private, decimal

IMAGING, MR = "Philips Imaging DD 001", "Philips MR Imaging DD 001"
MR_FIVE = "Philips MR Imaging DD 005"
CREATORS = {  # which a release reserves in this order, used or not
    0x2001: [f"Philips Imaging DD {number:03}" for number in (1, 2)],
    0x2005: [f"Philips MR Imaging DD {number:03}" for number in range(1, 8)],
}
PLANES = {"SAG": "SAGITTAL", "COR": "CORONAL", "AX": "TRANSVERSAL"}
SLOPE, SCALE_SLOPE = 1.36263736263736, 0.0046875
PHASE_MRAD = 1000 * math.pi  # phase images are shown from minus this to this


def add_elements(dataset: Dataset, image: Image) -> None:
    """Add to the header what only Philips writes, and the slopes that it writes with every image."""
    for group, creators in CREATORS.items():
        for block, creator in enumerate(creators, start=0x10):
            dataset.add_new((group, block), "LO", creator)
    dataset.SequenceName = ""
    dataset.TemporalPositionIdentifier = dataset.NumberOfTemporalPositions = "1"
    dataset.AcquisitionNumber = image.series.number // 100
    add_private(dataset, {**_scale(dataset, image), **_weight(dataset, image)})
    if image.series.form == "classic":  # a frame keeps few of its own
        add_private(dataset, {**_protocol(dataset, image), **_place(image)})


def file_name(image: Image, nth: int) -> str:
    """Folder and file: the images of a study are numbered through."""
    return f"{image.series.study.elements['StudyID']}/DICOM/IM_{nth:04}"


def _scale(dataset: Dataset, image: Image) -> PrivateElements:
    """From stored to displayed numbers: signal, or phase in thousandths of a radian."""
    slope, intercept, unit = SLOPE, 0.0, "normalized"
    if image.contrast == "phase":
        slope, intercept, unit = 2 * PHASE_MRAD / 4095, -PHASE_MRAD, "US"
        dataset.WindowCenter, dataset.WindowWidth = 0, round(2 * PHASE_MRAD)
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = decimal(slope), decimal(intercept), unit
    return {
        (0x2005, MR, 0x11): ("CS", "P" if image.contrast == "phase" else "M"),
        (0x2005, MR, 0x0D): ("FL", 0.0),
        (0x2005, MR, 0x0E): ("FL", SCALE_SLOPE if image.contrast != "phase" else 1 / slope),
        (0x2005, MR_FIVE, 0x09): ("DS", decimal(intercept)),
        (0x2005, MR_FIVE, 0x0A): ("DS", decimal(slope)),
        (0x2005, MR_FIVE, 0x0B): ("LO", unit),
    }


def _weight(dataset: Dataset, image: Image) -> PrivateElements:
    """The b-value and the direction, which Philips writes into every image, diffusion or not: both as standard and as its own."""
    volume = image.volume
    direction = list(volume.direction or (0.0, 0.0, 0.0))
    dataset.DiffusionBValue = float(volume.b_value or 0)
    dataset.DiffusionGradientOrientation = direction
    return {
        (0x2001, IMAGING, 0x03): ("FL", float(volume.b_value or 0)),
        (0x2001, IMAGING, 0x04): ("CS", "O" if volume.direction else ""),
        **{(0x2005, MR, 0xB0 + axis): ("FL", direction[axis]) for axis in range(3)},
        (0x2005, MR_FIVE, 0x12): ("IS", 2 if volume.b_value else 1),
        (0x2005, MR_FIVE, 0x13): ("IS", volume.number or 1),
    }


def _protocol(dataset: Dataset, image: Image) -> PrivateElements:
    """What the operator chose."""
    elements, echoes = image.elements, {str(volume.elements.get("EchoTime", "")) for volume in image.series.volumes}
    inversion = float(elements.get("InversionTime", 0))
    is_3d = elements["MRAcquisitionType"] == "3D"
    return {
        (0x2001, IMAGING, 0x06): ("CS", "N"),
        (0x2001, IMAGING, 0x08): ("IS", 1),
        (0x2001, IMAGING, 0x10): ("CS", "NO"),
        (0x2001, IMAGING, 0x12): ("CS", "N"),
        (0x2001, IMAGING, 0x13): ("SL", int(elements["EchoTrainLength"]) if "EP" in elements.get("SequenceVariant", ()) else 1),
        (0x2001, IMAGING, 0x14): ("SL", len(echoes)),
        (0x2001, IMAGING, 0x1B): ("FL", inversion),
        (0x2001, IMAGING, 0x1C): ("CS", "INV" if inversion else "NO"),
        (0x2001, IMAGING, 0x21): ("CS", "Y" if "FS" in elements.get("ScanOptions", ()) else "N"),
        (0x2001, IMAGING, 0x23): ("DS", elements["FlipAngle"]),
        (0x2001, IMAGING, 0x81): ("IS", 1),
        (0x2005, MR, 0x30): ("FL", float(elements["RepetitionTime"])),
        (0x2005, MR, 0x6E): ("CS", dataset.ImageType[-1]),
        (0x2005, MR, 0x6F): ("CS", "3D" if is_3d else "MS"),
    }


def _place(image: Image) -> PrivateElements:
    """Slice and stack, angles and offset: along (AP, FH, RL) of the patient, in degrees and mm."""
    slab = image.slab
    left, back, up = slab.centre_mm
    return {
        (0x2001, IMAGING, 0x0A): ("IS", image.slice_index + 1),
        (0x2001, IMAGING, 0x0B): ("CS", PLANES[slab.orientation]),
        (0x2001, IMAGING, 0x18): ("SL", slab.slices),
        (0x2001, IMAGING, 0x5F): ("SQ", [_stack(image)]),
        (0x2001, IMAGING, 0x60): ("SL", len({volume.slab for volume in image.series.volumes})),
        (0x2005, MR, 0x00): ("FL", 0.0),
        (0x2005, MR, 0x01): ("FL", 0.0),
        (0x2005, MR, 0x02): ("FL", slab.tilt_deg),
        (0x2005, MR, 0x08): ("FL", back),
        (0x2005, MR, 0x09): ("FL", up),
        (0x2005, MR, 0x0A): ("FL", left),
    }


def _stack(image: Image) -> Dataset:
    """One item of the Stack Sequence (2001,105F): what was planned on the screen."""
    slab = image.slab
    item = Dataset()
    back, up, left = _extent(slab)
    add_private(
        item,
        {
            (0x2001, IMAGING, 0x2D): ("SS", slab.slices),
            (0x2001, IMAGING, 0x35): ("SS", 1),
            (0x2001, IMAGING, 0x36): ("CS", "PARALLEL"),
            (0x2005, MR, 0x74): ("FL", back),
            (0x2005, MR, 0x75): ("FL", up),
            (0x2005, MR, 0x76): ("FL", left),
            (0x2005, MR, 0x7E): ("FL", slab.spacing_mm),
            (0x2005, MR, 0x81): ("CS", {"AX": "FH", "SAG": "RL", "COR": "AP"}[slab.orientation]),
        },
    )
    return item


def _extent(slab: Slab) -> tuple[float, float, float]:
    """Size of the planned box along AP, FH, RL, mm."""
    row, column, step = (np.abs(np.rint(axis)) for axis in slab.directions())
    left, back, up = row * slab.columns * slab.pixel_mm + column * slab.rows * slab.pixel_mm + step * slab.slices * slab.spacing_mm
    return float(back), float(up), float(left)
