"""What the sample cohort holds: one row for each series. A new series is a new row.

Parameters are those of ordinary protocols (3 T head, head CT); matrices and slice counts are reduced. `expected` says what the images
are, by physics and by the words of their headers: the axes of the classifier.
"""

from collections.abc import Iterator

from gyrus.console.sample.cohort import Elements, Labels, PrivateElements, Series, Volume
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.visits import ONE_MR, TWO_CT, TWO_MR

HOUR_S = 3600


def _diffusion_volumes() -> Iterator[Volume]:
    """One b = 0, three directions of 500 and six of 1000 s/mm²; the six are the ± diagonals of a cube's faces, normalised."""
    half = 0.7071067811865476
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    diagonals = ((half, half, 0.0), (half, -half, 0.0), (half, 0.0, half), (-half, 0.0, half), (0.0, half, half), (0.0, half, -half))
    yield Volume(b_value=0)
    for b_value, directions in ((500, axes), (1000, diagonals)):
        for number, direction in enumerate(directions, start=1):
            yield Volume(b_value=b_value, direction=direction, number=number)


def _labels(base: str, technique: str, intent: str, **more: object) -> Labels:
    """Labels of an ordinary MR series, and what differs from it."""
    ordinary = {"modifier": [], "construct": [], "provenance": "RawRecon", "acceleration": []}
    return {"base": base, "technique": technique, **ordinary, "intent": intent, **more}


MR_3T: Elements = {
    "Modality": "MR",
    "BodyPartExamined": "BRAIN",
    "PatientPosition": "HFS",
    "MagneticFieldStrength": "3",
    "ImagedNucleus": "1H",
    "NumberOfAverages": "1",
    "EchoNumbers": "1",
    "PercentSampling": "100",
    "PercentPhaseFieldOfView": "100",
    "VariableFlipAngleFlag": "N",
}
SIEMENS_3T: Elements = MR_3T | {"ImagingFrequency": "123.255", "TransmitCoilName": "Body", "SAR": "0.05", "dBdt": "0"}
GE_3T: Elements = MR_3T | {"ImagingFrequency": "127.770", "ReceiveCoilName": "32Ch Head", "SAR": "0.3"}

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
EPI_PRIVATE: PrivateElements = {
    (0x0019, "SIEMENS MR HEADER", 0x28): ("FD", 20.345),  # bandwidth per pixel along phase encoding, Hz
    (0x0051, "SIEMENS MR HEADER", 0x0F): ("LO", "HEA;HEP"),
    (0x0051, "SIEMENS MR HEADER", 0x11): ("LO", "p2"),
}
DIFFUSION_SLAB = Slab(orientation="AX", rows=96, columns=96, slices=24, pixel_mm=2.5, thickness_mm=5, spacing_mm=6, tilt_deg=-6)

