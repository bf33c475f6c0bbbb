"""What is odd about a stack, in sentences: what its geometry lacks, what contradicts itself around it, what its headers had."""

from collections.abc import Mapping
from typing import Any

from gyrus.dicom.diagnostics import sentence_of

Document = dict[str, Any]


def told(stack: Mapping[str, Any]) -> list[Document]:
    """Rows {what, odd}, the weightiest first."""
    rows = [{"what": "completeness", "odd": words} for words in (stack.get("completeness") or {}).get("words", ())]
    rows += [{"what": f"conflict in the {one['of']}", "odd": sentence_of_conflict(one)} for one in stack.get("conflicts") or ()]
    counts = stack.get("diagnostics") or {}
    return rows + [{"what": f"{count} × {code.partition(':')[0]}", "odd": sentence_of(code)} for code, count in counts.items()]


def sentence_of_conflict(conflict: Mapping[str, Any]) -> str:
    """A conflict of a series or study for people: what it is between, how much of it, and which fields differ."""
    files = conflict.get("n_files")
    amount = f"{conflict.get('n_series', 0)} series" if files is None else "1 file" if files == 1 else f"{files} files"
    between = {
        "two_subjects": f"It names the subjects {_named(conflict, 'subjects')}; otherwise than most: {amount}.",
        "two_studies": f"Files of one series name the studies {_named(conflict, 'studies')}: {amount}.",
        "conflicting_files": f"The identifier of another file and other content: {amount}.",
    }
    said = between.get(conflict["kind"], f"{conflict['kind']} ({amount}).")
    fields = ", ".join(conflict.get("fields", ()))
    return f"{said} What differs: {fields}." if fields else said


def _named(conflict: Mapping[str, Any], what: str) -> str:
    return ", ".join(one.partition("/")[2] for one in conflict.get(what, ()))
