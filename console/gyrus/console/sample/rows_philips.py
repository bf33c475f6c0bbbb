"""The third subject's rows: a Philips Achieva (release 5.3), a file a slice; a year later an Ingenia (5.7), enhanced files."""

from gyrus.console.sample.cohort import Elements, PrivateElements, Series, Volume
from gyrus.console.sample.geometry import Slab
from gyrus.console.sample.protocols import HOUR_S, MR_3T, labels
from gyrus.console.sample.visits import THREE_LATER, THREE_MR

IMAGING = "Philips Imaging DD 001"
PHILIPS_3T: Elements = MR_3T | {
    "ImagingFrequency": "127.748504",
    "ReceiveCoilName": "MULTI COIL",
    "TransmitCoilName": "BODY",
    "SAR": "0.04",
    "dBdt": "64.7",
}
SENSE: Elements = {"ParallelReductionFactorInPlane": 2.0, "ParallelAcquisitionTechnique": "SENSE", "ParallelAcquisition": "YES"}


def _technique(name: str) -> PrivateElements:
    """Philips' own name of a sequence."""
    return {(0x2001, IMAGING, 0x20): ("LO", name)}


# Top level of an enhanced object, PS3.3 C.8.13.4, of what is measured here: rectilinear, one nucleus, no preparation.
PULSE_SEQUENCE: Elements = {
    "ContentQualification": "PRODUCT",
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
    "ComplexImageComponent": "MAGNITUDE",
    "ResonantNucleus": "1H",
    "MultiPlanarExcitation": "NO",
    "PhaseContrast": "NO",
    "TimeOfFlightContrast": "NO",
    "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO",
    "SpectrallySelectedSuppression": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "InversionRecovery": "NO",
    "FlowCompensation": "NONE",
    "ParallelAcquisition": "NO",
    "PartialFourier": "NO",
}
FIELD_ECHOES_MS = (2.3, 4.6)
FIELD_VOLUMES = tuple(
    Volume(
        contrast="phase" if component == "PHASE" else "gre",
        phase_ms=echo_ms,
        elements={
            "EchoTime": str(echo_ms),
            "EchoNumbers": str(number),
            "ComplexImageComponent": component,
            "ImageType": ["ORIGINAL", "PRIMARY", *(("PHASE MAP", "P") if component == "PHASE" else ("M_FFE", "M")), "FFE"],
        },
    )
    for component in ("MAGNITUDE", "PHASE")
    for number, echo_ms in enumerate(FIELD_ECHOES_MS, start=1)
)
HALF_ROOT = 0.7071067811865476
DIRECTIONS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.5, HALF_ROOT), (-0.5, 0.5, HALF_ROOT), (0.5, -0.5, HALF_ROOT))
DIFFUSION_VOLUMES = (
    Volume(b_value=0),
    *(Volume(b_value=1000, direction=direction, number=number) for number, direction in enumerate(DIRECTIONS, start=1)),
)

