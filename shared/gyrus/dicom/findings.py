"""What is odd about the geometry of a stack, named: which slices are missing, which volumes lack which, what lies twice, which steps.

Lists are cut (`MOST_NAMED`), their counts are in the geometry beside them. An image is named by its SOPInstanceUID, a frame of one as
`UID#frame`. Positions are mm along the normal.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from gyrus.dicom.members import Member, StackImage
from gyrus.dicom.orientation import orientation_text
from gyrus.dicom.spacing import holes, steps_of
from gyrus.dicom.values import Value
from gyrus.dicom.volumes import Arrangement, has_place

MOST_NAMED = 20


def findings(
    images: Sequence[StackImage], members: Sequence[Member], found: Arrangement | None, shape: dict[str, Value]
) -> dict[str, Value]:
    """`missing`, `partial`, `repeated`, `steps`, `planes`: lists of what was found, absent where nothing was."""
    named: dict[str, list[dict[str, Value]]] = {}
    if shape["status"] == "mixed_orientation":
        return {"planes": _planes(members)[:MOST_NAMED]}
    if found is None:
        return {}
    names = [name_of(members[place]) for place in found.along]
    if shape["status"] == "missing_slices":
        named["missing"] = _missing(found.positions_mm, shape["slice_spacing_mm"], names)
    if shape["status"] == "variable_spacing":
        named["steps"] = _steps(found.positions_mm, names)
    named["partial"] = [_partial(volume.number, [found.positions_mm[slice_] for slice_ in volume.lacks]) for volume in found.partial]
    named["repeated"] = [_repeated(images, [members[place] for place in places], at) for at, places in found.repeated]
    return {name: entries[:MOST_NAMED] for name, entries in named.items() if entries}


def name_of(member: Member) -> str:
    """How an image is named."""
    return f"{member.sop}#{member.frame}" if member.frame else member.sop


def _missing(positions: Sequence[float], spacing_mm: float, names: Sequence[str]) -> list[dict[str, Value]]:
    """Holes: `slice`, the number of the first missing slice, from 1 and counting missing ones; `n` of them; where; between which two."""
    found = []
    earlier = 0
    for hole in holes(positions, spacing_mm):
        between = [names[hole.before], names[hole.before + 1]]
        found.append({"slice": hole.before + 2 + earlier, "n": hole.n, "at_mm": hole.at_mm(MOST_NAMED), "between": between})
        earlier += hole.n
    return found


def _steps(positions: Sequence[float], names: Sequence[str]) -> list[dict[str, Value]]:
    """The different steps, the most frequent first: size, count, and the two images between which it was first made."""
    first: dict[float, list[str]] = {}
    for (before, after), between in zip(pairwise(positions), pairwise(names), strict=True):
        first.setdefault(round(after - before, 2), list(between))
    return [{"mm": step, "n": count, "between": first[step]} for step, count in steps_of(positions)]


def _partial(number: int, lacks_mm: Sequence[float]) -> dict[str, Value]:
    return {"volume": number, "n_lacks": len(lacks_mm), "lacks_mm": [_mm(at) for at in lacks_mm[:MOST_NAMED]]}


def _repeated(images: Sequence[StackImage], members: Sequence[Member], at_mm: float) -> dict[str, Value]:
    """What lies in one place; whether the pixels are equal, where they were compared."""
    digests = [None if member.frame else images[member.image].get("pixels") for member in members]
    entry: dict[str, Value] = {"at_mm": _mm(at_mm), "n": len(members), "images": [name_of(member) for member in members[:MOST_NAMED]]}
    if None not in digests:
        entry["pixels"] = "equal" if len(set(digests)) == 1 else "different"
    return entry


def _planes(members: Sequence[Member]) -> list[dict[str, Value]]:
    counts = Counter(orientation_text(member.known["image_orientation_patient"]) for member in members if has_place(member))
    ordered = sorted(counts.items(), key=lambda plane: (-plane[1], plane[0]))
    return [{"orientation": text, "n": count} for text, count in ordered]


def _mm(position: float) -> float:
    return round(position, 3) + 0.0
