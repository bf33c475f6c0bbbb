"""One file for a whole series: Enhanced MR Image Storage as Philips writes it (PS3.3 A.36.2, C.7.6.16, C.8.13).

Each frame says in its functional groups what the same image as a file of its own says at the top; Philips also keeps that header, as
a private item of the frame. So the frames are made from classic headers, and the values move to where an enhanced object has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import EnhancedMRImageStorage

from gyrus.console.sample.cohort import Image, uid_of
from gyrus.console.sample.nuclear import coded
from gyrus.console.sample.philips import IMAGING, MR_FIVE

Frame = tuple[Image, Dataset]  # of which the data set is a classic header

# Sequence → keyword in it → keyword in a classic header.
FRAME_GROUPS: Mapping[str, Mapping[str, str]] = {
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "PixelMeasuresSequence": {key: key for key in ("SliceThickness", "SpacingBetweenSlices", "PixelSpacing")},
    "FrameVOILUTSequence": {key: key for key in ("WindowCenter", "WindowWidth")},
    "PixelValueTransformationSequence": {key: key for key in ("RescaleIntercept", "RescaleSlope", "RescaleType")},
}
SHARED_GROUPS: Mapping[str, Mapping[str, str]] = {
    "MRTimingAndRelatedParametersSequence": {key: key for key in ("RepetitionTime", "EchoTrainLength", "FlipAngle")},
    "MRAveragesSequence": {"NumberOfAverages": "NumberOfAverages"},
    "MRImagingModifierSequence": {"PixelBandwidth": "PixelBandwidth", "TransmitterFrequency": "ImagingFrequency"},
    "MRModifierSequence": {
        key: key for key in ("InversionRecovery", "FlowCompensation", "Spoiling", "ParallelAcquisition", "PartialFourier")
    },
    "MRFOVGeometrySequence": {"PercentSampling": "PercentSampling", "PercentPhaseFieldOfView": "PercentPhaseFieldOfView"},
    "MRReceiveCoilSequence": {"ReceiveCoilName": "ReceiveCoilName"},
    "MRTransmitCoilSequence": {"TransmitCoilName": "TransmitCoilName"},
}
ONLY_PRIVATE = (  # what has no place in an enhanced object and stays in the private item of a frame or of all
    *("ImageType", "ScanningSequence", "SequenceVariant", "SequenceName", "InversionTime", "EchoNumbers", "AcquisitionMatrix"),
    *("NumberOfPhaseEncodingSteps", "SliceLocation", "TemporalPositionIdentifier", "NumberOfTemporalPositions"),
    *("VariableFlipAngleFlag", "SAR", "dBdt", "AcquisitionDate", "AcquisitionTime"),
)
NUMBERS = ("EffectiveEchoTime", "TransmitterFrequency")  # text in a classic header
SHARED_PRIVATE = ("ParallelReductionFactorInPlane", "ParallelAcquisitionTechnique", "ParallelReductionFactorOutOfPlane")
DIFFUSION = ("DiffusionBValue", "DiffusionGradientOrientation")


def multi_frame(frames: Sequence[Frame]) -> Dataset:
    """The object that holds these images, in their order."""
    first, top = frames[0][0], _top(frames)
    top.PixelData = b"".join(header.PixelData for _, header in frames)
    top.NumberOfFrames = len(frames)
    top.DimensionOrganizationSequence = [_organisation(first)]
    pointers = _dimensions(frames)
    top.DimensionIndexSequence = [_pointer(first, *pointer) for pointer in pointers]
    top.SharedFunctionalGroupsSequence = [_shared(frames[0][1])]
    columns = [_ranks([value(image, header) for image, header in frames]) for *_, value in pointers]
    indices = zip(*columns, strict=True)
    top.PerFrameFunctionalGroupsSequence = [_frame(*frame, list(index)) for frame, index in zip(frames, indices, strict=True)]
    return top


def in_frame_order(image: Image) -> tuple[Any, ...]:
    """Frames of one part of the complex signal come together; within it slice after slice, in each all echoes or weightings."""
    return image.contrast == "phase", image.slice_index, image.volume_index


def _top(frames: Sequence[Frame]) -> Dataset:
    image, header = frames[0]
    moved = {classic for groups in (FRAME_GROUPS, SHARED_GROUPS) for group in groups.values() for classic in group.values()}
    top = Dataset()
    top.file_meta = header.file_meta
    for element in header:
        if (
            element.keyword not in {*moved, *ONLY_PRIVATE, *SHARED_PRIVATE, *DIFFUSION, "InPlanePhaseEncodingDirection", "PixelData"}
            and not element.tag.is_private
        ):
            top.add_new(element.tag, element.VR, element.value)  # not the element itself, which the frame keeps
    top.SOPClassUID = EnhancedMRImageStorage
    top.SOPInstanceUID = uid_of(image.series.study.code, str(image.series.number), "all frames")
    components = {classic.ComplexImageComponent for _, classic in frames}
    top.ComplexImageComponent = components.pop() if len(components) == 1 else "MIXED"
    top.ImageType = ["ORIGINAL", "PRIMARY", top.AcquisitionContrast, "NONE" if top.ComplexImageComponent != "MIXED" else "MIXED"]
    top.AcquisitionDateTime = top.SeriesDate + top.SeriesTime
    top.InstanceNumber = "1"
    top.private_block(0x2001, IMAGING, create=True).add_new(0x20, "LO", top.PulseSequenceName)
    return top


def _shared(header: Dataset) -> Dataset:
    groups = _groups(header, SHARED_GROUPS)
    groups.MRFOVGeometrySequence[0].InPlanePhaseEncodingDirection = (
        "COLUMN" if header.InPlanePhaseEncodingDirection == "COL" else header.InPlanePhaseEncodingDirection
    )
    anatomy = Dataset()
    anatomy.AnatomicRegionSequence = [coded("T-A0100", "SRT", "Brain")]
    anatomy.FrameLaterality = "U"
    groups.FrameAnatomySequence = [anatomy]
    _keep(groups, 0x0E, _taken(header, SHARED_PRIVATE))
    return groups


def _frame(image: Image, header: Dataset, index: list[int]) -> Dataset:
    groups = _groups(header, FRAME_GROUPS)
    content = Dataset()
    content.FrameAcquisitionDateTime = header.AcquisitionDate + header.AcquisitionTime
    content.StackID = "1"
    content.InStackPositionNumber = image.slice_index + 1
    content.TemporalPositionIndex = 1
    content.DimensionIndexValues = index
    groups.FrameContentSequence = [content]
    kind = _taken(header, ("VolumetricProperties", "VolumeBasedCalculationTechnique", "ComplexImageComponent", "AcquisitionContrast"))
    kind.FrameType = ["ORIGINAL", "PRIMARY", header.AcquisitionContrast, header.ImageType[3]]
    groups.MRImageFrameTypeSequence = [kind]
    if image.volume.b_value is not None:
        groups.MRDiffusionSequence = [_diffusion(header)]
    own = _taken(header, ("SOPInstanceUID", "EchoTime", *ONLY_PRIVATE))
    for element in (0x10, 0x100D, 0x100E, 0x1011):
        own.add(header[0x2005, element])
    _keep(groups, 0x0F, own)
    return groups


def _groups(header: Dataset, places: Mapping[str, Mapping[str, str]]) -> Dataset:
    groups = Dataset()
    for sequence, keywords in places.items():
        item = Dataset()
        for keyword, classic in keywords.items():
            if classic in header:
                value = header[classic].value
                setattr(item, keyword, float(value) if keyword in NUMBERS else value)
        setattr(groups, sequence, [item])
    return groups


def _diffusion(header: Dataset) -> Dataset:
    item = Dataset()
    item.DiffusionBValue = header.DiffusionBValue
    item.DiffusionDirectionality = "DIRECTIONAL" if any(header.DiffusionGradientOrientation) else "NONE"
    if item.DiffusionDirectionality == "DIRECTIONAL":
        item.DiffusionGradientDirectionSequence = [_taken(header, ("DiffusionGradientOrientation",))]
    return item


def _taken(header: Dataset, keywords: Sequence[str]) -> Dataset:
    item = Dataset()
    for keyword in keywords:
        if keyword in header:
            item.add(header[keyword])
    return item


def _keep(groups: Dataset, element: int, item: Dataset) -> None:
    """Put Philips' own item, (2005,140E) of all frames or (2005,140F) of one, where Philips has it: in block 14."""
    groups.add_new((0x2005, 0x14), "LO", MR_FIVE)
    groups.add_new((0x2005, 0x1400 + element), "SQ", [item])


