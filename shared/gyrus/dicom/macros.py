"""Where the standard puts values that are not at the top level, by tag.

Functional group macros of enhanced objects: PS3.3 C.7.6.16.2 (any modality), C.8.13.5 (MR), C.8.15.3 (CT), C.8.22.5 (PET).
Sequences of classic objects stand in the same form; their items are read at the top level.
"""

CODE_VALUE, MEANING = 0x00080100, 0x00080104  # of any code sequence

CONTENT = 0x00209111  # FrameContentSequence
POSITION, PLANE = 0x00209113, 0x00209116  # PlanePositionSequence, PlaneOrientationSequence
MEASURES = 0x00289110  # PixelMeasuresSequence
TRANSFORMATION, WINDOW = 0x00289145, 0x00289132  # PixelValueTransformationSequence, FrameVOILUTSequence
ANATOMY, REGION = 0x00209071, 0x00082218  # FrameAnatomySequence, AnatomicRegionSequence
CARDIAC = 0x00189118  # CardiacSynchronizationSequence
FRAME_TYPES = (0x00189226, 0x00189329, 0x00189751)  # MR, CT and PET image frame type sequences
REAL_WORLD, UNITS = 0x00409096, 0x004008EA  # RealWorldValueMappingSequence, MeasurementUnitsCodeSequence

AGENT, ROUTE, PROFILE = 0x00180012, 0x00180014, 0x00189340  # of contrast: agent, its route, its administration profile

MR_TIMING, MR_ECHO, MR_MODIFIER = 0x00189112, 0x00189114, 0x00189115
MR_IMAGING, MR_FIELD_OF_VIEW, MR_AVERAGES = 0x00189006, 0x00189125, 0x00189119
MR_RECEIVE_COIL, MR_TRANSMIT_COIL = 0x00189042, 0x00189049
MR_DIFFUSION, MR_GRADIENT, MR_B_MATRIX = 0x00189117, 0x00189076, 0x00189601
MR_LABELLING, MR_VELOCITY, MR_ABSORPTION = 0x00189251, 0x00189197, 0x00189239

CT_TYPE, CT_DETAILS, CT_TABLE, CT_GEOMETRY = 0x00189301, 0x00189304, 0x00189308, 0x00189312
CT_RECONSTRUCTION, CT_EXPOSURE, CT_X_RAY = 0x00189314, 0x00189321, 0x00189325
CT_PHANTOM = 0x00189346  # CTDIPhantomTypeCodeSequence

PT_ACQUISITION, PT_FACTORS, PT_RECONSTRUCTION = 0x00189732, 0x00189736, 0x00189749
TRACER = 0x00540016  # RadiopharmaceuticalInformationSequence, at the top level of classic and enhanced objects


def frame_type(tag: int) -> tuple[tuple[int, ...], ...]:
    """A tag of the frame type macro, which each modality has under a sequence of its own."""
    return tuple((sequence, tag) for sequence in FRAME_TYPES)
