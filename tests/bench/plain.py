"""The values that gyrus takes from an ordinary file, read by pydicom as its documentation shows it: what a header is compared with.

Standard elements by `dataset[tag].value`, nested ones along their sequences, private ones by `private_block`, each as plain Python values.
Nothing is looked for that cannot be there: sequences only where the file has them, blocks only in groups that it has.
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset

from bench.naive import plain
from gyrus.dicom.field import Field, Private
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.vendors import ge, philips, siemens, siemens_csa, siemens_phoenix, uih

NOTHING = (None, "", [])
MAKERS_ITEM = Private(0x2005, "Philips MR Imaging DD 005", 0x0F, "SQ", "philips_item")

Wanted = dict[tuple[int, str], list[tuple[str, Private]]]


def places_of(module: ModuleType) -> Iterator[Private]:
    """The private elements that a maker's module reads."""
    for value in vars(module).values():
        yield from (place for place in (value if isinstance(value, tuple) else [value]) if isinstance(place, Private))


def wanted_private() -> Wanted:
    """Names and private elements, by group and creator."""
    found: Wanted = defaultdict(list)
    for field in STANDARD.fields:
        for place in field.private:
            found[place.group, place.creator].append((field.name, place))
    listed = {place for places in found.values() for _, place in places}
    for module in (ge, philips, siemens, siemens_csa, siemens_phoenix, uih):
        for place in set(places_of(module)) - listed:
            found[place.group, place.creator].append((f"{place.creator} {place.group:04x},{place.element:02x}", place))
    return dict(found)


BY_CREATOR = wanted_private()


def read(path: str | Path) -> dict[str, Any]:
    """Values by name; of what a maker's module reads, by creator and element."""
    dataset = dcmread(path, stop_before_pixels=True)
    known = {**standard(dataset.file_meta), **standard(dataset)}
    for tag in STANDARD.by_sequence.keys() & dataset.keys():
        for field in STANDARD.by_sequence[tag]:
            if field.name not in known and (value := nested(dataset, field)) not in NOTHING:
                known[field.name] = value
    for name, value in private(dataset):
        known.setdefault(name, value)
    for name, value in of_item(dataset).items():
        known.setdefault(name, value)
    return known


def standard(dataset: Dataset) -> dict[str, Any]:
    """The fields whose own tag is here."""
    known = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating would convert every element, wanted or not
        if (field := STANDARD.by_tag.get(tag)) and (value := dataset[tag].value) not in NOTHING:
            known[field.name] = plain(value)
    return known


def nested(dataset: Dataset, field: Field) -> Any:
    """The first value of a field within sequences."""
    for *sequences, last in field.nested:
        tags = field.joined or (last,)
        values = [along(dataset, [*sequences, last] if field.joined else sequences, tag) for tag in tags]
        if not any(value in NOTHING for value in values):
            return values if field.joined else values[0]
    return None


def along(dataset: Dataset, sequences: Iterable[int], tag: int) -> Any:
    """The value at the end of a path, through the first item of each sequence."""
    for sequence in sequences:
        if sequence not in dataset or not dataset[sequence].value:
            return None
        dataset = dataset[sequence].value[0]
    return plain(dataset[tag].value) if tag in dataset else None


def private(dataset: FileDataset) -> Iterator[tuple[str, Any]]:
    """Names and values of private elements."""
    groups = {tag >> 16 for tag in dataset.keys()}  # noqa: SIM118 - as above
    for (group, creator), places in BY_CREATOR.items():
        if group not in groups:
            continue
        with contextlib.suppress(KeyError):
            block = dataset.private_block(group, creator)
            for name, place in places:
                if place.element in block and (value := block[place.element].value) not in NOTHING and place.vr != "SQ":
                    yield name, converted(value, place)


def converted(value: Any, place: Private) -> Any:
    """A private value in the unit of its field."""
    if isinstance(value, bytes):
        return value
    if place.pattern:
        match = re.search(place.pattern, str(value))
        return match[1] if match else None
    found = plain(value)
    if place.scale == 1:
        return found
    return [part * place.scale for part in found] if isinstance(found, list) else found * place.scale


def of_item(dataset: Dataset) -> dict[str, Any]:
    """The standard's elements in the item of a Philips image."""
    with contextlib.suppress(KeyError):
        items = dataset.private_block(MAKERS_ITEM.group, MAKERS_ITEM.creator)[MAKERS_ITEM.element].value
        return {name: value for name, value in standard(items[0]).items() if STANDARD.by_name[name].level == "acquisition"}
    return {}
