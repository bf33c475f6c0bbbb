"""The first subject's rows: a Siemens Prisma (syngo MR E11)."""

from dataclasses import replace

from gyrus.console.sample.cohort import Elements, Labels, PrivateElements, Series, Volume
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.protocols import HOUR_S, MR_3T, labels, two_shells
from gyrus.console.sample.visits import ONE_MR

HEADER = "SIEMENS MR HEADER"
PRIVATE: PrivateElements = {(0x0051, HEADER, 0x0F): ("LO", "HEA;HEP")}
HALVED: PrivateElements = PRIVATE | {(0x0051, HEADER, 0x11): ("LO", "p2")}


SIEMENS_3T: Elements = MR_3T | {"ImagingFrequency": "123.255", "TransmitCoilName": "Body", "SAR": "0.05", "dBdt": "0"}

EPI_500_1000: Elements = SIEMENS_3T | {
    "ScanningSequence": "EP",
    "SequenceVariant": ["SK", "SP"],
    "ScanOptions": ["PFP", "FS"],
    "MRAcquisitionType": "2D",
    "ProtocolName": "ep2d_diff_b0_500_1000_p2",
    "RepetitionTime": "6200",
    "EchoTime": "78",
    "FlipAngle": "90",
    "EchoTrainLength": "36",
    "PixelBandwidth": "1736",
    "InPlanePhaseEncodingDirection": "COL",
}
EPI_PRIVATE: PrivateElements = HALVED | {(0x0019, HEADER, 0x28): ("FD", 20.345)}  # bandwidth per pixel along phase encoding, Hz
DIFFUSION_SLAB = Slab(orientation="AX", rows=96, columns=96, slices=20, pixel_mm=2.5, thickness_mm=6, spacing_mm=7.2, tilt_deg=-6)

LOCALIZER = {
    orientation: Slab(orientation=orientation, rows=128, columns=128, slices=3, pixel_mm=1.9531, thickness_mm=7, spacing_mm=14)
    for orientation in ("AX", "SAG", "COR")
}

PHASE_RESCALE: Elements = {"RescaleIntercept": "-4096", "RescaleSlope": "2", "RescaleType": "US"}  # -4096..4094 is -π..π
FIELD_SLAB = Slab(orientation="AX", rows=64, columns=64, slices=20, pixel_mm=3.4375, thickness_mm=5, spacing_mm=6, tilt_deg=-6)
FIELD_MAPPING: Elements = SIEMENS_3T | {
    "ProtocolName": "gre_field_mapping",
    "ScanningSequence": "GR",
    "SequenceVariant": "SP",
    "MRAcquisitionType": "2D",
    "SequenceName": "*fm2d2r",
    "RepetitionTime": "400",
    "FlipAngle": "60",
    "EchoTrainLength": "0",
    "PixelBandwidth": "290",
    "InPlanePhaseEncodingDirection": "COL",
}

SWI_SLAB = Slab(
    orientation="AX", rows=192, columns=160, slices=24, pixel_mm=1.25, thickness_mm=2, spacing_mm=2, tilt_deg=-6, centre_mm=(0, -4, 20)
)
SWI: Labels = {"modifier": ["FlowComp"], "provenance": "SWIRecon", "acceleration": ["ParallelImaging", "PartialFourier"]}


def _susceptibility(number: int, description: str, contrast: str, words: list[str], *, expected: Labels, slab: Slab = SWI_SLAB) -> Series:
    """One of the four series that a susceptibility-weighted scan becomes."""
    return Series(
        study=ONE_MR,
        number=number,
        description=description,
        started_s=9 * HOUR_S + 2280,
        slab=slab,
        contrast=contrast,
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", *words],
            "ProtocolName": "t2_swi_tra_p2_2mm",
            "ScanningSequence": "GR",
            "SequenceVariant": ["SP", "OSP"],
            "ScanOptions": ["PFP", "FC"],
            "MRAcquisitionType": "3D",
            "SequenceName": "*swi3d1r",
            "RepetitionTime": "27",
            "EchoTime": "20",
            "FlipAngle": "15",
            "EchoTrainLength": "1",
            "PixelBandwidth": "120",
            "InPlanePhaseEncodingDirection": "ROW",
            **(PHASE_RESCALE if contrast == "venous phase" else {}),
        },
        private=HALVED,
        expected=expected,
    )


