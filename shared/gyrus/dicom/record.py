"""The fields of one data set's top level: standard elements first, then the maker's own."""

from gyrus.dicom.elements import Elements
from gyrus.dicom.fields import FIELDS, Field
from gyrus.dicom.values import Value
from gyrus.dicom.vendors import extras

_GAUSS_A_TESLA = 10_000
_STRONGEST = 25  # T; no scanner is stronger, so a larger number is in gauss


def record(top: Elements) -> dict[str, Value]:
    """Field name to value, without frames; fields without a value are absent."""
    known: dict[str, Value] = {}
    for field in FIELDS:
        value = _value(top, field)
        if value is not None:
            known[field.name] = value
        elif field.private:
            _take_private(top, field, known)
    known.update(extras(top, known))
    return normalised(known)


def _value(top: Elements, field: Field) -> Value:
    value = top.value(field.tag, field.kind, field.name) if field.tag else None
    if value is None:
        for path in field.nested:
            if path[0] in top:
                value = top.at(path, field.kind, field.name)
                if value is not None:
                    return value
    return value


def _take_private(top: Elements, field: Field, known: dict[str, Value]) -> None:
    for place in field.private:
        value = top.private((place.group, place.creator, place.element), field.kind, place.vr, field.name)
        if value is not None:
            known[field.name] = value
            if field.tag:
                known[f"{field.name}_source"] = place.source
            return


def normalised(known: dict[str, Value]) -> dict[str, Value]:
    """One spelling where writers have two: field strength in tesla, COL for COLUMN."""
    strength = known.get("magnetic_field_strength")
    if strength is not None and strength > _STRONGEST:
        known["magnetic_field_strength"] = strength / _GAUSS_A_TESLA
    if known.get("in_plane_phase_encoding_direction") == "COLUMN":
        known["in_plane_phase_encoding_direction"] = "COL"
    return known
