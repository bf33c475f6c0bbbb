"""Conflicts and diagnostics of series, stacks and studies: functions of the set of files. Fields are named, their values are not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gyrus.dicom.diagnostics import summed
from gyrus.dicom.keys import is_twice
from gyrus.dicom.merge import hashable, most_frequent

Document = dict[str, Any]
Files = Sequence[Mapping[str, Any]]
Headers = Mapping[str, Mapping[str, Any]]

MOST_NAMED = 20  # series that a conflict of a study names
OF_STACKS = ("mixed_orientation", "mixed_matrix", "incomplete_volumes", "volumes_uncertain", "repeated_position")


# ── conflicts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def series_conflicts(
    files: Files, headers: Headers, outcomes: Mapping[str, Document], names: Mapping[Any, Sequence[str]]
) -> list[Document]:
    """`two_subjects`, `two_studies` and `conflicting_files` of a series, with the names of the fields that differ.

    names: the fields of the levels `subject` and `study`. n_files: how many are not as most are.
    """
    found: list[Document] = []
    blocks = [headers[block] for block in sorted({file["header"] for file in files})]
    for kind, level, field in (("two_subjects", "subject", "subjects"), ("two_studies", "study", "studies")):
        counts = Counter(file[level] for file in files)
        if len(counts) > 1:
            fields = [name for name in differing(blocks, names[level]) if name != "study_instance_uid"]
            found.append({"kind": kind, field: sorted(counts), "fields": fields, "n_files": len(files) - max(counts.values())})
    if others := [outcome["differs"] for outcome in outcomes.values() if outcome["outcome"] == "conflicting"]:
        found.append({"kind": "conflicting_files", "fields": sorted({name for names in others for name in names}), "n_files": len(others)})
    return found


def study_conflicts(study: str, series: Files) -> list[Document]:
    """Conflicts of a study. series: those that are shown in it, and those that have files of it (`studies`).

    n_series: how many name another subject than most do; how many are in two studies.
    """
    own = [one for one in series if one["study"] == study]
    shared = sorted((one for one in series if len(one.get("studies", ())) > 1), key=lambda one: str(one["_id"]))
    return [*_two_subjects(own), *_two_studies(shared)]


def _two_subjects(own: Files) -> list[Document]:
    subjects = {subject for one in own for subject in one.get("subjects", ())}
    if len(subjects) < 2:
        return []
    blocks = [one["subject_fields"] for one in own]
    fields = set(differing(blocks, {name for block in blocks for name in block})) | _fields(own, "two_subjects")
    usual = [most_frequent([(one["_id"], one["subject"]) for one in own])]
    n_series = sum(one["subjects"] != usual for one in own)
    return [{"kind": "two_subjects", "subjects": sorted(subjects), "fields": sorted(fields), "n_series": n_series}]


def _two_studies(shared: Files) -> list[Document]:
    if not shared:
        return []
    studies = sorted({name for one in shared for name in one["studies"]})
    ids = [one["_id"] for one in shared]
    fields = sorted(_fields(shared, "two_studies"))
    return [{"kind": "two_studies", "studies": studies, "fields": fields, "series": ids[:MOST_NAMED], "n_series": len(ids)}]


def differing(blocks: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """The fields that are not the same in all header blocks; to be absent is to differ."""
    return sorted(name for name in names if len({hashable(block.get(name)) for block in blocks}) > 1)


def _fields(series: Files, kind: str) -> set[str]:
    return {name for one in series for conflict in one["conflicts"] if conflict["kind"] == kind for name in conflict["fields"]}


# ── diagnostics ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stack_diagnostics(files: Files, described: Mapping[str, Any]) -> dict[str, int]:
    """What was odd in the files of a stack, and about the stack as a whole."""
    found = {code: 1 for code in described["completeness"]["reasons"] if code in OF_STACKS}
    if any(entry.get("pixels") == "equal" for entry in described["geometry"].get("repeated", ())):
        found["duplicate_content"] = 1
    return summed([*(file.get("diagnostics", {}) for file in files), found])


def series_diagnostics(files: Files, winners: Files, outcomes: Mapping[str, Document], made: Mapping[str, Any], stacks: Any) -> Document:
    """What was odd in the images of a series, in its stacks, and between its files."""
    of_stacks = [
        {code: n for code, n in stack["diagnostics"].items() if code in (*OF_STACKS, "duplicate_content")} for stack in stacks.values()
    ]
    between = {f"field_disagreement:{name}": count for name, count in made["disagreements"].items()}
    between |= {
        "identity_fallback": sum(file.get("subject_from") == "study" for file in files),
        "conflicting_duplicate": sum(outcome["outcome"] == "conflicting" for outcome in outcomes.values()),
        "uncompared_duplicate": sum("uncompared" in outcome for outcome in outcomes.values()),
        "duplicate_representation": int(is_twice(stacks)),
    }
    codes = {"two_subjects": "two_subjects", "two_studies": "series_multi_study"}
    between |= {codes[conflict["kind"]]: conflict["n_files"] for conflict in made["conflicts"] if conflict["kind"] in codes}
    return summed([*(file.get("diagnostics", {}) for file in winners), *of_stacks, between])
