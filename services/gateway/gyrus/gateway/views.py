"""Documents as people see them: what identifies a person is left out unless it is asked for.

`hidden` names what an answer leaves out: INTERNAL, and PERSONAL (with the site's own such fields) unless identifying fields were asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gyrus.dicom.field import Table
from gyrus.dicom.fields import STANDARD
from gyrus.shared.documents import stack_record

Document = dict[str, Any]
INTERNAL = frozenset(
    {"rev", "batch", "unsettled", "touched", "written", "jobs", "header", "digest", "context", "winners", "pixels", "open"}
)
COUNTED = frozenset({"disagreements", "diagnostics"})  # names of fields with counts: nothing in them names a person
DESCRIBED = ("fingerprint", "geometry", "ranges", "n_distinct", "diagnostics", "history", "version")


def personal(table: Table) -> frozenset[str]:
    """What identifies a person: paths, and the fields that a table says do."""
    return frozenset({"path", *(field.name for field in table.fields if field.phi)})


PERSONAL = personal(STANDARD)
HIDDEN = INTERNAL | PERSONAL


def visible(document: Mapping[str, Any], hidden: frozenset[str] = HIDDEN) -> Document:
    """A document without what is hidden."""
    shown: Document = {}
    for name, value in document.items():
        if name not in hidden and not isinstance(value, bytes):
            is_closed = isinstance(value, Mapping) and name not in COUNTED
            shown["id" if name == "_id" else name] = visible(value, hidden) if is_closed else value
    return shown


def stack(document: Mapping[str, Any], hidden: frozenset[str] = HIDDEN) -> Document:
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


def whole_stack(document: Mapping[str, Any], study: Mapping[str, Any], hidden: frozenset[str] = HIDDEN) -> Document:
    """A stack with everything: which visit it is of, evidence, geometry, ranges, what was odd, fingerprint, history."""
    label = document.get("classification") or {}
    details = {name: label.get(name) for name in ("confidence", "evidence", "alternatives", "no_evidence", "of", "plan")}
    described = {name: visible({name: document.get(name)}, hidden)[name] for name in DESCRIBED}
    return {**stack(document, hidden), "visit": study.get("visit"), **details, **described}


def file(document: Mapping[str, Any], hidden: frozenset[str] = HIDDEN) -> Document:
    """A file: its outcome and why, and where it is if paths are not hidden."""
    why = ("outcome", "reason", "detail", "differs", "uncompared", "diagnostics")
    names = ("cohort", "source", *why, "gone", "size", "series", "sop_instance_uid", "again_at")
    shown = {"id": document["_id"], **{name: document.get(name) for name in names}}
    return shown if "path" in hidden else {**shown, "path": document.get("path")}


View = Callable[[Mapping[str, Any], frozenset[str]], Document]
VIEWS: dict[str, View] = {"stacks": stack, "files": file}
