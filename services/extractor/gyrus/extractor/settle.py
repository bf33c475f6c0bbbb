"""Settling: what a series is, as a pure function of the set of its files. Order of arrival and repetition cannot change it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gyrus.dicom.field import Level, Table
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.keys import parsed_key, split_by
from gyrus.dicom.merge import most_frequent, most_weighty
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
    """Outcome and differences by file, stacks by key, and the series itself; `compare` names files whose pixels must be compared first."""

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
    result.stacks = _stacks(winners, headers)
    result.compare = [*copies(files), *_in_one_place(winners, result.stacks.values())]
    result.series = _series(files, headers, result.stacks, names)
    result.series["conflicts"] = series_conflicts(files, headers, result.outcomes, names)
    result.series["diagnostics"] = series_diagnostics(files, winners, result.outcomes, result.series, result.stacks)
    return result


def copies(files: Files) -> list[str]:
    """Files of one instance that say the same, and whose pixels nobody has compared."""
    found: list[str] = []
    for first, *others in _by_instance(files):
        comparable = [file for file in (first, *others) if file["digest"] == first["digest"] and (_pixels(file) or not file["gone"])]
        if len(comparable) > 1:
            found += [file["_id"] for file in comparable if _is_uncompared(file)]
    return found


def _is_uncompared(file: Mapping[str, Any]) -> bool:
    return not _pixels(file) and "compared" not in file


def _in_one_place(winners: Files, stacks: Iterable[Document]) -> list[str]:
    """Files of images that lie in one place and differ in nothing else: their pixels tell a copy from another image."""
    named = {sop for stack in stacks for entry in stack["geometry"].get("repeated", ()) for sop in entry["images"]}
    return [file["_id"] for file in winners if file["sop_instance_uid"] in named and _is_uncompared(file) and not file["gone"]]


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
    if splits := split_by(kind):
        fingerprint["stack_key"] = splits
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
    blocks = _blocks(files)
    for level in LEVELS:
        fields = {name: [(id_, headers[block].get(name), n) for id_, block, n in blocks] for name in names[level]}
        made[level + "_fields"] = _agreed(fields, made["disagreements"])
    return made


def _blocks(files: Files) -> list[tuple[str, str, int]]:
    """The header blocks of files, each with the smallest id of its files and their number."""
    ids: dict[str, list[str]] = defaultdict(list)
    for file in files:
        ids[file["header"]].append(file["_id"])
    return [(min(of_block), block, len(of_block)) for block, of_block in ids.items()]


def agreed(fields: Mapping[str, Sequence[tuple[str, Any]]]) -> Document:
    """Per field the most frequent of (id, value) pairs that have one."""
    return _agreed({name: [(id_, value, 1) for id_, value in pairs] for name, pairs in fields.items()}, {})


def _agreed(fields: Mapping[str, Sequence[tuple[str, Any, int]]], disagreements: dict[str, int]) -> Document:
    """Per field the most frequent of (id, value, weight) votes that have one; how many say otherwise is added to `disagreements`."""
    values: Document = {}
    for name, votes in fields.items():
        there = [vote for vote in votes if vote[1] is not None]
        if not there:
            continue
        values[name] = most_weighty(there)
        others = sum(n for _, value, n in there if value != values[name])
        if others:
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
