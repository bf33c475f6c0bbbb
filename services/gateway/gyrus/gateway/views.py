"""Documents as people see them: what identifies a person is left out unless it is asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from gyrus.dicom.fields import STANDARD
from gyrus.shared.documents import stack_record

Document = dict[str, Any]
INTERNAL = frozenset({"rev", "unsettled", "touched", "written", "jobs", "header", "digest", "context", "winners", "pixels", "open"})
COUNTED = frozenset({"disagreements", "diagnostics"})  # names of fields with counts: nothing in them names a person
DESCRIBED = ("fingerprint", "geometry", "ranges", "n_distinct", "diagnostics", "history", "version")
PERSONAL = frozenset({"path", *(field.name for field in STANDARD.fields if field.phi)})


def visible(document: Mapping[str, Any], phi: bool = False) -> Document:
    """A document without what is internal, and without what names a person unless `phi`."""
    hidden = INTERNAL if phi else INTERNAL | PERSONAL
    shown: Document = {}
    for name, value in document.items():
        if name not in hidden and not isinstance(value, bytes):
            is_closed = isinstance(value, Mapping) and name not in COUNTED
            shown["id" if name == "_id" else name] = visible(value, phi) if is_closed else value
    return shown


def stack(document: Mapping[str, Any], phi: bool = False) -> Document:
    """A stack: the record that online and offline share, and where it stands in the flow."""
    volume = document.get("volume") or {}
    return {
        "id": document["_id"],
        "cohort": document["cohort"],
        "study": document["study"],
        "subject": document["subject"],
        **stack_record(document, document.get("classification")),
        "series_description": document["fingerprint"].get("series_description"),
        "volume": {name: volume.get(name) for name in ("refused", "detail", "shape", "spacing_mm", "outputs")} if volume else None,
        "owed": sorted(name for name, debt in document.get("owed", {}).items() if "since" in debt),
        "failure": document.get("failure"),
        "retired": document["retired"],
    }


def whole_stack(document: Mapping[str, Any], phi: bool = False) -> Document:
    """A stack with everything: evidence, geometry, ranges, what was odd, fingerprint, history."""
    label = document.get("classification") or {}
    details = {name: label.get(name) for name in ("confidence", "evidence", "alternatives", "of", "plan")}
    described = {name: visible({name: document.get(name)}, phi)[name] for name in DESCRIBED}
    return {**stack(document, phi), **details, **described}


def file(document: Mapping[str, Any], phi: bool = False) -> Document:
    """A file: its outcome and why, and where it is if `phi`."""
    names = (
        *("cohort", "source", "outcome", "reason", "detail", "differs", "uncompared", "diagnostics"),
        *("gone", "size", "series", "sop_instance_uid", "again_at"),
    )
    shown = {"id": document["_id"], **{name: document.get(name) for name in names}}
    return {**shown, "path": document.get("path")} if phi else shown


View = Callable[[Mapping[str, Any], bool], Document]
VIEWS: dict[str, View] = {"stacks": stack, "files": file}
