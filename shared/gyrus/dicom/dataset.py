"""What a reader of files gives: elements by tag, as they stand in the file. Two readers do, the walk and pydicom."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset


class DataSet(Protocol):
    """A data set or an item of a sequence."""

    @property
    def is_little_endian(self) -> bool:
        """The byte order of numbers."""

    def __contains__(self, tag: int) -> bool: ...

    def tags(self) -> Collection[int]:
        """The tags that are present."""

    def element(self, tag: int) -> tuple[str | None, Any] | None:
        """VR (None where the file has none) and bytes; values in the place of bytes where the reader had to convert them."""

    def items(self, tag: int) -> Iterable["DataSet"]:
        """The items of a sequence. May raise anything on hostile bytes."""


class PydicomSet:
    """A data set as pydicom parsed it; the conversion of its values is not used."""

    def __init__(self, dataset: Dataset, is_little_endian: bool = True) -> None:
        self._dataset, self.is_little_endian = dataset, is_little_endian
        self._tags = frozenset(int(tag) for tag in dataset.keys())  # noqa: SIM118 - iterating over a data set converts its values

    def __contains__(self, tag: int) -> bool:
        return tag in self._tags

    def tags(self) -> Collection[int]:
        """All tags that are present."""
        return self._tags

    def element(self, tag: int) -> tuple[str | None, Any] | None:
        """VR and bytes; parts of a value for what pydicom converts while parsing (file meta, character set)."""
        element = self._dataset.get_item(tag, keep_deferred=True)
        if element is None:
            return None
        if isinstance(element, RawDataElement):
            return element.VR, element.value if isinstance(element.value, bytes) else b""
        return element.VR, _parts(element.value)

    def items(self, tag: int) -> Iterable["PydicomSet"]:
        """The items of a sequence, which is parsed here."""
        value = self._dataset[tag].value
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            yield from (PydicomSet(item, self.is_little_endian) for item in value if isinstance(item, Dataset))


def _parts(value: Any) -> list[Any]:
    if value is None or isinstance(value, Dataset | bytes):
        return []
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [part if isinstance(part, int | float) else str(part) for part in several if not isinstance(part, Dataset)]
