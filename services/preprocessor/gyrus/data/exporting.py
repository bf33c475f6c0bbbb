"""A stack as NIfTI: its own voxels and geometry, unprocessed, with a side file and, of diffusion, b-values and directions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.data.nifti import Matrix, Nifti, affine_of, as_text, directions, encoded, signed
from gyrus.data.uptake import uptake_in
from gyrus.dicom.layouts import layout_of
from gyrus.dicom.pixels import stored_values, value_type, values_of
from gyrus.dicom.planes import Image, Layout, Plane, planes_of
from gyrus.dicom.stacks import LEAST_DIFFUSION

S_OF_MS: Final = 1e-3
# BIDS name, our field, factor: BIDS has seconds
NUMBERS: Final = (
    ("RepetitionTime", "repetition_time", S_OF_MS),
    ("EchoTime", "echo_time", S_OF_MS),
    ("InversionTime", "inversion_time", S_OF_MS),
    ("FlipAngle", "flip_angle", 1.0),
    ("MagneticFieldStrength", "magnetic_field_strength", 1.0),
    ("SliceThickness", "slice_thickness", 1.0),
    ("SpacingBetweenSlices", "spacing_between_slices", 1.0),
    ("ParallelReductionFactorInPlane", "parallel_reduction_factor_in_plane", 1.0),
    ("MultibandAccelerationFactor", "multiband_factor", 1.0),
    ("PartialFourier", "partial_fourier", 1.0),
    ("EchoTrainLength", "echo_train_length", 1.0),
)
TEXTS: Final = (
    ("Modality", "modality"),
    ("Manufacturer", "manufacturer"),
    ("ManufacturersModelName", "manufacturer_model_name"),
    ("SoftwareVersions", "software_versions"),
    ("SeriesDescription", "series_description"),
    ("ProtocolName", "protocol_name"),
    ("SequenceName", "sequence_name"),
    ("PulseSequenceName", "pulse_sequence_name"),
    ("ScanningSequence", "scanning_sequence"),
    ("SequenceVariant", "sequence_variant"),
    ("ScanOptions", "scan_options"),
    ("MRAcquisitionType", "mr_acquisition_type"),
    ("ImageType", "image_type"),
    ("SeriesNumber", "series_number"),
)
# What a direction in axes of the image means along columns, rows (turned round) and slices, by its source and the way of phase encoding.
# GE: frequency, phase, slice; Canon: phase, frequency, slice; United Imaging: column, row, normal. GE along rows is by description only.
Axes = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
_UIH: Final[Axes] = ((1, 0, 0), (0, -1, 0), (0, 0, 1))
IMAGE_AXES: Final[Mapping[tuple[str, str], Axes]] = {
    ("ge_private", "COL"): ((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ("ge_private", "ROW"): ((0, -1, 0), (-1, 0, 0), (0, 0, 1)),
    ("canon_comment", "COL"): ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ("canon_comment", "ROW"): ((1, 0, 0), (0, 1, 0), (0, 0, -1)),
    **{("uih_private", way): _UIH for way in ("COL", "ROW", "")},
}


def nifti_of(images: Sequence[Image]) -> dict[str, bytes]:
    """The files of a stack by their suffix: `.nii.gz`, `.json` and, of diffusion, `.bval` and `.bvec`. Raises Refused."""
    layout = layout_of(images)
    affine = affine_of(_steps(layout), layout.size[1])
    known = {**images[0].header.shared, **images[0].header.image}
    voxels, scale = _voxels(layout)
    repetition = float(known.get("repetition_time") or 0) * S_OF_MS if len(layout.volumes) > 1 else 0.0
    files = {".nii.gz": encoded(Nifti(voxels, affine, *scale, repetition_time_s=repetition)), ".json": _side_file(known, _uptake(images))}
    return files | _diffusion(layout, affine, known)


def _steps(layout: Layout) -> Matrix:
    """Steps of column, row and slice, and the origin, 3 × 4, LPS."""
    axes, sizes = layout.space.matrix, np.array(layout.space.spacing_mm)
    steps = axes * sizes
    steps[:, 2] += axes[:, :2] @ layout.shear_mm
    return np.column_stack([steps, layout.space.origin_mm])


def _voxels(layout: Layout) -> tuple[NDArray[Any], tuple[float, float]]:
    """(columns, rows, slices[, volumes]), rows turned round, and slope and intercept: stored numbers where all planes have one rescale."""
    planes = list(planes_of(layout))
    rescales = {(plane.slope, plane.intercept) for plane in planes}
    if len(rescales) == 1:
        volumes, scale = [stored_values(volume) for volume in layout.volumes], rescales.pop()
    else:
        kind = value_type(planes)
        volumes, scale = [values_of(volume, kind) for volume in layout.volumes], (1.0, 0.0)
    turned = [volume[:, ::-1].transpose(2, 1, 0) for volume in volumes]
    return (np.stack(turned, axis=-1) if len(turned) > 1 else turned[0]), scale


def _uptake(images: Sequence[Image]) -> dict[str, Any]:
    """Of PET: the SUV factor and what it was made from, or why there is none; BIDS has no name for it."""
    modality = {**images[0].header.shared, **images[0].header.image}.get("modality")
    return {"Uptake": uptake_in(images).document()} if modality == "PT" else {}


def _side_file(known: Mapping[str, Any], more: Mapping[str, Any]) -> bytes:
    numbers = ((name, known.get(field), factor) for name, field, factor in NUMBERS)
    said: dict[str, Any] = {name: round(value * factor, 9) for name, value, factor in numbers if isinstance(value, int | float)}
    said |= {name: known[field] for name, field in TEXTS if known.get(field) not in (None, "", [])}
    return json.dumps({**said, **more}, indent=2).encode() + b"\n"


def _diffusion(layout: Layout, affine: Matrix, known: Mapping[str, Any]) -> dict[str, bytes]:
    """b-values and directions, where a volume is weighted."""
    first = [volume[0] for volume in layout.volumes]
    b_values = [float(plane.known.get("diffusion_b_value_actual") or plane.known.get("diffusion_b_value") or 0.0) for plane in first]
    if len(first) < 2 or max(b_values) < LEAST_DIFFUSION:
        return {}
    vectors = np.array([_direction(plane) for plane in first])
    files = {".bval": as_text([b_values])}
    weighted = next(plane for plane in first if plane.known.get("diffusion_b_value"))
    if weighted.known.get("diffusion_frame") != "image":
        return files | {".bvec": as_text(directions(vectors, affine).T.tolist())}
    axes = IMAGE_AXES.get((str(weighted.known.get("diffusion_gradient_orientation_source")), _phase_encoding(known)))
    return files | ({".bvec": as_text(signed(vectors @ np.transpose(axes), affine).T.tolist())} if axes else {})


def _direction(plane: Plane) -> list[float]:
    """A unit vector, or zeros where an image is not weighted or has no direction."""
    vector = plane.known.get("diffusion_gradient_orientation")
    length = float(np.linalg.norm(vector)) if vector and len(vector) == 3 else 0.0
    if not vector or not length or not plane.known.get("diffusion_b_value"):
        return [0.0, 0.0, 0.0]
    return [part / length for part in vector]


def _phase_encoding(known: Mapping[str, Any]) -> str:
    return str(known.get("in_plane_phase_encoding_direction", ""))