SERIES: tuple[Series, ...] = (
    Series(
        study=ONE_MR,
        number=1,
        description="localizer",
        started_s=9 * HOUR_S + 660,
        slab=LOCALIZER["AX"],
        contrast="scout",
        volumes=tuple(Volume(slab=slab) for slab in LOCALIZER.values()),
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"],
            "ProtocolName": "localizer",
            "ScanningSequence": "GR",
            "SequenceVariant": ["SP", "OSP"],
            "MRAcquisitionType": "2D",
            "SequenceName": "*fl2d1",
            "RepetitionTime": "8.6",
            "EchoTime": "4",
            "FlipAngle": "20",
            "EchoTrainLength": "1",
            "PixelBandwidth": "320",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=PRIVATE,
        expected=labels(None, "SP-GRE", "localizer", provenance="Localizer"),
    ),
    Series(
        study=ONE_MR,
        number=2,
        description="t1_mprage_sag_p2",
        started_s=9 * HOUR_S + 720,
        slab=Slab(orientation="SAG", rows=192, columns=192, slices=88, pixel_mm=1.25, thickness_mm=2, spacing_mm=2),
        contrast="t1",
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
            "ProtocolName": "t1_mprage_sag_p2",
            "ScanningSequence": ["GR", "IR"],
            "SequenceVariant": ["SK", "SP", "MP"],
            "ScanOptions": "IR",
            "MRAcquisitionType": "3D",
            "SequenceName": "*tfl3d1_16ns",
            "RepetitionTime": "2300",
            "EchoTime": "2.98",
            "InversionTime": "900",
            "FlipAngle": "9",
            "EchoTrainLength": "1",
            "PixelBandwidth": "240",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=HALVED,
        expected=labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
    ),
    Series(
        study=ONE_MR,
        number=3,
        description="t2_tirm_tra_dark-fluid_p2",
        started_s=9 * HOUR_S + 1140,
        slab=Slab(orientation="AX", rows=192, columns=160, slices=28, pixel_mm=1.25, thickness_mm=4, spacing_mm=4.8, tilt_deg=-6),
        contrast="flair",
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
            "ProtocolName": "t2_tirm_tra_dark-fluid_p2",
            "ScanningSequence": ["SE", "IR"],
            "SequenceVariant": ["SK", "SP", "MP"],
            "ScanOptions": "IR",
            "MRAcquisitionType": "2D",
            "SequenceName": "*tir2d1_16",
            "RepetitionTime": "9000",
            "EchoTime": "94",
            "InversionTime": "2500",
            "FlipAngle": "150",
            "EchoTrainLength": "16",
            "PixelBandwidth": "220",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=HALVED,
        expected=labels("T2w", "IR-TSE", "anat", modifier=["FLAIR"], acceleration=["ParallelImaging"]),
    ),
    Series(
        study=ONE_MR,
        number=4,
        description="ep2d_diff_b0_500_1000_p2",
        started_s=9 * HOUR_S + 1500,
        slab=DIFFUSION_SLAB,
        contrast="diffusion",
        volumes=tuple(two_shells()),
        elements=EPI_500_1000 | {"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND", "NORM"]},
        private=EPI_PRIVATE,
        expected=labels("DWI", "DWI-EPI", "dwi", modifier=["FatSat"], acceleration=["ParallelImaging", "PartialFourier"]),
    ),
    Series(
        study=ONE_MR,
        number=5,
        description="ep2d_diff_b0_500_1000_p2_ADC",
        started_s=9 * HOUR_S + 1500,
        slab=DIFFUSION_SLAB,
        contrast="adc",
        elements=EPI_500_1000 | {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "NORM"], "SequenceName": "ep_b0_1000"},
        private=EPI_PRIVATE,
        expected=labels(
            "DWI", "DWI-EPI", "dwi", construct=["ADC"], provenance="DTIRecon", acceleration=["ParallelImaging", "PartialFourier"]
        ),
    ),
    Series(
        study=ONE_MR,
        number=6,
        description="gre_field_mapping",
        started_s=9 * HOUR_S + 1680,
        slab=FIELD_SLAB,
        contrast="gre",
        volumes=tuple(
            Volume(elements={"EchoTime": echo_ms, "EchoNumbers": str(number)}) for number, echo_ms in enumerate(("4.92", "7.38"), start=1)
        ),
        elements=FIELD_MAPPING | {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"]},
        private=PRIVATE,
        expected=labels(None, "GRE", "fmap"),
    ),
    Series(
        study=ONE_MR,
        number=7,
        description="gre_field_mapping",
        started_s=9 * HOUR_S + 1680,
        slab=FIELD_SLAB,
        contrast="phase",
        volumes=(Volume(phase_ms=2.46),),
        elements=FIELD_MAPPING | {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"], "EchoTime": "7.38", "EchoNumbers": "2", **PHASE_RESCALE},
        private=PRIVATE,
        expected=labels(None, "GRE", "fmap", construct=["Phase"]),
    ),
    Series(
        study=ONE_MR,
        number=8,
        description="ep2d_bold_moco_p2",
        started_s=9 * HOUR_S + 1800,
        slab=Slab(orientation="AX", rows=64, columns=64, slices=24, pixel_mm=3.4375, thickness_mm=4, spacing_mm=5, tilt_deg=-6),
        contrast="epi",
        form="mosaic",
        volumes=(Volume(),) * 10,
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
            "ProtocolName": "ep2d_bold_moco_p2",
            "ScanningSequence": "EP",
            "SequenceVariant": "SK",
            "ScanOptions": "FS",
            "MRAcquisitionType": "2D",
            "SequenceName": "*epfid2d1_64",
            "RepetitionTime": "2000",
            "EchoTime": "30",
            "FlipAngle": "78",
            "EchoTrainLength": "32",
            "PixelBandwidth": "2232",
            "InPlanePhaseEncodingDirection": "COL",
        },
        private=HALVED | {(0x0019, HEADER, 0x28): ("FD", 56.818)},
        expected=labels("T2*w", "BOLD-EPI", "func", modifier=["FatSat"], provenance="BOLDRecon", acceleration=["ParallelImaging"]),
    ),
    Series(
        study=ONE_MR,
        number=9,
        description="t2_tse_tra_p2",
        started_s=9 * HOUR_S + 1920,
        slab=Slab(orientation="AX", rows=192, columns=160, slices=28, pixel_mm=1.25, thickness_mm=4, spacing_mm=4.8, tilt_deg=-6),
        contrast="tse",
        elements=SIEMENS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
            "ProtocolName": "t2_tse_tra_p2",
            "ScanningSequence": "SE",
            "SequenceVariant": ["SK", "SP", "OSP"],
            "MRAcquisitionType": "2D",
            "SequenceName": "*tse2d1_16",
            "RepetitionTime": "6000",
            "EchoTime": "99",
            "FlipAngle": "150",
            "EchoTrainLength": "16",
            "PixelBandwidth": "220",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=HALVED,
        expected=labels("T2w", "TSE", "anat", acceleration=["ParallelImaging"]),
    ),
    _susceptibility(
        10, "Mag_Images", "venous magnitude", ["M", "ND", "NORM"], expected=labels("T2*w", "GRE", "anat", **SWI, construct=["Magnitude"])
    ),
    _susceptibility(11, "Pha_Images", "venous phase", ["P", "ND"], expected=labels(None, "GRE", "anat", **SWI, construct=["Phase"])),
    _susceptibility(
        12,
        "mIP_Images(SW)",
        "minimum",
        ["MNIP", "ND", "NORM"],
        slab=replace(SWI_SLAB, slices=SWI_SLAB.slices - 7, thickness_mm=8 * SWI_SLAB.spacing_mm),
        expected=labels("SWI", "GRE", "anat", **SWI, construct=["MinIP"]),
    ),
    _susceptibility(
        13, "SWI_Images", "susceptibility", ["M", "SWI", "ND", "NORM"], expected=labels("SWI", "GRE", "anat", **SWI, construct=["SWI"])
    ),
)
