"""What a Siemens scanner (syngo MR E11) writes besides the standard: sequence names, `SIEMENS MR HEADER`, the CSA headers, file names.

Elements and layouts as in dcm2niix and nibabel (`nicom/csareader`), which read the same from real files.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from pydicom.dataset import Dataset

from gyrus.console.sample.cohort import Image, PrivateElements, Series, Volume
from gyrus.console.sample.geometry import Slab, Vector
from gyrus.console.sample.headers import add_private, clock, decimal
from gyrus.console.sample.mosaic import add_tiles, slice_times_ms

HEADER = "SIEMENS MR HEADER"
CSA = "SIEMENS CSA HEADER"
SEQUENCE_FILES = {  # first letters of the sequence name → sequence file
    "tfl": "tfl",
    "tir": "tse",
    "tse": "tse",
    "ep_": "ep2d_diff",
    "epf": "ep2d_bold",
    "fl2": "gre",
    "fm2": "gre_field_mapping",
    "swi": "gre",
}
PLANES = {"SAG": "Sag", "COR": "Cor", "AX": "Tra"}
TILTED_TOWARDS = {"AX": "Cor", "COR": "Tra"}

CSA_TYPES = {"DS": 3, "FD": 4, "IS": 6, "LO": 9, "SH": 16, "US": 18, "UN": 0}  # Siemens' number for the value representation
CSA_MAGIC = b"SV10\x04\x03\x02\x01"
CSA_CHECK, CSA_EMPTY = 77, 205
CSA_FEWEST_ITEMS = 6
CsaTags = Mapping[str, tuple[str, Sequence[str]]]  # name → VR, values as text


def add_elements(dataset: Dataset, image: Image) -> None:
    """Add to the header what only Siemens writes."""
    if not dataset.get("SequenceName"):
        dataset.SequenceName = sequence_name(image.volume)
    slab = image.slab
    field_of_view = f"FoV {dataset.Rows * slab.pixel_mm:.0f}*{dataset.Columns * slab.pixel_mm:.0f}"  # of the whole mosaic, too
    words = "/".join(dataset.ImageType[2:])
    add_private(
        dataset,
        {
            (0x0051, HEADER, 0x08): ("CS", "IMAGE NUM 4"),
            (0x0051, HEADER, 0x0B): ("LO", f"{slab.rows}*{slab.columns}"),
            (0x0051, HEADER, 0x0C): ("LO", field_of_view),
            (0x0051, HEADER, 0x0E): ("LO", _plane(slab)),
            (0x0051, HEADER, 0x16): ("LO", f"{_acceleration(image.series)} {words}".strip()),
            (0x0051, HEADER, 0x17): ("SH", f"SL {slab.thickness_mm:.1f}"),
        },
    )
    if image.series.form == "mosaic":
        add_tiles(dataset, image)
    _add_diffusion(dataset, image.volume)
    _add_csa(dataset, image)


def file_name(image: Image, _: int) -> str:
    """Folder and file as the scanner's export names them: name, modality, region, series, image, date, time."""
    series = image.series
    who = series.study.subject.elements["PatientName"].replace("^", "_")
    date, time = series.study.elements["StudyDate"], clock(image.acquired_s)
    when = ".".join([date[:4], date[4:6], date[6:], time[:2], time[2:4], time[4:6], time[7:]])
    name = f"{who}.MR.NEURO_HEAD.{series.number:04}.{image.number:04}.{when}.{9_000_000 + 1000 * series.number + image.number}.IMA"
    return f"{series.description.upper()}_{series.number:04}/{name}"


def sequence_name(volume: Volume) -> str:
    """The name of a diffusion image: its b-value and the number of its direction."""
    return f"*ep_b{volume.b_value}#{volume.number}" if volume.number else f"*ep_b{volume.b_value}"


def csa_header(tags: CsaTags) -> bytes:
    """A CSA2 block: per tag its name, type and values, each value as text ending in a NUL and padded to four bytes.

    Siemens writes six values or more, the last ones empty; readers count on that.
    """
    block = CSA_MAGIC + struct.pack("<II", len(tags), CSA_CHECK)
    for name, (representation, values) in tags.items():
        items = [*(value.encode() + b"\0" for value in values), *[b""] * (CSA_FEWEST_ITEMS - len(values))]
        vr, syngo = representation.encode(), CSA_TYPES[representation]
        block += struct.pack("<64si4siiI", name.encode(), len(values), vr, syngo, len(items), CSA_CHECK)
        for text in items:
            block += struct.pack("<4I", len(text), len(text), CSA_CHECK if text else CSA_EMPTY, len(text)) + text + bytes(-len(text) % 4)
    return block


def _acceleration(series: Series) -> str:
    """`p2` where half of the lines are measured."""
    return str(series.private.get((0x0051, HEADER, 0x11), ("LO", ""))[1])


def _plane(slab: Slab) -> str:
    plane = PLANES[slab.orientation]
    return f"{plane}>{TILTED_TOWARDS[slab.orientation]}({slab.tilt_deg:.1f})" if slab.tilt_deg else plane


