"""What a stack is as a whole: counts, geometry, completeness and fingerprint, a function of the set of its images."""

from collections.abc import Sequence

from gyrus.dicom.completeness import completeness
from gyrus.dicom.findings import findings
from gyrus.dicom.geometry import GEOMETRY_FIELDS, geometry
from gyrus.dicom.keys import kind_of, parsed_key, stack_key
from gyrus.dicom.members import Member, StackImage, Votes, members_of
from gyrus.dicom.merge import most_weighty
from gyrus.dicom.spread import n_distinct, ranges
from gyrus.dicom.values import Value
from gyrus.dicom.volumes import arranged

__all__ = ["describe", "kind_of", "stack_key"]

# What classification reads, in the spelling of its rules.
FINGERPRINT_FIELDS = [
    "modality",
    "manufacturer",
    "manufacturer_model_name",
    "magnetic_field_strength",
    "sop_class_name",
    "study_description",
    "series_description",
    "protocol_name",
    "body_part_examined",
    "image_comments",
    "image_type",
    "scanning_sequence",
    "sequence_variant",
    "scan_options",
    "sequence_name",
    "pulse_sequence_name",
    "ge_pulse_sequence",
    "ge_sequence_family",
    "philips_scan_technique",
    "mr_acquisition_type",
    "angio_flag",
    "repetition_time",
    "echo_time",
    "inversion_time",
    "flip_angle",
    "echo_train_length",
    "rf_echo_train_length",
    "gradient_echo_train_length",
    "echo_numbers",
    "diffusion_directionality",
    "parallel_acquisition",
    "parallel_acquisition_technique",
    "parallel_reduction_factor_in_plane",
    "parallel_reduction_factor_out_of_plane",
    "multiband_factor",
    "partial_fourier",
    "inversion_recovery",
    "spoiling",
    "t2_preparation",
    "flow_compensation",
    "spectrally_selected_excitation",
    "magnetization_transfer",
    "blood_signal_nulling",
    "echo_pulse_sequence",
    "phase_contrast",
    "time_of_flight_contrast",
    "steady_state_pulse_sequence",
    "echo_planar_pulse_sequence",
    "saturation_recovery",
    "spectrally_selected_suppression",
    "arterial_spin_labeling_contrast",
    "geometry_of_k_space_traversal",
    "complex_image_component",
    "acquisition_contrast",
    "volumetric_properties",
    "volume_based_calculation_technique",
    "asl_context",
    "contrast_bolus_agent",
    "contrast_bolus_route",
    "contrast_bolus_volume",
    "contrast_bolus_total_dose",
    "contrast_bolus_start_time",
    "contrast_flow_rate",
    "contrast_flow_duration",
    "derivation_description",
    "kvp",
    "convolution_kernel",
    "exposure_time",
    "x_ray_tube_current",
    "revolution_time",
    "filter_type",
    "slice_thickness",
    "units",
    "counts_source",
    "series_type",
    "suv_type",
    "reconstruction_method",
    "attenuation_correction_method",
    "decay_correction",
    "corrected_image",
    "radiopharmaceutical",
    "radionuclide",
    "radionuclide_total_dose",
    "radionuclide_half_life",
    "burned_in_annotation",
]

LEAST_DIFFUSION = 50  # s/mm²; smaller values are written on images that are not diffusion-weighted


def describe(key: str, images: Sequence[StackImage], n_orientations: int = 1) -> dict[str, Value]:
    """Describe the stack `key`.

    images, in any order: {"sop", "shared", "image", "frames", "n"} of each, and `pixels`, the digest of its pixels, where it is known.
    n_orientations: of the stacks of its series; where there are several, the scanner's number of slices counts those of all of them.
    """
    images = sorted(images, key=lambda image: image["sop"])
    votes = Votes(images)
    members = members_of(images, (*GEOMETRY_FIELDS, "pixel_data_truncated", "image_type", "diffusion_directionality"))
    found = arranged(members)
    shape = geometry(members, found)
    shape |= findings(images, members, found, shape)
    announced = _announced_slices(votes) if n_orientations == 1 else None
    b_values = shells(members)
    n_images = sum(image["n"] for image in images)
    n_volumes = shape["n_volumes"]
    return {
        "modality": parsed_key(key)["MODALITY"],
        "n_files": len({image["sop"] for image in images}),
        "n_images": n_images,
        "b_values": b_values,
        "n_volumes": n_volumes,
        "orientation": parsed_key(key).get("ORIENT", "UNK"),
        "geometry": shape,
        "completeness": completeness(shape, announced, _n_truncated(members), found is None or found.is_sure),
        "ranges": ranges(votes),
        "n_distinct": n_distinct(votes),
        "fingerprint": fingerprint(votes) | _counted(b_values, n_images, n_volumes),
    }


def shells(members: Sequence[Member]) -> list[float]:
    """The b-values (s/mm²) of a diffusion stack, ascending; empty for other stacks, on which makers write b = 0 as well."""
    is_diffusion = any(
        (member.known.get("diffusion_b_value") or 0) >= LEAST_DIFFUSION
        or member.known.get("diffusion_directionality") not in (None, "NONE")
        or "DIFFUSION" in (member.known.get("image_type") or [])
        for member in members
    )
    values = [member.known.get("diffusion_b_value") for member in members]
    if not is_diffusion or all(value is None for value in values):
        return []
    return sorted({shell(value or 0.0) for value in values})  # where others have one, makers leave out b = 0 (Toshiba)


def shell(b_value: float) -> float:
    """The b-value that was meant (s/mm²): below 20 it is 0, below 500 a multiple of 50, above of 100."""
    if b_value < 20:
        return 0.0
    step = 50 if b_value < 500 else 100
    return float(step * round(b_value / step))


def fingerprint(votes: Votes) -> dict[str, Value]:
    """The most frequent value of each field that classification reads; several values are joined by a backslash."""
    found = {}
    for name in FINGERPRINT_FIELDS:
        value = most_weighty(votes.of(name))
        if value is not None:
            found[name] = "\\".join(str(part) for part in value) if isinstance(value, list) else value
    return found


def _counted(b_values: list[float], n_images: int, n_volumes: int | None) -> dict[str, Value]:
    counted: dict[str, Value] = {"n_instances": n_images}
    if n_volumes is not None:
        counted["n_temporal_positions"] = n_volumes
    if b_values:
        counted["diffusion_b_value"] = max(b_values)
    return counted


def _announced_slices(votes: Votes) -> int | None:
    """How many slices the scanner says that a volume has (PET, Philips)."""
    counts = [most_weighty(votes.of(name)) for name in ("number_of_slices", "philips_slices")]
    return next((count for count in counts if count), None)


def _n_truncated(members: Sequence[Member]) -> int:
    return len({member.sop for member in members if member.known.get("pixel_data_truncated")})
