"""What changes inside a stack: ranges of what must not split it, and how many values its axes have."""

from gyrus.dicom.members import Votes
from gyrus.dicom.merge import hashable
from gyrus.dicom.values import Value

# Numbers that change inside one acquisition and are therefore not in the key (docs/decisions/0016-what-is-not-in-the-stack-key.md).
RANGE_FIELDS = (
    "x_ray_tube_current",
    "exposure",
    "exposure_time",
    "ctdi_vol",
    "repetition_time",
    "echo_train_length",
    "acquisition_number",
    "trigger_time",
    "rescale_slope",
    "frame_reference_time",
    "actual_frame_duration",
    "decay_factor",
)
COUNTED_FIELDS = (
    "echo_time",
    "inversion_time",
    "flip_angle",
    "diffusion_b_value",
    "temporal_position_identifier",
    "frame_reference_time",
)


def ranges(votes: Votes) -> dict[str, Value]:
    """Smallest and greatest value of each number that changes inside a stack, in the unit of its field; fields nobody has are absent."""
    found = {name: [value for value in _values(votes, name) if isinstance(value, int | float)] for name in RANGE_FIELDS}
    return {name: [min(values), max(values)] for name, values in found.items() if values}


def n_distinct(votes: Votes) -> dict[str, int]:
    """How many different values the images give for what makes contrast and time; fields nobody has are absent."""
    found = {name: len({hashable(value) for value in _values(votes, name)}) for name in COUNTED_FIELDS}
    return {name: count for name, count in found.items() if count}


def _values(votes: Votes, name: str) -> list[Value]:
    return [value for _, value, _ in votes.of(name) if value is not None]
