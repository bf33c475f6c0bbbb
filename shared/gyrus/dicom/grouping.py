"""What labels the volumes of a stack: elements that are the same all over a volume and differ from the next one.

No element does so for every maker, and some lie: a temporal position may hold several directions of diffusion, and a writer may number
all volumes 1. So a label counts only where it tells all images of every position apart, with as many labels as there are volumes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gyrus.dicom.members import Member
from gyrus.dicom.values import Value

Label = Callable[[Member], Any]
Clusters = list[list[int]]  # places of the images at each position
Group = dict[int, int]  # slice, from 0, to place: one volume, perhaps not whole

GROUPING_FIELDS = (
    "diffusion_b_value",
    "diffusion_gradient_orientation",
    "temporal_position_identifier",
    "acquisition_number",
    "acquisition_date_time",
    "acquisition_time",
    "content_time",
    "trigger_time",
    "asl_context",
    "philips_cardiac_phase",
    "philips_b_value_number",
    "philips_gradient_number",
)


def temporal(member: Member) -> int:
    """The temporal position; -1 where there is none."""
    return _number(member, "temporal_position_identifier")


def weighting(member: Member) -> tuple[float, tuple[float, ...]]:
    """b-value (absent is 0, as makers leave it out where others of the stack have one) and direction."""
    direction: Value = member.known.get("diffusion_gradient_orientation") or ()
    b_value = member.known.get("diffusion_b_value") or 0.0
    return round(b_value, 1), tuple(round(part, 3) + 0.0 for part in direction) if b_value else ()


def asl_label(member: Member) -> str:
    """Label, control or M0 of arterial spin labelling."""
    return str(member.known.get("asl_context") or "")


def cardiac_phase(member: Member) -> int:
    """The number of the phase; Philips (2001,xx08)."""
    return _number(member, "philips_cardiac_phase")


def _philips(member: Member) -> tuple[Any, ...]:
    """The maker's own count of b-values and directions, (2005,xx12) and (2005,xx13), with label and phase."""
    counts = (_number(member, name) for name in ("philips_b_value_number", "philips_gradient_number"))
    return (*counts, asl_label(member), cardiac_phase(member))


def _acquisition(member: Member) -> int:
    return _number(member, "acquisition_number")


def _content_time(member: Member) -> str:
    return str(member.known.get("content_time") or "")


def _object(member: Member) -> Any:
    """One enhanced object a volume."""
    return member.rank[0] if member.frame else 0


def _nothing(member: Member) -> int:
    return 0


def _number(member: Member, name: str) -> int:
    value = member.known.get(name)
    return -1 if value is None else int(value)


CHECKS: tuple[Label, ...] = (weighting, temporal)  # the same all over a volume, in any stack
PERHAPS_CHECKS: tuple[Label, ...] = (_acquisition, asl_label, cardiac_phase)  # where they are labels at all
FALLBACKS: tuple[Label, ...] = (_nothing, temporal, weighting, _philips, _acquisition, _content_time)
_LABELS: tuple[Label, ...] = (temporal, weighting, _philips, _acquisition, _object)


def labelled(members: Sequence[Member], clusters: Clusters, by: Label) -> list[Group] | None:
    """The volumes that a label makes, in the order of their numbers; None if it does not tell the images apart."""
    groups: dict[Any, Group] = {}
    for slice_, cluster in enumerate(clusters):
        for place in cluster:
            group = groups.setdefault(by(members[place]), {})
            if slice_ in group:
                return None
            group[slice_] = place
    if len(groups) != max(len(cluster) for cluster in clusters):
        return None
    common = next((slice_ for slice_, cluster in enumerate(clusters) if len(cluster) == len(groups)), 0)
    return sorted(groups.values(), key=lambda group: members[group[common]].rank)


def told_apart(members: Sequence[Member], clusters: Clusters) -> tuple[list[Group], bool]:
    """The volumes of a stack in which some lack slices, and whether that is sure: told by a label, by the numbers, else by rank."""
    labels = [*_LABELS, *_numberings(members, clusters)]
    for by in labels:
        if groups := labelled(members, clusters, by):
            return groups, True
    whole = max(len(cluster) for cluster in clusters)
    groups = [{s: cluster[rank] for s, cluster in enumerate(clusters) if rank < len(cluster)} for rank in range(whole)]
    return groups, False


def _numberings(members: Sequence[Member], clusters: Clusters) -> Iterable[Label]:
    """Instance numbers that run slice by slice through each volume, or volume by volume through each slice; lost images leave holes."""
    numbers = [member.known["instance_number"] for member in members if "instance_number" in member.known]
    if len(numbers) < len(members) or any(member.frame for member in members):
        return
    slices, volumes = len(clusters), max(len(cluster) for cluster in clusters)
    for first in dict.fromkeys((1, min(numbers))):
        yield _numbered(first, lambda number: number // slices)
        yield _numbered(first, lambda number: number % volumes)


def _numbered(first: int, volume_of: Callable[[int], int]) -> Label:
    return lambda member: volume_of(member.known["instance_number"] - first)


def without_repeats(members: Sequence[Member], clusters: Clusters) -> tuple[Clusters, list[tuple[int, list[int]]]]:
    """The clusters without images that repeat another one; and those by slice, each behind the one that it repeats.

    An image repeats another if nothing that could make it part of another volume differs, and it has the same number or is the only
    one too many. (Several that are numbered on are the beginning of a volume that was cut.)
    """
    sizes = Counter(len(cluster) for cluster in clusters)
    is_alone = sizes[1] == len(clusters) - 1 and sizes[2] == 1
    kept: Clusters = []
    repeated: list[tuple[int, list[int]]] = []
    for slice_, cluster in enumerate(clusters):
        alike: dict[Any, list[int]] = {}
        for place in cluster:
            alike.setdefault((_identity(members[place]), None if is_alone else _numbering(members[place])), []).append(place)
        kept.append([places[0] for places in alike.values()])
        repeated += [(slice_, places) for places in alike.values() if len(places) > 1]
    return (kept, repeated) if repeated else (clusters, [])


def _numbering(member: Member) -> tuple[Any, int]:
    number = member.known.get("instance_number")
    return (member.sop if number is None else number, member.frame)


def _identity(member: Member) -> tuple[Any, ...]:
    return weighting(member), temporal(member), _acquisition(member), _philips(member)
