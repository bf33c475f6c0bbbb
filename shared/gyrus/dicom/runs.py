"""Stretches of elements that the files of one scanner repeat: the same tags, VRs and lengths, one behind the other.

A file whose bytes have all the heads of such a run at their places holds these very elements, so that one comparison stands for a walk
from element to element; what was checked when the run was learned (order, VRs, lengths) holds for it as well. A run that does not hold
is cut where it failed. So runs come to begin at the elements whose length changes from image to image.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

LONGEST_VALUE = 1 << 10  # bytes; a longer value ends a run
LONGEST_RUN = 1 << 12  # bytes
HEAD = 8  # bytes: tag, VR and short length, by which a run is found

SHORTEST_RUN = 4  # elements
MOST_LAYOUTS = 1 << 8
MOST_KEPT = 1 << 16  # elements and values; then all is forgotten and learned anew
LONG_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))  # PS3.5 table 7.1-1

Read = Callable[[int, int], bytes]
Place = tuple[str | None, int, int]  # VR (None in implicit files), first byte of the value, its length


@dataclass(frozen=True, slots=True)
class Seen:
    """An element that was walked over: the bytes before its value, and what they say."""

    head: bytes
    tag: int
    vr: str | None
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Elements of known heads. `steady`: those of them whose values rarely change; places count from the run's first byte."""

    elements: tuple[Seen, ...]
    first: int
    last: int
    size: int
    heads: Struct
    expected: tuple[bytes, ...]
    places: dict[int, Place]
    steady: Struct
    steady_tags: tuple[tuple[int, str | None], ...]
    moving: tuple[int, ...]
    facts: dict[tuple[bytes, ...], Any] = field(default_factory=dict)


class Runs:
    """The runs that were learned so far, by the head of their first element. No sequence is in one, and no tag of `apart`."""

    def __init__(self, steady: Collection[int], moving: Collection[int], apart: Collection[int]) -> None:
        self._steady, self._moving, self._apart = steady, moving, apart
        self.by_head: dict[bytes, Run] = {}
        self.sequences: dict[int, bytes] = {}
        self._layouts: dict[tuple[Run, ...], dict[int, tuple[int, Place]]] = {}
        self._kept = 0

    def learn(self, places: Mapping[int, Place], read: Read) -> None:
        """Remember elements that follow each other. places: of the elements that no run held, in their order."""
        stretch: list[tuple[int, Place]] = []
        end = -1
        for tag, place in places.items():
            vr, start, length = place
            may_join = length <= LONGEST_VALUE and vr != "SQ" and tag not in self._apart
            if not may_join or start - (12 if vr in LONG_VRS else 8) != end:
                if len(stretch) >= SHORTEST_RUN:
                    self._remember(stretch, read)
                stretch = []
            if may_join:
                stretch.append((tag, place))
            end = start + length
        if len(stretch) >= SHORTEST_RUN:
            self._remember(stretch, read)

    def layout(self, runs: tuple[Run, ...]) -> dict[int, tuple[int, Place]]:
        """Where each tag lies in some runs that a file holds: the number of the run, and the place in it."""
        found = self._layouts.get(runs)
        if found is None:
            found = {tag: (number, place) for number, run in enumerate(runs) for tag, place in run.places.items()}
            if len(self._layouts) > MOST_LAYOUTS:
                self._layouts.clear()
            self._layouts[runs] = found
        return found

    def cut(self, run: Run, data: bytes, index: int) -> None:
        """Shorten a run to the elements that do stand at `index`."""
        there = run.heads.unpack_from(data, index)
        count = next(place for place, (head, other) in enumerate(zip(there, run.expected, strict=True)) if head != other)
        del self.by_head[run.elements[0].head[:HEAD]]
        if count > 1:
            self._add(run.elements[:count])

    def _remember(self, stretch: list[tuple[int, Place]], read: Read) -> None:
        part: list[Seen] = []
        size = 0
        for tag, (vr, start, length) in stretch:
            head = 12 if vr in LONG_VRS else 8
            part.append(Seen(read(start - head, head), tag, vr, length))
            size += head + length
            if size > LONGEST_RUN:
                self._add(tuple(part))
                part, size = [], 0
        if part:
            self._add(tuple(part))

    def keep(self, run: Run, values: tuple[bytes, ...], facts: Any) -> None:
        """Remember what the steady elements of a run say in these bytes."""
        self._grow(len(values))
        run.facts[values] = facts

    def keep_sequence(self, tag: int, content: bytes) -> None:
        """Remember the bytes of a sequence of undefined length that was walked to its end."""
        self._grow(1)
        self.sequences[tag] = content

    def _grow(self, by: int) -> None:
        self._kept += by
        if self._kept > MOST_KEPT:
            self._kept = 0
            for known in (self.by_head, self.sequences, self._layouts):
                known.clear()

    def _add(self, part: tuple[Seen, ...]) -> None:
        self._grow(len(part))
        self.by_head.setdefault(part[0].head[:HEAD], self._run(part))

    def _run(self, part: tuple[Seen, ...]) -> Run:
        places: dict[int, Place] = {}
        position = 0
        for seen in part:
            places[seen.tag] = (seen.vr, position + len(seen.head), seen.length)
            position += len(seen.head) + seen.length
        steady = [seen.tag in self._steady or is_creator(seen.tag) for seen in part]
        kept = "".join(f"{len(s.head)}x{s.length}{'s' if is_steady else 'x'}" for s, is_steady in zip(part, steady, strict=True))
        return Run(
            part,
            part[0].tag,
            part[-1].tag,
            position,
            Struct("<" + "".join(f"{len(seen.head)}s{seen.length}x" for seen in part)),
            tuple(seen.head for seen in part),
            places,
            Struct("<" + kept),
            tuple((seen.tag, seen.vr) for seen, is_steady in zip(part, steady, strict=True) if is_steady),
            tuple(seen.tag for seen in part if seen.tag in self._moving),
        )


def is_creator(tag: int) -> bool:
    """Whether an element reserves a block of private elements (PS3.5 section 7.8.1)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF
