"""The header of one image: what every vendor writes; the vendor's own elements are added by `siemens`, `ge` and `philips`."""

from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, PositronEmissionTomographyImageStorage

from gyrus.console.sample.cohort import Elements, Image, PrivateElements, uid_of
from gyrus.console.sample.geometry import Vector
from gyrus.console.sample.images import Picture

SOP_CLASSES = {"MR": MRImageStorage, "CT": CTImageStorage, "PT": PositronEmissionTomographyImageStorage}
CHARACTER_SET = "ISO_IR 100"
MR_WINDOW = (450, 900)  # centre, width
WINDOWS = {
    "t1": (500, 1000),
    "tse": (550, 1100),
    "diffusion": (350, 700),
    "adc": (1250, 2500),
    "ct": (35, 80),
    "pet": (7500, 15000),
    "phase": (0, 8192),
    "venous phase": (0, 8192),
}


def header_of(image: Image, picture: Picture) -> Dataset:
    """The data set of one image without the vendor's own elements."""
    series = image.series
    dataset = Dataset()
    for elements in (series.study.subject.elements, series.study.elements, series.study.scanner, image.elements):
        add_elements(dataset, elements)
    _identify(dataset, image)
    _date(dataset, image)
    _place(dataset, image)
    _draw(dataset, image, picture)
    add_elements(dataset, picture.elements)
    add_private(dataset, series.private)
    return dataset


def add_elements(dataset: Dataset, elements: Elements) -> None:
    """Set elements by their keywords."""
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)


def add_private(dataset: Dataset, elements: PrivateElements) -> None:
    """Add private elements behind their creators' reservations."""
    blocks: dict[tuple[int, str], int] = {}
    for (group, creator, element), (representation, value) in elements.items():
        if (group, creator) not in blocks:
            blocks[group, creator] = _reserved(dataset, group, creator)
        dataset.add_new((group, blocks[group, creator] << 8 | element), representation, value)


def _reserved(dataset: Dataset, group: int, creator: str) -> int:
    """The block of a creator, reserved where it has none yet. (pydicom's own search sorts the whole header, a thousand times over.)"""
    for block in range(0x10, 0x100):
        if (group, block) not in dataset:
            dataset.add_new((group, block), "LO", creator)
            return block
        if dataset[group, block].value == creator:
            return block
    raise ValueError(f"group {group:04X} has no block left for {creator}")


def decimal(value: Any) -> str:
    """A decimal string of at most 16 characters, PS3.5 6.2."""
    return f"{round(float(value), 9) + 0.0:.10g}"


def decimals(values: Vector) -> list[str]:
    """Decimal strings of a vector."""
    return [decimal(value) for value in values]


def clock(seconds: float) -> str:
    """Seconds after midnight as a TM value."""
    whole, microseconds = divmod(round(seconds * 1e6), 1_000_000)
    return f"{whole // 3600:02}{whole // 60 % 60:02}{whole % 60:02}.{microseconds:06}"


def _identify(dataset: Dataset, image: Image) -> None:
    series = image.series
    dataset.SpecificCharacterSet = CHARACTER_SET
    dataset.SOPClassUID = SOP_CLASSES[series.modality]
    dataset.SOPInstanceUID = image.uid
    dataset.StudyInstanceUID = series.study.uid
    dataset.SeriesInstanceUID = series.uid
    dataset.FrameOfReferenceUID = uid_of(series.study.code, "frame of reference")
    dataset.SeriesDescription = series.description
    dataset.SeriesNumber = series.number
    dataset.InstanceNumber = image.number
    dataset.AcquisitionNumber = image.elements.get("AcquisitionNumber", image.volume_index + 1)
    dataset.ReferringPhysicianName = ""
    dataset.PositionReferenceIndicator = ""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = uid_of("implementation")
    dataset.file_meta.ImplementationVersionName = "GYRUS_SAMPLE"


def _date(dataset: Dataset, image: Image) -> None:
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = dataset.StudyDate
    dataset.SeriesTime = clock(image.series.started_s)
    dataset.AcquisitionTime = clock(image.acquired_s)
    dataset.ContentTime = clock(image.acquired_s + 20)


def _place(dataset: Dataset, image: Image) -> None:
    slab = image.slab
    row, column, step = slab.directions()
    position = slab.position(image.slice_index)
    dataset.ImagePositionPatient = decimals(position)
    dataset.ImageOrientationPatient = decimals(row) + decimals(column)
    dataset.SliceLocation = decimal(position @ step)
    dataset.SliceThickness = decimal(slab.thickness_mm)
    dataset.PixelSpacing = [decimal(slab.pixel_mm)] * 2
    if image.series.modality == "MR":
        dataset.SpacingBetweenSlices = decimal(slab.spacing_mm)
        dataset.NumberOfPhaseEncodingSteps = slab.rows
        along_rows = dataset.InPlanePhaseEncodingDirection == "ROW"
        dataset.AcquisitionMatrix = [slab.rows, 0, 0, slab.columns] if along_rows else [0, slab.columns, slab.rows, 0]


def _draw(dataset: Dataset, image: Image, picture: Picture) -> None:
    pixels = picture.pixels
    signed = pixels.dtype.kind == "i"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = 16 if signed else 12
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(signed)
    dataset.WindowCenter, dataset.WindowWidth = WINDOWS.get(image.contrast, MR_WINDOW)
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
