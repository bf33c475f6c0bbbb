"""Every field of what was extracted, level by level: subjects, studies, series, stacks, files. A value stands at its level only.

A file repeats of the fields of its header block only those in which it differs from its stack, series, study and subject. What
identifies a person is left out unless it is asked for; of frames, the columns are unpacked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gyrus.console.offline import Document, Found, Series, Stack
from gyrus.dicom.columns import unpacked
from gyrus.dicom.field import Level
from gyrus.dicom.fields import STANDARD
from gyrus.extractor.settle import agreed, study_of, subject_of

DESCRIBED = ("geometry", "fingerprint")  # of a stack, beside its record


def objects(found: Found, phi: bool) -> Iterator[Document]:
    """{level, …, fields} of everything, parents before children; at the end the rejected files.

    Subjects are numbered: a code that could be told to others comes only from a system with a secret of its own.
    """
    subjects: dict[str, int] = {}
    studies: set[str] = set()
    for series in sorted(found.series, key=_place):
        who, study = series.document["subject"], series.document["study"]
        if who not in subjects:
            subjects[who] = len(subjects) + 1
            yield {"level": "subject", "subject": subjects[who], "fields": _subject(_of(found, "subject", who), phi)}
        if study not in studies:
            studies.add(study)
            of_study = _of(found, "study", study)
            fields = _without(study_of(_documents(of_study))["fields"], phi) | _sources(of_study, "study", phi)
            yield {"level": "study", "subject": subjects[who], "study_uid": _uid(study), "fields": fields}
        yield from _series(series, phi)
    for rejected in found.rejected:
        yield {"level": "file", **rejected}


def _place(series: Series) -> tuple[str, str, bool, int, str]:
    number = series.document["series_fields"].get("series_number")
    return series.document["subject"], series.document["study"], number is None, number or 0, series.id


def _of(found: Found, name: str, id_: str) -> list[Series]:
    return [series for series in found.series if series.document[name] == id_]


def _uid(id_: str) -> str:
    return id_.split("/", 1)[1]


def _documents(series: Iterable[Series]) -> list[Document]:
    return [{"_id": one.id, **one.document} for one in series]


def _subject(series: list[Series], phi: bool) -> Document:
    studies = {one.document["study"] for one in series}
    made = [{"_id": study, **study_of(_documents(one for one in series if one.document["study"] == study))} for study in sorted(studies)]
    return _without(subject_of(made)["fields"], phi) | _sources(series, "subject", phi)


def _without(fields: Mapping[str, Any], phi: bool) -> Document:
    return {name: value for name, value in fields.items() if phi or not _is_phi(name)}


def _sources(series: Iterable[Series], level: Level, phi: bool) -> Document:
    """Where values of a level came from, where that is not the standard's place."""
    pairs = [(file["_id"], one.headers[file["header"]]) for one in series for file in one.files]
    return _without(_agreed(pairs, [f"{name}_source" for name in STANDARD.names_of(level)]), phi)


def _agreed(pairs: Sequence[tuple[str, Mapping[str, Any]]], names: Iterable[str]) -> Document:
    return agreed({name: [(id_, fields.get(name)) for id_, fields in pairs] for name in names})


def _series(series: Series, phi: bool) -> Iterator[Document]:
    made = series.document
    fields = _without(made["series_fields"], phi) | _sources([series], "series", phi)
    counts = {name: made[name] for name in ("n_files", "n_images", "n_stacks", "disagreements", "diagnostics")}
    yield {"level": "series", "series_uid": _uid(series.id), "study_uid": _uid(made["study"]), **counts, "fields": fields}
    above = {**fields, **made["study_fields"], **made["subject_fields"]}
    names = [sourced for name in STANDARD.names_of("acquisition") for sourced in (name, f"{name}_source")]
    of_stacks: dict[str, Document] = {}
    for stack in series.stacks:
        pairs = [(file["_id"], series.headers[file["header"]]) for file in stack.files]
        of_stacks[stack.document["stack_key"]] = fields = _without(_agreed(pairs, names), phi)
        yield {"level": "stack", **_described(stack), "fields": fields}
    for file in sorted(series.files, key=lambda f: str(f["name"])):
        keys = [share["key"] for share in file["stacks"]]
        yield _file(file, series.headers[file["header"]], above | of_stacks.get(keys[0], {}), phi)


def _described(stack: Stack) -> Document:
    record = {name: value for name, value in stack.record.items() if value not in (None, [])}
    record.pop("probability")
    return {**record, **{name: stack.document[name] for name in DESCRIBED}}


def _file(file: Mapping[str, Any], block: Mapping[str, Any], above: Mapping[str, Any], phi: bool) -> Document:
    own = {name: value for name, value in block.items() if above.get(name) != value}
    frames = file["image"].get("frames")
    fields = _without({name: value for name, value in {**own, **file["image"]}.items() if name != "frames"}, phi)
    return {
        "level": "file",
        "path": file["name"],
        "outcome": file["outcome"],
        **({"differs": file["differs"]} if "differs" in file else {}),
        "sop_instance_uid": file["sop_instance_uid"],
        "stacks": file["stacks"],
        **({"diagnostics": file["diagnostics"]} if "diagnostics" in file else {}),
        "fields": fields,
        **({"frames": {name: unpacked(column) for name, column in frames["columns"].items()}} if frames else {}),
    }


def _is_phi(name: str) -> bool:
    field = STANDARD.by_name.get(name.removesuffix("_source"))
    return field is not None and field.phi