def _organisation(image: Image) -> Dataset:
    item = Dataset()
    item.DimensionOrganizationUID = uid_of(image.series.study.code, str(image.series.number), "dimensions")
    return item


Dimension = tuple[str, str, str, Any]  # keyword pointed to, functional group, label, how a frame's value is found


def _dimensions(frames: Sequence[Frame]) -> list[Dimension]:
    """Stack and position, and what else differs between the frames."""
    more: list[Dimension] = [
        ("ComplexImageComponent", "MRImageFrameTypeSequence", "Complex Image Component", lambda _, h: h.ComplexImageComponent),
        ("EffectiveEchoTime", "MREchoSequence", "Effective Echo Time", lambda _, h: float(h.EchoTime)),
        ("DiffusionBValue", "MRDiffusionSequence", "Diffusion b-value", lambda i, _: i.volume.b_value or 0),
        ("DiffusionGradientOrientation", "MRDiffusionSequence", "Diffusion Gradient Orientation", lambda i, _: i.volume.number),
    ]
    return [
        ("StackID", "FrameContentSequence", "Stack ID", lambda *_: 1),
        ("InStackPositionNumber", "FrameContentSequence", "In-Stack Position Number", lambda i, _: i.slice_index),
        *(one for one in more if len({one[-1](*frame) for frame in frames}) > 1),
    ]


def _pointer(image: Image, keyword: str, group: str, label: str, _: Any) -> Dataset:
    item = _organisation(image)
    item.DimensionIndexPointer = Tag(keyword)
    item.FunctionalGroupPointer = Tag(group)
    item.DimensionDescriptionLabel = label
    return item


def _ranks(values: Sequence[Any]) -> list[int]:
    """From 1, in the order of the values."""
    ordered = sorted(set(values))
    return [ordered.index(value) + 1 for value in values]
