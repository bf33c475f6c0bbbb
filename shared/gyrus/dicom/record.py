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
    """Field name to value, without frames; fields without a value are absent.

    Only what the data set holds is looked at: most of the table's fields are in no one file.
    """
    known = top.by_tag(table)
    known |= {f"{field.name}_source": TOP_LEVEL for field in table.in_sequences_first if field.name in known}
    for tag in top.sequences(table):
        for field in table.by_sequence[tag]:
            if field.name not in known or field.sequence_first:
                add(known, field, top.nested(field), "")
    for creator in top.private_blocks():
        for field in table.by_creator.get(creator, ()):
            if field.name not in known:
                add(known, field, *of_maker(top, field))
    _take_item(top, known, table)
    for name, (value, source) in extras(top, known).items():
        add(known, table.by_name[name], value, source)
    return normalised(known)


def _take_item(top: Elements, known: dict[str, Value], table: Table) -> None:
    """Take the standard's elements that the maker of a classic image put into an item of its own."""
    tag = top.private_tag(_MAKERS_ITEM)
    for item in top.items(tag)[:1] if tag is not None else ():
        for name, value in item.by_tag(table).items():
            field = table.by_name[name]
            if field.level == "acquisition" and name not in known:
                add(known, field, value, _MAKERS_ITEM.source)


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
