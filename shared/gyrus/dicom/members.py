"""The images of a stack one by one: classic images, mosaics, and frames of enhanced objects alike.

An image of a stack is given as {"sop", "shared", "image", "frames": `1-33` or None, "n"}.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.dicom.columns import frame_numbers, unpacked
from gyrus.dicom.values import Value

StackImage = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One image or frame. `image` is its place in the given list, `frame` counts from 1 and is 0 for a classic image."""

    image: int
    sop: str
    frame: int
    known: dict[str, Value]

    @property
    def rank(self) -> tuple[float, int, str]:
        """The order in which a scanner numbers what it makes; images without a number come last."""
        number = self.known.get("instance_number")
        return (float("inf") if number is None else number, self.frame, self.sop)


def members_of(images: Sequence[StackImage], names: Iterable[str]) -> list[Member]:
    """All images and frames of a stack in the given order, frames ascending, each with the wanted fields that it has."""
    wanted = {"instance_number", *names}
    return [member for place, image in enumerate(images) for member in _members(place, image, wanted)]


def _members(place: int, image: StackImage, wanted: set[str]) -> Iterator[Member]:
    both = {**image["shared"], **image["image"]}
    known = {name: both[name] for name in wanted if name in both}
    if not image.get("frames"):
        yield Member(place, image["sop"], 0, known)
        return
    columns = frame_columns(image, wanted)
    for frame in frame_numbers(image["frames"]):
        own = {name: values[frame - 1] for name, values in columns.items() if frame <= len(values)}
        yield Member(place, image["sop"], frame, {**known, **own})


def frame_columns(image: StackImage, wanted: Iterable[str]) -> dict[str, list[Value]]:
    """The wanted columns of an enhanced object, one value a frame."""
    columns = image["image"].get("frames", {}).get("columns", {})
    return {name: unpacked(columns[name]) for name in wanted if name in columns}


class Votes:
    """What the images of a stack say of each field: (sop, value, number of images that have it).

    Images that share a header block vote as one in what only the block says, with the smallest SOPInstanceUID: most fields of most stacks.
    """

    def __init__(self, images: Sequence[StackImage]) -> None:
        self._images = images
        self._own: set[str] = set()
        blocks: dict[int, tuple[str, Mapping[str, Value], int]] = {}
        for image in images:
            self._own.update(image["image"], image["image"].get("frames", {}).get("columns", ()))
            sop, shared, n = blocks.get(id(image["shared"]), (image["sop"], image["shared"], 0))
            blocks[id(shared)] = (min(sop, image["sop"]), shared, n + image["n"])
        self._blocks = list(blocks.values())

    def of(self, name: str) -> Iterator[tuple[str, Value, int]]:
        """The votes on one field."""
        if name not in self._own:
            yield from ((sop, shared.get(name), n) for sop, shared, n in self._blocks)
            return
        for image in self._images:
            values = frame_columns(image, [name]).get(name) if image.get("frames") else None
            if values is not None:
                yield from ((image["sop"], values[frame - 1], 1) for frame in frame_numbers(image["frames"]) if frame <= len(values))
            else:
                both = image["image"] if name in image["image"] else image["shared"]
                yield image["sop"], both.get(name), image["n"]
