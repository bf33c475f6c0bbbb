"""Every field of what was extracted, level by level: subjects, studies, series, stacks, files. A value stands at its level only.

A file repeats of the fields of its header block only those in which it differs from its stack, series, study and subject. What
identifies a person is left out unless it is asked for; of frames, the columns are unpacked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gyrus.console.offline import Document, Found, Series, Stack
from gyrus.dicom.columns import unpacked
from gyrus.dicom.field import Level
from gyrus.extractor.oddities import study_conflicts
from gyrus.extractor.settle import LEVELS, agreed, names_of, study_of, subject_of

COUNTS = ("n_files", "n_images", "n_stacks", "disagreements", "conflicts", "diagnostics")
DESCRIBED = ("ranges", "n_distinct", "diagnostics", "geometry", "fingerprint")  # of a stack, beside its record
OF_FILE = ("outcome", "differs", "uncompared", "sop_instance_uid", "stacks", "diagnostics")


def objects(found: Found, phi: bool) -> Iterator[Document]:
    """{level, …, fields} of everything, parents before children; at the end the rejected files.

    Subjects are numbered: a code that could be told to others comes only from a system with a secret of its own.
    """
    telling = _Telling(found, phi)
    told: set[str] = set()
    for series in sorted(found.series, key=_place):
        who, study = series.document["subject"], series.document["study"]
        if who not in told:
            yield {"level": "subject", "subject": telling.number(who), "fields": telling.subject(who)}
        if study not in told:
            yield {"level": "study", "subject": telling.number(who), "study_uid": _uid(study), **telling.study(study)}
        told |= {who, study}
        yield from telling.series(series)
    for rejected in found.rejected:
        yield {"level": "file", **rejected}


def _place(series: Series) -> tuple[str, str, bool, int, str]:
    number = series.document["series_fields"].get("series_number")
    return series.document["subject"], series.document["study"], number is None, number or 0, series.id


def _uid(id_: str) -> str:
    return id_.split("/", 1)[1]


def _studies(series: Series) -> set[str]:
    """The study that a series is told in, and those that files of it name."""
    return {series.document["study"], *series.document["studies"]}


def _some(document: Mapping[str, Any], names: Iterable[str]) -> Document:
    return {name: value for name in names if (value := document.get(name)) not in (None, {}, [])}


class _Telling:
    """What is told of the levels; `phi`: also what identifies a person."""

    def __init__(self, found: Found, phi: bool) -> None:
        self._found, self._table = found, found.table
        self._names = names_of(found.table)
        hidden = [field.name for field in found.table.fields if field.phi and not phi]
        self._hidden = {*hidden, *(f"{name}_source" for name in hidden)}
        self._numbers: dict[str, int] = {}

    def number(self, who: str) -> int:
        """The number of a subject, in the order in which they are told."""
        return self._numbers.setdefault(who, len(self._numbers) + 1)

    def subject(self, who: str) -> Document:
        series = [one for one in self._found.series if one.document["subject"] == who]
        studies = {one.document["study"] for one in series}
        made = [{"_id": study, **self._study(one for one in series if one.document["study"] == study)} for study in sorted(studies)]
        return self._shown(subject_of(made, self._names)["fields"] | self._sources(series, "subject"))

    def study(self, study: str) -> Document:
        """Its fields, and its conflicts if it has any."""
        series = [one for one in self._found.series if one.document["study"] == study]
        fields = self._shown(self._study(series)["fields"] | self._sources(series, "study"))
        conflicts = study_conflicts(study, [{"_id": one.id, **one.document} for one in self._found.series if study in _studies(one)])
        return {**({"conflicts": self._numbered(conflicts)} if conflicts else {}), "fields": fields}

    def _numbered(self, conflicts: Iterable[Mapping[str, Any]]) -> list[Document]:
        """Conflicts with subjects as numbers."""
        return [{**one, **self._named(one.get("subjects", ()))} for one in conflicts]

    def _named(self, subjects: Sequence[str]) -> Document:
        return {"subjects": sorted(self.number(who) for who in subjects)} if subjects else {}

    def _study(self, series: Iterable[Series]) -> Document:
        return study_of([{"_id": one.id, **one.document} for one in series], self._names)

    def series(self, series: Series) -> Iterator[Document]:
        """The series, its stacks, its files."""
        made = series.document
        fields = self._shown(made["series_fields"] | self._sources([series], "series"))
        named = {"series_uid": _uid(series.id), "study_uid": _uid(made["study"])}
        counts = _some({**made, "conflicts": self._numbered(made["conflicts"])}, COUNTS)
        yield {"level": "series", **named, **counts, "fields": fields}
        above: Document = {}
        for level in LEVELS:
            above |= made[f"{level}_fields"] | self._sources([series], level)
        of_stacks: dict[str, Document] = {}
        for stack in series.stacks:
            of_stacks[stack.document["stack_key"]] = fields = self._shown(self._of_stack(series, stack))
            record = {name: value for name, value in stack.record.items() if name != "probability" and value not in (None, [])}
            yield {"level": "stack", **record, **_some(stack.document, DESCRIBED), "fields": fields}
        for file in sorted(series.files, key=lambda file: str(file["name"])):
            of_stack = of_stacks.get(file["stacks"][0]["key"], {}) if file["stacks"] else {}
            yield self._file(file, series.headers[file["header"]], above | of_stack)

    def _of_stack(self, series: Series, stack: Stack) -> Document:
        blocks = [(file["_id"], series.headers[file["header"]]) for file in stack.files]
        names = self._table.names_of("acquisition")
        return _agreed(blocks, [*names, *(f"{name}_source" for name in names)])

    def _file(self, file: Mapping[str, Any], block: Mapping[str, Any], above: Mapping[str, Any]) -> Document:
        own = {name: value for name, value in block.items() if above.get(name) != value}
        columns = file["image"].get("frames", {}).get("columns", {})
        fields = {name: value for name, value in {**own, **file["image"]}.items() if name != "frames"}
        told = {"level": "file", "path": file["name"], **_some(file, OF_FILE), "fields": self._shown(fields)}
        return told | ({"frames": self._shown({name: unpacked(column) for name, column in columns.items()})} if columns else {})

    def _sources(self, series: Iterable[Series], level: Level) -> Document:
        """Where values of a level came from, where that is not the standard's place."""
        blocks = [(file["_id"], one.headers[file["header"]]) for one in series for file in one.files]
        return _agreed(blocks, [f"{name}_source" for name in self._names[level]])

    def _shown(self, fields: Mapping[str, Any]) -> Document:
        return {name: value for name, value in fields.items() if name not in self._hidden}


def _agreed(blocks: Sequence[tuple[str, Mapping[str, Any]]], names: Iterable[str]) -> Document:
    return agreed({name: [(id_, fields.get(name)) for id_, fields in blocks] for name in names})
