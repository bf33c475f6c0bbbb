"""What settling writes on the documents of files, as updates. Pure.

A file's first outcome can be written before the series is paid, by whoever is first: nobody has said anything of the file yet, and a
settler that finds one where it read none starts again. An outcome that there was is changed in the paying transaction only, where the
debt's `n` keeps out a settler that read early and writes late.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]
Outcomes = Mapping[str, Mapping[str, Any]]  # by the file's id
Write = tuple[Document, Document]  # filter and change

OF_OUTCOME = ("outcome", "differs", "uncompared")


def first_writes(series: str, files: Iterable[Mapping[str, Any]], outcomes: Outcomes) -> list[Write]:
    """First outcomes, and the series out of `unsettled`: one update for all files of which the same is said.

    The filter of each names its files under `_id`, and holds for a file only while its document is what was read.
    """
    alike: dict[str, tuple[Write, list[str]]] = {}
    for file in files:
        if write := _first_write(series, file, outcomes.get(file["_id"])):
            alike.setdefault(repr(write), (write, []))[1].append(file["_id"])
    return [({"_id": {"$in": ids}, **where}, change) for (where, change), ids in alike.values()]


def _first_write(series: str, file: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> Write | None:
    where: Document = {"rev": file["rev"]}
    change: Document = defaultdict(dict)
    if outcome is not None and file["outcome"] is None:
        where["outcome"] = None
        change["$set"] |= {name: value for name, value in _wanted(file, outcome).items() if value is not None}
    if series in file.get("unsettled", ()):
        where["unsettled"] = file["unsettled"]
        rest = [other for other in file["unsettled"] if other != series]
        change["$set" if rest else "$unset"] |= {"unsettled": rest}
    return (where, dict(change)) if change else None


def changed_writes(files: Iterable[Mapping[str, Any]], outcomes: Outcomes) -> list[Write]:
    """Outcomes that there were, and that are others now."""
    writes: list[Write] = []
    for file in files:
        if file["_id"] not in outcomes or file["outcome"] is None:
            continue
        changed = {name: value for name, value in _wanted(file, outcomes[file["_id"]]).items() if file.get(name) != value}
        plain = {
            "$set": {name: value for name, value in changed.items() if value is not None},
            "$unset": {name: "" for name, value in changed.items() if value is None},
        }
        if changed:
            writes.append(({"_id": file["_id"], "rev": file["rev"]}, {operator: fields for operator, fields in plain.items() if fields}))
    return writes


def _wanted(file: Mapping[str, Any], outcome: Mapping[str, Any]) -> Document:
    """What a file's document says when it is settled; a digest of pixels that was made is kept."""
    return {**{name: outcome.get(name) for name in OF_OUTCOME}, "pixels": file.get("compared", file.get("pixels"))}
