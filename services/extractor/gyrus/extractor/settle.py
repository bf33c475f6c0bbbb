"""Settling: what a series is, as a pure function of the set of its files. Order of arrival and repetition cannot change it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gyrus.dicom.field import Level, Table
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.keys import parsed_key
from gyrus.dicom.merge import most_frequent
from gyrus.dicom.stacks import describe, kind_of
from gyrus.extractor.files import fields_of
from gyrus.extractor.oddities import series_conflicts, series_diagnostics, stack_diagnostics
from gyrus.shared.documents import winners_of
from gyrus.shared.ids import digest

Document = dict[str, Any]
Files = Sequence[Mapping[str, Any]]

Names = Mapping[Level, tuple[str, ...]]  # of the fields of each level

LEVELS: tuple[Level, ...] = ("subject", "study", "series")
COPIED = ("modality", "manufacturer", "manufacturer_model_name", "station_name", "institution_name")  # of series, said of studies too


def names_of(table: Table) -> Names:
    """The names of the fields that are agreed on above files, by level."""
    return {level: table.names_of(level) for level in LEVELS}


NAMES = names_of(STANDARD)


@dataclass
class Settled:
    """Outcome and differences by file, stacks by key, and the series itself; `compare` names files whose pixels must be compared."""

    outcomes: dict[str, Document] = field(default_factory=dict)
    stacks: dict[str, Document] = field(default_factory=dict)
    series: Document = field(default_factory=dict)
    compare: list[str] = field(default_factory=list)


def settle(files: Files, headers: Mapping[str, Mapping[str, Any]], names: Names = NAMES) -> Settled:
    """Settle the files of one series.

    files: documents of its images. headers: the fields of each header block by its id. names: those of the table that they were read by.
    """
    result = Settled()
    winners: list[Mapping[str, Any]] = []
    for group in _by_instance(files):
        first, *others = group
        winners.append(first)
        result.outcomes[first["_id"]] = {"outcome": "extracted"}
        for other in others:
            result.outcomes[other["_id"]] = _judge(first, other, headers)
        comparable = [file for file in group if file["digest"] == first["digest"] and (_pixels(file) or not file["gone"])]
        if len(comparable) > 1:
            result.compare += [file["_id"] for file in comparable if not _pixels(file)]
    result.stacks = _stacks(winners, headers)
    result.compare += _in_one_place(winners, result.stacks.values())
    result.series = _series(files, headers, result.stacks, names)
    result.series["conflicts"] = series_conflicts(files, headers, result.outcomes, names)
    result.series["diagnostics"] = series_diagnostics(files, winners, result.outcomes, result.series, result.stacks)
    return result


def _in_one_place(winners: Files, stacks: Iterable[Document]) -> list[str]:
    """Files of images that lie in one place and differ in nothing else: their pixels tell a copy from another image."""
    named = {sop for stack in stacks for entry in stack["geometry"].get("repeated", ()) for sop in entry["images"]}
    return [file["_id"] for file in winners if file["sop_instance_uid"] in named and not _pixels(file) and not file["gone"]]


def _by_instance(files: Files) -> Iterable[list[Mapping[str, Any]]]:
    """Files of one SOPInstanceUID each; the instance first: it lives, and has the smallest (mtime, id)."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for file in files:
        groups[file["sop_instance_uid"]].append(file)
    for sop in sorted(groups):
        yield sorted(groups[sop], key=lambda f: (f["gone"], f["mtime_ns"], f["_id"]))


def _judge(first: Mapping[str, Any], other: Mapping[str, Any], headers: Mapping[str, Mapping[str, Any]]) -> Document:
    """`duplicate` where fields and pixels are equal, else `conflicting` with the names of the fields that differ.

    `uncompared`: the pixels of one of them could not be read, so that only the fields are known to be equal.
    """
    if first["digest"] != other["digest"]:
        return {"outcome": "conflicting", "differs": _differing(first, other, headers)}
    if _pixels(first) and _pixels(other) and _pixels(first) != _pixels(other):
        return {"outcome": "conflicting", "differs": ["pixel_data"]}
    if any("compared" in file and not _pixels(file) for file in (first, other)):
        return {"outcome": "duplicate", "uncompared": True}
    return {"outcome": "duplicate"}


def _pixels(file: Mapping[str, Any]) -> Any:
    """The digest of a file's pixels: compared just now, or kept from before."""
    return file.get("compared") or file.get("pixels")


def _differing(one: Mapping[str, Any], two: Mapping[str, Any], headers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    left, right = ({**headers[file["header"]], **fields_of(file["image"]), "study_instance_uid": file["study"]} for file in (one, two))
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name)) or ["stacks"]


