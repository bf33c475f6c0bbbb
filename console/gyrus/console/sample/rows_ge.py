"""The second subject's rows: a GE Discovery MR750, a LightSpeed VCT and a Discovery PET."""

from gyrus.console.sample.cohort import Elements, Series
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.nuclear import SCANNED_S, emission_elements
from gyrus.console.sample.protocols import HOUR_S, MR_3T, labels
from gyrus.console.sample.visits import TWO_CT, TWO_MR, TWO_PET

GE_3T: Elements = MR_3T | {"ImagingFrequency": "127.770", "ReceiveCoilName": "32Ch Head", "SAR": "0.3"}
PET_SLAB = Slab(orientation="AX", rows=128, columns=128, slices=47, pixel_mm=2, thickness_mm=3.27, spacing_mm=3.27)

SERIES: tuple[Series, ...] = (
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
        expected=labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
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
        expected=labels("T2w", "IR-TSE", "anat", modifier=["FLAIR"]),
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
    Series(
        study=TWO_PET,
        number=4,
        description="BRAIN FDG 3D AC",
        started_s=SCANNED_S,
        slab=PET_SLAB,
        contrast="pet",
        elements=emission_elements(PET_SLAB.slices)
        | {
            "BodyPartExamined": "BRAIN",
            "PatientPosition": "HFS",
            "ImageType": ["ORIGINAL", "PRIMARY"],
            "ProtocolName": "BRAIN FDG",
            "ReconstructionDiameter": "256",
            "GantryDetectorTilt": "0",
            "TableHeight": "170",
            "FieldOfViewShape": "CYLINDRICAL RING",
            "FieldOfViewDimensions": [700, 157],
            "AcquisitionTerminationCondition": "TIME",
            "AcquisitionStartCondition": "MANU",
        },
        expected={},
    ),
)
