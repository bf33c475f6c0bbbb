"""How the images of a stack lie in space and make volumes: positions along the normal, and the rank of an image at its position.

The volume of an image is its rank among the images of the same position, ordered by (instance number, frame). Other elements only
check that and name what runs along the volumes; acquisition times differ from slice to slice and group nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.dicom.members import Member
from gyrus.dicom.orientation import Vector, dot, normal_of
from gyrus.dicom.values import Value

SAME_POSITION_MM = 0.01
SAME_COSINE = 1e-3
FARTHEST_MM = 1e6  # a position beyond this is damage, not a place in a scanner
MOST_TILES = 4096
VOLUME_FIELDS = (
    "image_position_patient",
    "image_orientation_patient",
    "diffusion_b_value",
    "diffusion_gradient_orientation",
    "temporal_position_identifier",
    "trigger_time",
    "asl_context",
    "tile_count",
    "tile_positions",
)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Places (in the list of members) of volumes × slices, ascending along the normal.

    positions_mm: one for each slice; extra: places of images beyond the last whole volume; is_sure: each volume has one b-value and
    direction, and one temporal position.
    """

    volumes: list[list[int]]
    positions_mm: list[float]
    extra: list[int]
    is_sure: bool


def is_mixed(members: Sequence[Member]) -> bool:
    """Whether the planes of a stack are not parallel."""
    first = members[0].known["image_orientation_patient"]
    return any(
        abs(one - other) > SAME_COSINE
        for member in members[1:]
        for one, other in zip(member.known["image_orientation_patient"], first, strict=True)
    )


def has_place(member: Member) -> bool:
    """Whether an image says where it lies."""
    position = member.known.get("image_position_patient") or (member.known.get("tile_positions") or [])[:3]
    is_point = isinstance(position, list) and len(position) == 3 and all(abs(part) < FARTHEST_MM for part in position)
    return is_point and normal_of(member.known.get("image_orientation_patient")) is not None


def tiles_of(known: dict[str, Value]) -> int:
    """The number of slices that lie as tiles in one image; 0 for an ordinary one."""
    count = known.get("tile_count") or 0
    return count if 0 < count <= MOST_TILES else 0


def arranged(members: Sequence[Member]) -> Arrangement | None:
    """Volumes × slices of a stack, or None if its images do not lie in parallel planes. Tiled images are a volume each."""
    if not members:
        return None
    if tiles_of(members[0].known) or len(members) == 1:
        return _one_volume_each(members)
    if not all(has_place(member) for member in members) or is_mixed(members):
        return None
    clusters, positions = _clusters(members)
    fallbacks: tuple[Callable[[Member], Any], ...] = (_number, _temporal, _weighting)
    candidates = [_ranked(members, clusters, positions, by) for by in fallbacks]
    return next((candidate for candidate in candidates if candidate.is_sure), candidates[0])


def _one_volume_each(members: Sequence[Member]) -> Arrangement:
    by_rank = sorted(range(len(members)), key=lambda place: members[place].rank)
    return Arrangement([[place] for place in by_rank], [0.0], [], is_sure=True)


def _clusters(members: Sequence[Member]) -> tuple[list[list[int]], list[float]]:
    """Places of the images at each position along the normal, and the position itself (mean, mm)."""
    reference = min(members, key=lambda member: (member.sop, member.frame))
    normal: Vector = normal_of(reference.known["image_orientation_patient"]) or (0.0, 0.0, 1.0)
    along = sorted(
        (dot(member.known["image_position_patient"], normal), member.sop, member.frame, place) for place, member in enumerate(members)
    )
    clusters: list[list[int]] = []
    sums: list[float] = []
    last = float("-inf")
    for position, _, _, place in along:
        if position - last < SAME_POSITION_MM:
            clusters[-1].append(place)
            sums[-1] += position
        else:
            clusters.append([place])
            sums.append(position)
        last = position
    return clusters, [total / len(cluster) for total, cluster in zip(sums, clusters, strict=True)]


def _ranked(members: Sequence[Member], clusters: list[list[int]], positions: list[float], by: Callable[[Member], Any]) -> Arrangement:
    ordered = [sorted(cluster, key=lambda place: (by(members[place]), members[place].rank)) for cluster in clusters]
    whole = min(len(cluster) for cluster in ordered)
    volumes = [[cluster[rank] for cluster in ordered] for rank in range(whole)]
    extra = [place for cluster in ordered for place in cluster[whole:]]
    return Arrangement(volumes, positions, extra, all(_is_of_one_kind(members, volume) for volume in volumes))


def _is_of_one_kind(members: Sequence[Member], volume: list[int]) -> bool:
    checks: tuple[Callable[[Member], Any], ...] = (_weighting, _temporal)
    return all(len({check(members[place]) for place in volume}) == 1 for check in checks)


def _number(member: Member) -> int:
    return 0


def _temporal(member: Member) -> int:
    value = member.known.get("temporal_position_identifier")
    return -1 if value is None else int(value)


def _weighting(member: Member) -> tuple[float, tuple[float, ...]]:
    """b-value (absent is 0, as makers leave it out where others of the stack have one) and direction."""
    direction: Value = member.known.get("diffusion_gradient_orientation") or ()
    b_value = member.known.get("diffusion_b_value") or 0.0
    return round(b_value, 1), tuple(round(part, 3) + 0.0 for part in direction) if b_value else ()


def volumes_axis(members: Sequence[Member], volumes: list[list[int]]) -> str | None:
    """What changes from volume to volume: `diffusion`, `asl_label`, `cardiac_phase`, `time`, or `repetition`; None for one volume."""
    if len(volumes) < 2:
        return None
    first = [members[volume[0]] for volume in volumes]
    if len({_weighting(member) for member in first}) > 1:
        return "diffusion"
    if len({member.known.get("asl_context") for member in first}) > 1:
        return "asl_label"
    if len({member.known.get("trigger_time") for member in first}) > 1:
        return "cardiac_phase"
    return "time" if len({_temporal(member) for member in first}) > 1 else "repetition"