def _stacks(winners: Files, headers: Mapping[str, Mapping[str, Any]]) -> dict[str, Document]:
    shares: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = defaultdict(list)
    for file in winners:
        for share in file["stacks"]:
            shares[share["key"]].append((file, share))
    return {key: _stack(key, sorted(shares), shares[key], headers) for key in sorted(shares)}


def _stack(
    key: str, keys: Sequence[str], shares: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], headers: Mapping[str, Mapping[str, Any]]
) -> Document:
    """One stack of a series whose stacks have these keys."""
    images = [
        {"sop": f["sop_instance_uid"], "shared": headers[f["header"]], "image": f["image"], "pixels": _pixels(f), **s} for f, s in shares
    ]
    kind = kind_of(keys)
    described = describe(key, images, n_orientations=len({parsed_key(one).get("ORIENT") for one in keys}))
    fingerprint = {**described.pop("fingerprint"), "stack_kind": kind}
    winners = winners_of(f for f, _ in shares)
    return {
        "stack_key": key,
        "kind": kind,
        **described,
        "fingerprint": fingerprint,
        "diagnostics": stack_diagnostics([f for f, _ in shares], described),
        "winners": winners,
        "n_gone": sum(bool(f["gone"]) for f, _ in shares),
        "version": digest([winners, fingerprint]),
    }


def _series(files: Files, headers: Mapping[str, Mapping[str, Any]], stacks: Mapping[str, Document], names: Names) -> Document:
    """Fields of the series: the most frequent value of its files, ties by the smallest file id; disagreements are counted."""
    made: Document = {
        "n_files": len(files),
        "n_images": sum(stack["n_images"] for stack in stacks.values()),
        "n_stacks": len(stacks),
        "study": most_frequent([(f["_id"], f["study"]) for f in files]),
        "subject": most_frequent([(f["_id"], f["subject"]) for f in files]),
        "studies": sorted({f["study"] for f in files}),
        "subjects": sorted({f["subject"] for f in files}),
        "disagreements": {},
    }
    for level in LEVELS:
        fields = {name: [(f["_id"], headers[f["header"]].get(name)) for f in files] for name in names[level]}
        made[level + "_fields"] = agreed(fields, made["disagreements"])
    return made


def agreed(fields: Mapping[str, Sequence[tuple[str, Any]]], disagreements: dict[str, int] | None = None) -> Document:
    """Per field the most frequent of (id, value) pairs that have one; how many say otherwise is added to `disagreements`."""
    values: Document = {}
    for name, pairs in fields.items():
        there = [(id_, value) for id_, value in pairs if value is not None]
        if not there:
            continue
        values[name] = most_frequent(there)
        others = sum(value != values[name] for _, value in there)
        if others and disagreements is not None:
            disagreements[name] = others
    return values


def study_of(series: Files, names: Names = NAMES) -> Document:
    """A study from its series: ({_id, study_fields, series_fields, subject, n_files, …})."""
    fields = {name: [(s["_id"], s["study_fields"].get(name)) for s in series] for name in names["study"]}
    fields |= {name: [(s["_id"], s["series_fields"].get(name)) for s in series] for name in COPIED}
    modalities = Counter(s["series_fields"].get("modality") for s in series)
    return {
        "fields": agreed(fields) | {"modalities_in_study": sorted(m for m in modalities if m)},
        "subject": most_frequent([(s["_id"], s["subject"]) for s in series]) if series else None,
        "subject_fields": agreed({name: [(s["_id"], s["subject_fields"].get(name)) for s in series] for name in names["subject"]}),
        "n_series": len(series),
        "n_files": sum(s["n_files"] for s in series),
        "n_stacks": sum(s["n_stacks"] for s in series),
    }


def subject_of(studies: Files, names: Names = NAMES) -> Document:
    """A subject from its studies: ({_id, subject_fields, n_series, n_files, …})."""
    return {
        "fields": agreed({name: [(s["_id"], s["subject_fields"].get(name)) for s in studies] for name in names["subject"]}),
        "n_studies": len(studies),
        "n_series": sum(s["n_series"] for s in studies),
        "n_files": sum(s["n_files"] for s in studies),
        "n_stacks": sum(s["n_stacks"] for s in studies),
    }


def visits_of(studies: Files) -> dict[str, Document]:
    """By study of one subject its visit: `number` from 1 by date, time and UID, and `days_since_first`.

    A study without a date comes after those that have one, and has no number of days.
    """
    ordered = sorted(studies, key=_when)
    days = {study["_id"]: date.fromisoformat(day) for study in ordered if (day := study["fields"].get("study_date"))}
    first = min(days.values(), default=None)
    return {
        study["_id"]: {"number": number, "days_since_first": (days[study["_id"]] - first).days if first and study["_id"] in days else None}
        for number, study in enumerate(ordered, 1)
    }


def _when(study: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    day, clock = (study["fields"].get(name) or "" for name in ("study_date", "study_time"))
    return not day, day, clock, study["_id"]
