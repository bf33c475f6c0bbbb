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


def votes(images: Sequence[StackImage], name: str) -> Iterator[tuple[str, Value, int]]:
    """(sop, value, number of images that have it) of one field over a stack."""
    for image in images:
        columns = frame_columns(image, [name])
        if name in columns and image.get("frames"):
            values = columns[name]
            yield from ((image["sop"], values[frame - 1], 1) for frame in frame_numbers(image["frames"]) if frame <= len(values))
        else:
            both = image["image"] if name in image["image"] else image["shared"]
            yield image["sop"], both.get(name), image["n"]