def _add_diffusion(dataset: Dataset, volume: Volume) -> None:
    """(0019,xx0C) b-value, (0019,xx0D) directionality, (0019,xx0E) direction, (0019,xx27) b-matrix: xx xy xz yy yz zz."""
    if volume.b_value is None:
        return
    elements: PrivateElements = {
        (0x0019, HEADER, 0x0C): ("IS", volume.b_value),
        (0x0019, HEADER, 0x0D): ("CS", "DIRECTIONAL" if volume.direction else "NONE"),
    }
    if volume.direction:
        elements[0x0019, HEADER, 0x0E] = ("FD", list(volume.direction))
        elements[0x0019, HEADER, 0x27] = ("FD", list(_b_matrix(volume)))
    add_private(dataset, elements)


def _b_matrix(volume: Volume) -> Vector:
    """Upper triangle of b·g·gᵀ in s/mm²."""
    gradient = np.array(volume.direction)
    matrix: Vector = (volume.b_value or 0) * np.outer(gradient, gradient)[np.triu_indices(3)]
    return matrix


def _add_csa(dataset: Dataset, image: Image) -> None:
    date = dataset.StudyDate
    image_block, series_block = csa_header(_image_tags(image)), csa_header(_series_tags(image, dataset.SequenceName))
    add_private(
        dataset,
        {
            (0x0029, CSA, 0x08): ("CS", "IMAGE NUM 4"),
            (0x0029, CSA, 0x09): ("LO", date),
            (0x0029, CSA, 0x10): ("OB", image_block + bytes(len(image_block) % 2)),
            (0x0029, CSA, 0x18): ("CS", "MR"),
            (0x0029, CSA, 0x19): ("LO", date),
            (0x0029, CSA, 0x20): ("OB", series_block + bytes(len(series_block) % 2)),
        },
    )


def _image_tags(image: Image) -> CsaTags:
    series, volume = image.series, image.volume
    tags: dict[str, tuple[str, Sequence[str]]] = {
        "AcquisitionMatrixText": ("SH", [f"{image.slab.rows}*{image.slab.columns}"]),
        "SliceNormalVector": ("FD", _digits(image.slab.normal())),
        "PhaseEncodingDirectionPositive": ("IS", ["1"]),
        "ImaPATModeText": ("LO", [_acceleration(series)]),
        "ImaCoilString": ("LO", ["HEA;HEP"]),
        "ProtocolSliceNumber": ("IS", [str(image.slice_index)]),
    }
    bandwidth = series.private.get((0x0019, HEADER, 0x28))
    if bandwidth:
        tags["BandwidthPerPixelPhaseEncode"] = ("FD", [f"{bandwidth[1]:.8f}"])
    if series.form == "mosaic":
        tags["NumberOfImagesInMosaic"] = ("US", [str(image.slab.slices)])
        tags["MosaicRefAcqTimes"] = ("FD", _digits(slice_times_ms(image)))
    if volume.b_value is not None:
        tags["B_value"] = ("IS", [str(volume.b_value)])
        tags["DiffusionDirectionality"] = ("LO", ["DIRECTIONAL" if volume.direction else "NONE"])
    if volume.direction:
        tags["DiffusionGradientDirection"] = ("FD", _digits(volume.direction))
        tags["B_matrix"] = ("FD", _digits(_b_matrix(volume)))
    return tags


def _digits(numbers: Sequence[float] | Vector) -> list[str]:
    return [f"{number:.8f}" for number in numbers]


def _series_tags(image: Image, sequence: str) -> CsaTags:
    return {"MrPhoenixProtocol": ("UN", [_phoenix(image, sequence)]), "Isocentered": ("IS", ["1"])}


def _phoenix(image: Image, sequence: str) -> str:
    """The few lines of the scanner's protocol that readers look for; times in µs."""
    series, elements = image.series, image.elements
    echoes_ms = sorted({str(volume.elements.get("EchoTime", series.elements.get("EchoTime"))) for volume in series.volumes})
    lines = {
        "tSequenceFileName": f'"%SiemensSeq%\\{SEQUENCE_FILES[sequence.lstrip("*")[:3]]}"',
        "tProtocolName": f'"{elements["ProtocolName"]}"',
        "sSliceArray.lSize": str(1 if elements["MRAcquisitionType"] == "3D" else image.slab.slices),
        "alTR[0]": decimal(float(elements["RepetitionTime"]) * 1000),
        **{f"alTE[{index}]": decimal(float(echo_ms) * 1000) for index, echo_ms in enumerate(echoes_ms)},
        "adFlipAngleDegree[0]": decimal(elements["FlipAngle"]),
        "sPat.lAccelFactPE": (_acceleration(series) or "p1")[1:],
    }
    if "InversionTime" in elements:
        lines["alTI[0]"] = decimal(float(elements["InversionTime"]) * 1000)
    body = "\n".join(f"{key}\t = \t{value}" for key, value in lines.items())
    return f"### ASCCONV BEGIN ###\n{body}\n### ASCCONV END ###\n"
