"""What the files of one mould say. What follows from bytes that were seen before is not worked out again.

Every element in a hole that a header was asked for is part of the key under which its answer is kept: all its bytes, or what a reader made
of them if they were given to that reader alone. What a header was not asked for cannot change the answer. Only the elements of the image
that make a field of their own, and nothing else – number, position, time of an image –, are left out of the key where they have a value
without fault: their values are put into the answer that is kept.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from gyrus.dicom.announce import PixelsAt
from gyrus.dicom.derived import acquisition_date_time
from gyrus.dicom.dictionary import is_creator
from gyrus.dicom.elements import Blocks, Elements, Notes, Told, plain_value, plain_vr
from gyrus.dicom.field import Field, Table
from gyrus.dicom.judging import PIXEL_REPRESENTATION, Failure, Parsed, is_well_formed, judged
from gyrus.dicom.keys import KEY_FIELDS
from gyrus.dicom.moulds import Cast, Fit, Mould
from gyrus.dicom.values import Value
from gyrus.dicom.vendors import IN_A_SERIES

MOST_ANSWERS = 32  # of a mould
LONGEST_KEY = 1 << 12  # bytes; an answer that follows from more is not kept

# Fields of the image from whose value others, or the key of its stack, follow.
_READ_BY_OTHERS = frozenset((*KEY_FIELDS, "sequence_name", "diffusion_b_value"))
_SOP, _TIME, _DATE, _DATE_TIME = "sop_instance_uid", "acquisition_time", "acquisition_date", "acquisition_date_time"
_FROM_BOTH = "acquisition_date_and_time"

Key = tuple[Hashable, ...]
Reader = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class _Steady:
    """What stands between the holes of a mould: fields by name, what was odd about them, blocks of private elements (None if they move).

    told: what readers made of elements.
    """

    fields: dict[str, Value]
    flaws: Counter[str]
    blocks: Blocks | None
    told: dict[tuple[int, Reader], Any] = field(default_factory=dict)


class _Top(Elements):
    """A data set in a mould. steady: what another one said. told: what readers made of its holes.

    readers: those that were asked of each hole.
    """

    def __init__(self, cast: Cast, notes: Notes, steady: _Steady | None, told: Mapping[tuple[int, Reader], Any]) -> None:
        super().__init__(cast, notes)
        self._cast, self.steady, self._told = cast, steady, told
        self._blocks = steady.blocks if steady else None
        self.readers: dict[int, Reader] = {}

    def by_tag(self, table: Table) -> dict[str, Value]:
        """The fields whose own tag has a value here."""
        holes = self._cast.asked.keys()
        if self.steady is None:
            before, self.notes.flaws = self.notes.flaws, Counter()
            fields = self._fields_of(self.tags() - holes, table)
            blocks = None if any(map(is_creator, holes)) else self.private_blocks()
            self.steady = _Steady(fields, self.notes.flaws, blocks)
            self.notes.flaws = before
        self.notes.flaws.update(self.steady.flaws)
        return self.steady.fields | self._fields_of(holes, table)

    def told(self, tag: int, reader: Callable[[bytes], Told]) -> Told:
        """What a reader makes of the bytes of an element."""
        place = tag, reader
        if tag in self._cast.asked:
            self.readers[tag] = _one_of(self.readers.get(tag, reader), reader)
            return cast("Told", self._told[place] if place in self._told else reader(self._cast.hole(tag)))
        known = self.steady.told if self.steady else {}
        if place not in known:
            known[place] = super().told(tag, reader)
        return cast("Told", known[place])


@dataclass(frozen=True, slots=True)
class _Own:
    """A hole that makes a field of its own. number: of the hole."""

    number: int
    name: str
    kind: str
    vr: str
    scale: float
    empty: tuple[Any, ...]


class Remembered:
    """The answers of one mould."""

    def __init__(self, mould: Mould, table: Table) -> None:
        self._mould, self._table = mould, table
        self._asked = dict.fromkeys((tag for _, tag, _, _ in mould.top.holes), 0)
        self._steady: _Steady | None = None
        self._answers: dict[Key, Parsed] = {}
        self._own: list[_Own] = []
        self._others: list[tuple[int, int, Reader, Reader]] = []  # number of the hole, tag, reader that was asked, reader in this series
        self._readers: dict[int, Reader] = {}

    def answer(self, fit: Fit, pixels: PixelsAt) -> Parsed | Failure:
        """What a file says that fits. Raises UnusualError and TooLarge."""
        key, own = self._key(fit, pixels)
        kept = self._answers.get(key)
        if kept is not None:
            return _with_own(kept, own, pixels)
        told = {(tag, asked): part for (_, tag, asked, _), part in zip(self._others, key[1:], strict=False)}
        answer = self._worked_out(fit, pixels, told)
        if isinstance(answer, Parsed) and "enhanced" not in answer.shared:
            self._keep(self._key(fit, pixels)[0], answer)
        return answer

    def _keep(self, key: Key, answer: Parsed) -> None:
        if sum(len(part) for part in key if isinstance(part, bytes)) > LONGEST_KEY:
            return
        if len(self._answers) >= MOST_ANSWERS:
            self._answers.clear()
        self._answers[key] = answer

    def _key(self, fit: Fit, pixels: PixelsAt) -> tuple[Key, dict[str, Value]]:
        """The bytes that an answer follows from, and the values of the fields that are put into it."""
        data, spans = fit.data, fit.top
        key: list[Hashable] = [pixels.is_truncated]
        for number, _, _, reader in self._others:
            start, end = spans[number]
            key.append(reader(data[start:end]))
        values: dict[str, Value] = {}
        for own in self._own:
            start, end = spans[own.number]
            raw = data[start:end]
            value, flaw = plain_value(own.kind, own.vr, raw, own.scale)
            if value is None or flaw or value in own.empty or (own.name == _SOP and not is_well_formed(value)):
                key.append(raw)
            else:
                key.append(None)
                values[own.name] = value
        return tuple(key), values

    def _worked_out(self, fit: Fit, pixels: PixelsAt, told: Mapping[tuple[int, Reader], Any]) -> Parsed | Failure:
        meta, cast = fit.casts()
        notes = Notes()
        top = _Top(cast, notes, self._steady, told)
        answer = judged(Elements(meta, notes), top, pixels, self._table)
        if PIXEL_REPRESENTATION not in cast.asked:  # or the sign of other elements moves with it
            self._steady = top.steady
        asked = {tag: max(times, self._asked[tag]) for tag, times in cast.asked.items()}
        readers = self._readers | {tag: _one_of(self._readers.get(tag, reader), reader) for tag, reader in top.readers.items()}
        if asked != self._asked or readers != self._readers:
            self._asked, self._readers = asked, readers
            self._answers.clear()
            self._plan(top)
        return answer

    def _plan(self, top: _Top) -> None:
        """Which holes make a field of their own, and which of the others are asked for."""
        is_private_steady = top.steady is not None and top.steady.blocks is not None
        fields = _own_fields(top if is_private_steady else None, self._table)
        self._own, self._others = [], []
        for number, (_, tag, vr, _) in enumerate(self._mould.top.holes):
            times, reader = self._asked[tag], self._readers.get(tag)
            own, otherwise, scale = fields.get(tag, (None, "", 1.0))
            if reader and not times:
                self._others.append((number, tag, reader, IN_A_SERIES[reader]() if reader in IN_A_SERIES else reader))
            elif own and times == 1 and not reader and (known := plain_vr(tag, vr, otherwise)):
                self._own.append(_Own(number, own.name, own.kind, known, scale, own.empty))
            elif times:
                self._others.append((number, tag, bytes, bytes))


def _one_of(reader: Reader, other: Reader) -> Reader:
    """The reader of a hole that two ask: all of its bytes if they differ."""
    return reader if reader is other else bytes


def _own_fields(top: Elements | None, table: Table) -> dict[int, tuple[Field, str, float]]:
    """The fields that follow from one element and that nothing else follows from, by tag; VR where none is written, and scale.

    top: where private elements are looked for.
    """
    alone = _alone(table)
    found = {one.tag: (one, "", 1.0) for one in alone if one.tag}
    if top is None:
        return found
    for one in alone:
        if not one.tag and not one.nested and len(one.private) == 1:
            (place,) = one.private
            if not place.pattern and (tag := top.private_tag(place)) is not None:
                found[tag] = one, place.vr, place.scale
    return found


@lru_cache(maxsize=4)
def _alone(table: Table) -> tuple[Field, ...]:
    return tuple(one for one in table.fields if one.level == "image" and one.name not in _READ_BY_OTHERS and not one.sequence_first)


def _with_own(kept: Parsed, own: dict[str, Value], pixels: PixelsAt) -> Parsed:
    """The answer that was kept, with what is this image's own."""
    image = kept.image | own
    image["pixel_offset"], image["pixel_length"] = pixels.offset, pixels.length
    if _TIME in own and image.get(f"{_DATE_TIME}_source") == _FROM_BOTH:
        image[_DATE_TIME] = acquisition_date_time(kept.shared | {_TIME: own[_TIME]})
    sop, series, study = own.get(_SOP, kept.sop_instance_uid), kept.series_instance_uid, kept.study_instance_uid
    return Parsed(sop, series, study, kept.shared, image, kept.stacks, kept.diagnostics, kept.block)