SERIES: tuple[Series, ...] = (
    Series(
        study=THREE_MR,
        number=101,
        description="Survey_32ch_HeadCoil",
        started_s=11 * HOUR_S + 300,
        slab=Slab(orientation="COR", rows=128, columns=128, slices=3, pixel_mm=1.9531, thickness_mm=10, spacing_mm=20),
        contrast="scout",
        volumes=tuple(
            Volume(slab=Slab(orientation=orientation, rows=128, columns=128, slices=3, pixel_mm=1.9531, thickness_mm=10, spacing_mm=20))
            for orientation in ("COR", "SAG", "AX")
        ),
        elements=PHILIPS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
            "ProtocolName": "WIP Survey_32ch_HeadCoil",
            "ScanningSequence": "GR",
            "SequenceVariant": "SP",
            "MRAcquisitionType": "2D",
            "RepetitionTime": "11",
            "EchoTime": "4.6",
            "FlipAngle": "15",
            "EchoTrainLength": "64",
            "PixelBandwidth": "434",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=_technique("T1TFE"),
        expected=labels(None, "GRE", "localizer", provenance="Localizer"),
    ),
    Series(
        study=THREE_MR,
        number=201,
        description="T1W_3D_TFE",
        started_s=11 * HOUR_S + 420,
        slab=Slab(orientation="SAG", rows=160, columns=160, slices=64, pixel_mm=1.5, thickness_mm=2.5, spacing_mm=2.5),
        contrast="t1",
        elements=PHILIPS_3T
        | SENSE
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
            "ProtocolName": "WIP T1W_3D_TFE SENSE",
            "ScanningSequence": "GR",
            "SequenceVariant": "MP",
            "ScanOptions": "OTHER",
            "MRAcquisitionType": "3D",
            "RepetitionTime": "7.93200016021728",
            "EchoTime": "3.652",
            "FlipAngle": "8",
            "EchoTrainLength": "240",
            "PixelBandwidth": "191",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=_technique("T1TFE"),
        expected=labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
    ),
    Series(
        study=THREE_MR,
        number=301,
        description="T2W_TSE",
        started_s=11 * HOUR_S + 780,
        slab=Slab(orientation="AX", rows=192, columns=192, slices=24, pixel_mm=1.1979, thickness_mm=5, spacing_mm=6, tilt_deg=-9),
        contrast="tse",
        elements=PHILIPS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
            "ProtocolName": "WIP T2W_TSE",
            "ScanningSequence": "SE",
            "SequenceVariant": "SK",
            "ScanOptions": "OTHER",
            "MRAcquisitionType": "2D",
            "RepetitionTime": "3000",
            "EchoTime": "80",
            "FlipAngle": "90",
            "EchoTrainLength": "15",
            "PixelBandwidth": "218",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=_technique("TSE"),
        expected=labels("T2w", "TSE", "anat"),
    ),
    Series(
        study=THREE_MR,
        number=401,
        description="FLAIR_longTR",
        started_s=11 * HOUR_S + 1020,
        slab=Slab(orientation="AX", rows=192, columns=192, slices=24, pixel_mm=1.1979, thickness_mm=5, spacing_mm=6, tilt_deg=-9),
        contrast="flair",
        elements=PHILIPS_3T
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_IR", "M", "IR"],
            "ProtocolName": "WIP FLAIR_longTR",
            "ScanningSequence": "IR",
            "SequenceVariant": "SK",
            "ScanOptions": "OTHER",
            "MRAcquisitionType": "2D",
            "RepetitionTime": "11000",
            "EchoTime": "125",
            "InversionTime": "2800",
            "FlipAngle": "90",
            "EchoTrainLength": "27",
            "PixelBandwidth": "250",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        private=_technique("TIR"),
        expected=labels("T2w", "IR-TSE", "anat", modifier=["FLAIR"]),
    ),
    Series(
        study=THREE_LATER,
        number=201,
        description="T1W_3D_TFE",
        started_s=10 * HOUR_S + 480,
        slab=Slab(orientation="SAG", rows=160, columns=160, slices=64, pixel_mm=1.5, thickness_mm=2.5, spacing_mm=2.5),
        contrast="t1",
        form="enhanced",
        elements=PHILIPS_3T
        | PULSE_SEQUENCE
        | SENSE
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
            "ProtocolName": "WIP T1W_3D_TFE",
            "PulseSequenceName": "T1TFE",
            "AcquisitionContrast": "T1",
            "EchoPulseSequence": "GRADIENT",
            "SteadyStatePulseSequence": "LONGITUDINAL",
            "Spoiling": "RF",
            "ScanningSequence": "GR",
            "SequenceVariant": "MP",
            "ScanOptions": "OTHER",
            "MRAcquisitionType": "3D",
            "RepetitionTime": "6.50099992752075",
            "EchoTime": "2.93",
            "FlipAngle": "9",
            "EchoTrainLength": "256",
            "PixelBandwidth": "271",
            "InPlanePhaseEncodingDirection": "ROW",
        },
        expected=labels("T1w", "MPRAGE", "anat", acceleration=["ParallelImaging"]),
    ),
    Series(
        study=THREE_LATER,
        number=301,
        description="Field Mapping",
        started_s=10 * HOUR_S + 840,
        slab=Slab(orientation="AX", rows=80, columns=80, slices=32, pixel_mm=3, thickness_mm=4, spacing_mm=4, tilt_deg=-9),
        contrast="gre",
        form="enhanced",
        volumes=FIELD_VOLUMES,
        elements=PHILIPS_3T
        | PULSE_SEQUENCE
        | {
            "ProtocolName": "WIP Field Mapping",
            "PulseSequenceName": "T1FFE",
            "AcquisitionContrast": "T1",
            "EchoPulseSequence": "GRADIENT",
            "SteadyStatePulseSequence": "LONGITUDINAL",
            "Spoiling": "RF",
            "FlowCompensation": "VELOCITY",
            "ScanningSequence": "GR",
            "SequenceVariant": "SP",
            "ScanOptions": "FC",
            "MRAcquisitionType": "3D",
            "RepetitionTime": "20",
            "FlipAngle": "10",
            "EchoTrainLength": "2",
            "PixelBandwidth": "1008",
            "InPlanePhaseEncodingDirection": "COL",
        },
        expected={axis: value for axis, value in labels(None, "SP-GRE", "fmap", modifier=["FlowComp"]).items() if axis != "construct"},
    ),
    Series(
        study=THREE_LATER,
        number=401,
        description="DTI_S2",
        started_s=10 * HOUR_S + 960,
        slab=Slab(orientation="AX", rows=96, columns=96, slices=22, pixel_mm=2.5, thickness_mm=5, spacing_mm=5.5, tilt_deg=-9),
        contrast="diffusion",
        form="enhanced",
        volumes=DIFFUSION_VOLUMES,
        elements=PHILIPS_3T
        | PULSE_SEQUENCE
        | SENSE
        | {
            "ImageType": ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
            "ProtocolName": "WIP DTI_S2",
            "PulseSequenceName": "DwiSE",
            "AcquisitionContrast": "DIFFUSION",
            "EchoPulseSequence": "SPIN",
            "EchoPlanarPulseSequence": "YES",
            "SpectrallySelectedSuppression": "FAT",
            "Spoiling": "NONE",
            "PartialFourier": "YES",
            "ScanningSequence": "SE",
            "SequenceVariant": "SK",
            "ScanOptions": ["FS", "PFP"],
            "MRAcquisitionType": "2D",
            "RepetitionTime": "4972",
            "EchoTime": "72.4",
            "FlipAngle": "90",
            "EchoTrainLength": "63",
            "PixelBandwidth": "1862",
            "InPlanePhaseEncodingDirection": "COL",
        },
        expected=labels("DWI", "DWI-EPI", "dwi", modifier=["FatSat"], acceleration=["ParallelImaging", "PartialFourier"]),
    ),
)
