"""Enhanced multi-frame objects: the value of a field for each frame, and the stacks that the frames make.

Value of a field for a frame: the frame's functional groups, else the shared ones, else the maker's items in them, else the top level
(PS3.3 C.7.6.16). Fields without a functional group are looked for at the top level before the maker's items.
"""

from collections.abc import Sequence

from gyrus.dicom.columns import Column, frame_ranges, packed
from gyrus.dicom.elements import Elements
from gyrus.dicom.field import Field, Private, Table
from gyrus.dicom.keys import KEY_FIELDS, stack_key
from gyrus.dicom.record import add, of_maker, spelt
from gyrus.dicom.values import Value
from gyrus.dicom.vendors import extras

SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230
MOST_STACKS = 64

_MR_FRAME_TYPE = 0x00189226
_UNASSIGNED = (0x00209170, 0x00209171)  # attributes of a legacy conversion that no functional group took
_MAKERS_ITEMS = (
    Private(0x0021, "SIEMENS MR SDS 01", 0xFE, "SQ", "siemens_item"),
    Private(0x0021, "SIEMENS MR SDI 02", 0xFE, "SQ", "siemens_item"),
    Private(0x2005, "Philips MR Imaging DD 005", 0x0E, "SQ", "philips_item"),
    Private(0x2005, "Philips MR Imaging DD 005", 0x0F, "SQ", "philips_item"),
)
_NOTHING: tuple[Value, str] = (None, "")


class _Group:
    """Functional groups of one frame, or those that all frames share."""

    def __init__(self, item: Elements) -> None:
        self.item = item
        self.macros = item.tags()
        self.inner: list[tuple[Elements, str]] = []
        places = [(item.private_tag(place), place.source) for place in _MAKERS_ITEMS]
        for tag, source in (*places, *((tag, "legacy_conversion") for tag in _UNASSIGNED), (_MR_FRAME_TYPE, "")):
            if tag is not None:
                self.inner.extend((inner, source) for inner in item.items(tag)[:1])
        self.inner_tags = set().union(*(inner.tags() for inner, _ in self.inner)) if self.inner else set()

    def makers(self, field: Field) -> tuple[Value, str]:
        """What the items of makers, and attributes that a conversion left over, say; and which of them does."""
        for inner, source in self.inner:
            value = inner.value(field.tag, field.kind, field.name) if field.tag in self.inner_tags else None
            if value is not None and value not in field.empty:
                return value, source
            found = of_maker(inner, field)
            if found[0] is not None:
                return found
        return _NOTHING


def is_enhanced(top: Elements) -> bool:
    """Whether the object has functional groups."""
    return bool(top.items(FRAME_GROUPS) or top.items(SHARED_GROUPS))


def frame_values(top: Elements, at_top: dict[str, Value], table: Table) -> tuple[dict[str, Value], dict[str, list[Value]], int]:
    """What all frames share, what differs (one value a frame), and the number of frames.

    at_top: the values that the top level alone gives.
    """
    shared_items = top.items(SHARED_GROUPS)
    shared = _Group(shared_items[0]) if shared_items else None
    groups = [_Group(item) for item in top.items(FRAME_GROUPS)]
    constant = dict(at_top)
    if shared is not None:
        _take_shared(shared, constant, at_top, table)
    varying: dict[str, list[Value]] = {}
    for field in _moving_fields(groups, table):
        found = [_of(group, field, at_top) for group in groups]
        sources = [source for value, source in found if value is not None]
        if not sources:
            continue
        if field.names_its_source and (source := max(sources)):
            constant[f"{field.name}_source"] = source
        filled = [constant.get(field.name) if value is None else value for value, _ in found]
        if all(value == filled[0] for value in filled):
            constant[field.name] = filled[0]
        else:
            varying[field.name] = filled
    if constant.get("diffusion_gradient_orientation") is not None or "diffusion_gradient_orientation" in varying:
        constant.setdefault("diffusion_frame", "patient")
    return constant, varying, len(groups)


