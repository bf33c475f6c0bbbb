"""How the images of a stack lie in space and make volumes: positions along the normal, and the rank of an image at its position.

The volume of an image is its rank among the images of the same position, ordered by (instance number, frame). Other elements check
that, name what runs along the volumes, and tell which volume lacks a slice; acquisition times differ from slice to slice and group
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gyrus.dicom import grouping
from gyrus.dicom.grouping import Clusters, Label
from gyrus.dicom.members import Member
from gyrus.dicom.orientation import Vector, dot, normal_of

SAME_POSITION_MM = 0.01
SAME_COSINE = 1e-3
FARTHEST_MM = 1e6  # a position beyond this is damage, not a place in a scanner
MOST_TILES = 4096
VOLUME_FIELDS = ("image_position_patient", "image_orientation_patient", "tile_count", "tile_positions", *grouping.GROUPING_FIELDS)


@dataclass(frozen=True, slots=True)
class Partial:
    """A volume that lacks slices. number: its place among all volumes, from 1; lacks: slices from 0; places: of the images it has."""

    number: int
    lacks: list[int]
    places: list[int]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Places (in the list of members) of volumes × slices, ascending along the normal.

    positions_mm: one for each slice; along: a place for each. extra: places of images that are in no whole volume; is_sure: each
    volume has one b-value and direction, and one temporal position. partial: the volumes that the extra images make. repeated: position
    (mm) and places of images that lie where another lies, first, and differ from it in nothing that could make them another volume.
    """

    volumes: list[list[int]]
    positions_mm: list[float]
    along: list[int]
    extra: list[int] = field(default_factory=list)
    is_sure: bool = True
    partial: list[Partial] = field(default_factory=list)
    repeated: list[tuple[float, list[int]]] = field(default_factory=list)


def is_mixed(members: Sequence[Member]) -> bool:
    """Whether the planes of a stack are not parallel."""
    first = members[0].known["image_orientation_patient"]
    return any(not is_parallel(member.known["image_orientation_patient"], first) for member in members[1:])


def is_parallel(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two orientations of six cosines are the same plane."""
    return all(abs(left - right) <= SAME_COSINE for left, right in zip(one, other, strict=True))


def has_place(member: Member) -> bool:
    """Whether an image says where it lies."""
    tiles = member.known.get("tile_positions") if tiles_of(member.known) else None
    position = member.known.get("image_position_patient") or (tiles or [])[:3]
    is_point = isinstance(position, list) and len(position) == 3 and all(abs(part) < FARTHEST_MM for part in position)
    return is_point and normal_of(member.known.get("image_orientation_patient")) is not None


def tiles_of(known: dict[str, Any]) -> int:
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
    if len({len(cluster) for cluster in clusters}) == 1:
        return _even(members, clusters, positions)
    return _uneven(members, clusters, positions)


def _one_volume_each(members: Sequence[Member]) -> Arrangement:
    by_rank = sorted(range(len(members)), key=lambda place: members[place].rank)
    return Arrangement([[place] for place in by_rank], [0.0], by_rank[:1])


def _clusters(members: Sequence[Member]) -> tuple[Clusters, list[float]]:
    """Places of the images at each position along the normal, by rank, and the position itself (mean, mm)."""
    reference = min(members, key=lambda member: (member.sop, member.frame))
    normal: Vector = normal_of(reference.known["image_orientation_patient"]) or (0.0, 0.0, 1.0)
    along = sorted(
        (dot(member.known["image_position_patient"], normal), member.sop, member.frame, place) for place, member in enumerate(members)
    )
    clusters: Clusters = []
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
    means = [total / len(cluster) for total, cluster in zip(sums, clusters, strict=True)]
    return [sorted(cluster, key=lambda place: members[place].rank) for cluster in clusters], means


# ── every position has as many images ────────────────────────────────────────────────────────────────────────────────


def _even(members: Sequence[Member], clusters: Clusters, positions: list[float]) -> Arrangement:
    checks = [*grouping.CHECKS, *(by for by in grouping.PERHAPS_CHECKS if grouping.labelled(members, clusters, by))]
    candidates = (_ranked(members, clusters, by) for by in grouping.FALLBACKS)
    first: list[list[int]] = []
    for volumes in candidates:
        first = first or volumes
        if _are_of_one_kind(members, volumes, checks):
            return Arrangement(volumes, positions, volumes[0])
    return Arrangement(first, positions, first[0], is_sure=False)


def _ranked(members: Sequence[Member], clusters: Clusters, by: Label) -> list[list[int]]:
    ordered = [sorted(cluster, key=lambda place: (by(members[place]), members[place].rank)) for cluster in clusters]
    return [list(volume) for volume in zip(*ordered, strict=True)]


def _are_of_one_kind(members: Sequence[Member], volumes: list[list[int]], checks: Sequence[Label]) -> bool:
    return all(len({check(members[place]) for place in volume}) == 1 for volume in volumes for check in checks)


# ── some positions have more images than others ──────────────────────────────────────────────────────────────────────


def _uneven(members: Sequence[Member], clusters: Clusters, positions: list[float]) -> Arrangement:
    """Copies are set aside; then the images that are left are told apart by what labels a volume, else by their rank alone."""
    clusters, repeats = grouping.without_repeats(members, clusters)
    repeated = [(positions[slice_], places) for slice_, places in repeats]
    if len({len(cluster) for cluster in clusters}) == 1:
        return replace(_even(members, clusters, positions), repeated=repeated)
    groups, is_sure = grouping.told_apart(members, clusters)
    volumes = [[group[slice_] for slice_ in range(len(clusters))] for group in groups if len(group) == len(clusters)]
    partial = [
        Partial(number, [slice_ for slice_ in range(len(clusters)) if slice_ not in group], sorted(group.values()))
        for number, group in enumerate(groups, 1)
        if len(group) < len(clusters)
    ]
    extra = sorted(place for volume in partial for place in volume.places)
    is_sure = is_sure and _are_of_one_kind(members, volumes, grouping.CHECKS)
    along = volumes[0] if volumes else [cluster[0] for cluster in clusters]
    return Arrangement(volumes, positions, along, extra, is_sure, partial, repeated)
