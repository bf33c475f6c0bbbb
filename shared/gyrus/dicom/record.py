"""The fields of one data set's top level: standard elements first, then the maker's own."""

from collections.abc import Collection

from gyrus.dicom.derived import derived
from gyrus.dicom.elements import Elements
from gyrus.dicom.field import TOP_LEVEL, Field, Private, Table
from gyrus.dicom.values import Value
from gyrus.dicom.vendors import extras

_GAUSS_A_TESLA = 10_000
_SPELLINGS = {"in_plane_phase_encoding_direction": {"COLUMN": "COL"}}
_STRONGEST = 25  # T; no scanner is stronger, so a larger number is in gauss
_MAKERS_ITEM = Private(0x2005, "Philips MR Imaging DD 005", 0x0F, "SQ", "philips_item")  # of a classic image


def record(top: Elements, table: Table) -> dict[str, Value]:
    """Field name to value, without frames; fields without a value are absent."""
    known: dict[str, Value] = {}
    item = _makers_item(top)
    for field in table.fields:
        value, source = _value(top, field)
        if value is not None:
            known[field.name] = value
            if source:
                known[f"{field.name}_source"] = source
        elif field.private or item is not None:
            add(known, field, *_of_maker_or_item(top, item, field))
    for name, (value, source) in extras(top, known).items():
        add(known, table.by_name[name], value, source)
    return normalised(known)


def _makers_item(top: Elements) -> Elements | None:
    tag = top.private_tag(_MAKERS_ITEM)
    return next(iter(top.items(tag)), None) if tag is not None else None


def _of_maker_or_item(top: Elements, item: Elements | None, field: Field) -> tuple[Value, str]:
    """A maker's value, or one of the standard's elements that the maker put into an item of its own."""
    found = of_maker(top, field)
    if found[0] is not None or item is None or field.level != "acquisition" or not field.tag:
        return found
    value = item.value(field.tag, field.kind, field.name)
    return (None, "") if value in field.empty else (value, _MAKERS_ITEM.source)


def add(known: dict[str, Value], field: Field, value: Value, source: str) -> None:
    """Take a value, and where it came from if that is not the standard's place."""
    if value is None:
        return
    known[field.name] = value
    known.pop(f"{field.name}_source", None)
    if source and field.names_its_source:
        known[f"{field.name}_source"] = source


def of_maker(elements: Elements, field: Field) -> tuple[Value, str]:
    """The first value that the maker's elements of a field have, and its source; (None, "") if they have none."""
    for place in field.private:
        value = elements.private(place, field.kind, field.name)
        if value is not None and value not in field.empty:
            return value, place.source
    return None, ""


def _value(top: Elements, field: Field) -> tuple[Value, str]:
    """The value at the standard's places; its source where it stands at the top level instead of in its sequence."""
    if field.sequence_first:
        value = top.nested(field)
        return (_at_top(top, field), TOP_LEVEL) if value is None else (value, "")
    value = _at_top(top, field)
    return (top.nested(field) if value is None else value), ""


def _at_top(top: Elements, field: Field) -> Value:
    value = top.value(field.tag, field.kind, field.name) if field.tag in top else None
    return None if value in field.empty else value


def with_derived(known: dict[str, Value], table: Table, varying: Collection[str] = ()) -> dict[str, Value]:
    """Add what several values say together, but for fields that vary from frame to frame."""
    for name, (value, source) in derived(known).items():
        if name not in varying:
            add(known, table.by_name[name], value, source)
    return known


def normalised(known: dict[str, Value]) -> dict[str, Value]:
    """One spelling where writers have two: field strength in tesla, COL for COLUMN. The standard's directions are the patient's."""
    strength = known.get("magnetic_field_strength")
    if strength is not None and strength > _STRONGEST:
        known["magnetic_field_strength"] = strength / _GAUSS_A_TESLA
    for name in _SPELLINGS:
        if name in known:
            known[name] = spelt(name, known[name])
    if known.get("diffusion_gradient_orientation") is not None:
        known.setdefault("diffusion_frame", "patient")
    return known


def spelt(name: str, value: Value) -> Value:
    """A value in the spelling of classic objects, where enhanced ones have another."""
    words = _SPELLINGS.get(name)
    return words.get(value, value) if words else value