def _take_shared(shared: _Group, constant: dict[str, Value], at_top: dict[str, Value], table: Table) -> None:
    for field in table.moving:
        add(constant, field, *_of(shared, field, at_top))
    for inner, _ in shared.inner:
        for name, (value, source) in extras(inner, constant).items():
            add(constant, table.by_name[name], value, source)


def _of(group: _Group, field: Field, at_top: dict[str, Value]) -> tuple[Value, str]:
    value, source = group.item.nested(field), ""
    if value is None and (field.nested or at_top.get(field.name) is None):
        value, source = group.makers(field)
    return spelt(field.name, value), source


def _moving_fields(groups: Sequence[_Group], table: Table) -> list[Field]:
    """The fields that the groups of some frame may hold."""
    macros: set[int] = set().union(*(group.macros for group in groups)) if groups else set()
    inner: set[int] = set().union(*(group.inner_tags for group in groups)) if groups else set()
    has_private = any(tag >> 16 & 1 for tag in inner)
    return [
        field
        for field in table.moving
        if any(path[0] in macros for path in field.nested) or field.tag in inner or (has_private and field.private)
    ]


def with_echo_ranks(constant: dict[str, Value], varying: dict[str, list[Value]]) -> None:
    """Number the echoes of an object, which has no echo numbers of its own, by their echo times from 1."""
    if "echo_time" in varying:
        times = sorted({value for value in varying["echo_time"] if value is not None})
        ranks = [times.index(value) + 1 if value is not None else None for value in varying["echo_time"]]
        varying["echo_numbers"] = ranks
        constant.pop("echo_numbers", None)
    elif constant.get("echo_time") is not None:
        constant.setdefault("echo_numbers", 1)


def with_makers_words(constant: dict[str, Value], varying: dict[str, list[Value]], count: int) -> None:
    """Add to each image type the words that only the maker's own one has, such as MB, NORM, DIS2D."""
    own = _column("siemens_image_type", constant, varying, count)
    standard = _column("image_type", constant, varying, count)
    for name in ("siemens_image_type", "image_type"):
        constant.pop(name, None)
        varying.pop(name, None)
    both = [list(dict.fromkeys([*(words or []), *(more or [])])) if more else words for words, more in zip(standard, own, strict=True)]
    if all(words == both[0] for words in both):
        constant["image_type"] = both[0] if both else None
    else:
        varying["image_type"] = both


def _column(name: str, constant: dict[str, Value], varying: dict[str, list[Value]], count: int) -> list[Value]:
    return varying[name] if name in varying else [constant.get(name)] * count


def stacks_of(constant: dict[str, Value], varying: dict[str, list[Value]], count: int) -> tuple[list[dict[str, Value]], bool]:
    """The stacks of an object in the order of their first frames, and whether there were too many to keep apart."""
    columns = [(name, varying[name]) for name in KEY_FIELDS if name in varying]
    by_values: dict[tuple[Value, ...], list[int]] = {}
    for frame in range(count):
        values = tuple(_hashable(column[frame]) for _, column in columns)
        by_values.setdefault(values, []).append(frame + 1)
    by_key: dict[str, list[int]] = {}
    for frames in by_values.values():
        own = {name: column[frames[0] - 1] for name, column in columns}
        by_key.setdefault(stack_key({**constant, **own}, {}), []).extend(frames)
    if len(by_key) > MOST_STACKS:
        by_key = {stack_key(constant, {}): list(range(1, count + 1))}
        return _listed(by_key), True
    return _listed(by_key), False


def _listed(by_key: dict[str, list[int]]) -> list[dict[str, Value]]:
    ordered = sorted(by_key.items(), key=lambda pair: min(pair[1]))
    return [{"key": key, "frames": frame_ranges(frames), "n": len(frames)} for key, frames in ordered]


def packed_frames(varying: dict[str, list[Value]], count: int) -> dict[str, int | dict[str, Column]]:
    """The columns of an object as they are stored: {"n": frames, "columns": {field: packed column}}."""
    return {"n": count, "columns": {name: packed(values) for name, values in varying.items()}}


def _hashable(value: Value) -> Value:
    return tuple(value) if isinstance(value, list) else value