SERIES: tuple[Series, ...] = (
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
        private={(0x0051, "SIEMENS MR HEADER", 0x0F): ("LO", "HEA;HEP"), (0x0051, "SIEMENS MR HEADER", 0x11): ("LO", "p2")},
        expected=_labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
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
        private={(0x0051, "SIEMENS MR HEADER", 0x0F): ("LO", "HEA;HEP"), (0x0051, "SIEMENS MR HEADER", 0x11): ("LO", "p2")},
        expected=_labels("T2w", "IR-TSE", "anat", modifier=["FLAIR"], acceleration=["ParallelImaging"]),
    ),
    Series(
        study=ONE_MR,
        number=4,
        description="ep2d_diff_b0_500_1000_p2",
        started_s=9 * HOUR_S + 1500,
        slab=DIFFUSION_SLAB,
        contrast="diffusion",
        volumes=tuple(_diffusion_volumes()),
        elements=EPI_500_1000 | {"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND", "NORM"]},
        private=EPI_PRIVATE,
        expected=_labels("DWI", "DWI-EPI", "dwi", modifier=["FatSat"], acceleration=["ParallelImaging", "PartialFourier"]),
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
        expected=_labels(
            "DWI", "DWI-EPI", "dwi", construct=["ADC"], provenance="DTIRecon", acceleration=["ParallelImaging", "PartialFourier"]
        ),
    ),
    Series(
        study=TWO_MR,
        number=3,
        description="Sag T1 BRAVO",
        started_s=14 * HOUR_S + 600,
        slab=Slab(orientation="SAG", rows=192, columns=192, slices=80, pixel_mm=1.25, thickness_mm=2.2, spacing_mm=2.2),
        contrast="t1",
        elements=GE_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
            "ProtocolName": "Brain Routine",
            "ScanningSequence": ["GR", "IR"],
            "SequenceVariant": ["SS", "SP", "MP", "SK"],
            "ScanOptions": ["FAST_GEMS", "EDR_GEMS", "ACC_GEMS", "FILTERED_GEMS"],
            "MRAcquisitionType": "3D",
            "AngioFlag": "N",
            "RepetitionTime": "8.2",
            "EchoTime": "3.2",
            "InversionTime": "450",
            "FlipAngle": "12",
            "EchoTrainLength": "1",
            "PixelBandwidth": "244.1",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private={
            (0x0019, "GEMS_ACQU_01", 0x9C): ("LO", "BRAVO"),
            (0x0019, "GEMS_ACQU_01", 0x9E): ("LO", "EFGRE3D"),
            (0x0043, "GEMS_PARM_01", 0x83): ("DS", ["0.5", "1"]),
        },
        expected=_labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
    ),
    Series(
        study=TWO_MR,
        number=4,
        description="Ax T2 FLAIR",
        started_s=14 * HOUR_S + 960,
        slab=Slab(orientation="AX", rows=192, columns=192, slices=26, pixel_mm=1.25, thickness_mm=5, spacing_mm=5.5, tilt_deg=4),
        contrast="flair",
        elements=GE_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
            "ProtocolName": "Brain Routine",
            "ScanningSequence": ["SE", "IR"],
            "SequenceVariant": ["SK", "OSP"],
            "ScanOptions": ["FAST_GEMS", "NPW", "TRF_GEMS", "FILTERED_GEMS"],
            "MRAcquisitionType": "2D",
            "AngioFlag": "N",
            "RepetitionTime": "9500",
            "EchoTime": "118.4",
            "InversionTime": "2500",
            "FlipAngle": "160",
            "EchoTrainLength": "24",
            "PixelBandwidth": "195.3",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private={
            (0x0019, "GEMS_ACQU_01", 0x9C): ("LO", "fse-xl"),
            (0x0019, "GEMS_ACQU_01", 0x9E): ("LO", "FSE-XL"),
            (0x0043, "GEMS_PARM_01", 0x83): ("DS", ["1", "1"]),
        },
        expected=_labels("T2w", "IR-TSE", "anat", modifier=["FLAIR"]),
    ),
    Series(
        study=TWO_CT,
        number=2,
        description="HEAD 5MM STD",
        started_s=22 * HOUR_S + 1020,
        slab=Slab(orientation="AX", rows=256, columns=256, slices=32, pixel_mm=0.9375, thickness_mm=5, spacing_mm=5),
        contrast="ct",
        elements={
            "Modality": "CT",
            "BodyPartExamined": "HEAD",
            "PatientPosition": "HFS",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "ProtocolName": "1.1 HEAD ROUTINE",
            "ScanOptions": "AXIAL MODE",
            "KVP": "120",
            "XRayTubeCurrent": "220",
            "ExposureTime": "1000",
            "Exposure": "220",
            "ConvolutionKernel": "STANDARD",
            "DataCollectionDiameter": "250",
            "ReconstructionDiameter": "240",
            "DistanceSourceToDetector": "949.147",
            "DistanceSourceToPatient": "541",
            "GantryDetectorTilt": "0",
            "TableHeight": "182",
            "RotationDirection": "CW",
            "FilterType": "HEAD FILTER",
            "FocalSpots": "1.2",
            "RescaleIntercept": "-1024",
            "RescaleSlope": "1",
            "RescaleType": "HU",
            "PixelPaddingValue": -2000,
        },
        private={(0x0019, "GEMS_ACQU_01", 0x23): ("DS", "20"), (0x0045, "GEMS_HELIOS_01", 0x01): ("SS", 64)},
        expected={},
    ),
)
