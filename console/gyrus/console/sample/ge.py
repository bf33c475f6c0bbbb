"""What GE scanners write besides the standard, and how their exports are named. Source: GE's conformance statements, dcm2niix."""

from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Image
from gyrus.console.sample.headers import add_private, clock
from gyrus.console.sample.nuclear import DOSE_BQ, HALF_LIFE_S, INJECTED_S, SCANNED_S

IDENTITY = "GEMS_IDEN_01"
PARAMETERS = "GEMS_PARM_01"
PET = "GEMS_PETD_01"
PRODUCTS = {"MR": "SIGNA", "CT": "LIGHTSPEED", "PT": "PET"}
MAGNITUDE = 0


def add_elements(dataset: Dataset, image: Image) -> None:
    """Add to the header what only GE writes."""
    series = image.series
    add_private(
        dataset,
        {
            (0x0009, IDENTITY, 0x01): ("LO", "GE_GENESIS_FF"),
            (0x0009, IDENTITY, 0x02): ("SH", series.study.scanner["StationName"][-3:]),
            (0x0009, IDENTITY, 0x04): ("SH", PRODUCTS[series.modality]),
            (0x0025, "GEMS_SERS_01", 0x07): ("SL", len(series.volumes) * series.slab.slices),
        },
    )
    if series.modality == "MR":
        _add_mr(dataset, image)
    if series.modality == "PT":
        _add_pet(dataset, image)


def file_name(image: Image, _: int) -> str:
    """Folder and file, without an extension: examination, series, image."""
    series = image.series
    exam = series.study.elements["StudyID"]
    return f"E{exam}/S{series.number:03}/E{exam}S{series.number:03}I{image.number:04}"


def _add_mr(dataset: Dataset, image: Image) -> None:
    """The stack elements, and the private image type and b-value, which GE writes into every image."""
    dataset.ImagesInAcquisition = image.series.slab.slices * len(image.series.volumes)
    dataset.StackID = "1"
    dataset.InStackPositionNumber = image.slice_index + 1
    add_private(
        dataset,
        {
            (0x0043, PARAMETERS, 0x2F): ("SS", MAGNITUDE),
            (0x0043, PARAMETERS, 0x39): ("IS", [image.volume.b_value or 0, 0, 0, 0]),
        },
    )


def _add_pet(dataset: Dataset, image: Image) -> None:
    """The slice's index, and what GE repeats of the tracer in elements of its own."""
    dataset.ImageIndex = image.slice_index + 1
    date = dataset.StudyDate
    add_private(
        dataset,
        {
            (0x0009, PET, 0x0D): ("DT", f"{date}{clock(SCANNED_S)[:6]}.00"),
            (0x0009, PET, 0x36): ("LO", "FDG -- fluorodeoxyglucose"),
            (0x0009, PET, 0x38): ("FL", DOSE_BQ / 1e6),
            (0x0009, PET, 0x39): ("DT", f"{date}{clock(INJECTED_S)[:6]}.00"),
            (0x0009, PET, 0x3B): ("DT", f"{date}{clock(INJECTED_S)[:6]}.00"),
            (0x0009, PET, 0x3E): ("SH", "18F"),
            (0x0009, PET, 0x3F): ("FL", HALF_LIFE_S),
        },
    )
