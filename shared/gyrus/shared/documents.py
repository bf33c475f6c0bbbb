"""Shapes of documents that more than one room reads, and the record of a stack that people get – online and offline the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from gyrus.shared.ids import digest

Document = dict[str, Any]

OUTCOMES = ("extracted", "duplicate", "conflicting", "rejected", "unchanged")
FILE_OUTCOMES = (None, *OUTCOMES[:4], "deleted")  # of documents: none before it is settled, `deleted` of a tombstone
AXES = ("base", "technique", "modifier", "construct", "provenance", "acceleration")
LABELS = (*AXES, "contrast", "body_part", "intent")  # what a label says
PROBABLE = (*LABELS, "all")  # what has a probability; `all`: of the seven axes that are not contrast agent or body part
LIST_AXES = ("modifier", "construct", "acceleration")

ACTIVE, EVERYWHERE = "active", "*"  # the id of the document that names the active rules, and the cohort of rules

# How volumes are made and laid out; part of a label's plan and of what a cache was made of, so that a new recipe owes new volumes.
# 2: samples on voxels are not truncated, tokens in their order, mosaics and tilted gantries.
RECIPE = 2


def stack_record(stack: Mapping[str, Any], label: Mapping[str, Any] | None) -> Document:
    """A stack as people see it: identity, counts, completeness and label; null where unknown."""
    label = label or {}
    described = {key: stack.get(key) for key in ("n_files", "n_images", "b_values", "n_volumes", "orientation", "completeness")}
    axes = {axis: list(label.get(axis) or []) if axis in LIST_AXES else label.get(axis) for axis in AXES}
    return {
        "series_uid": stack.get("series_instance_uid"),
        "stack_key": stack.get("stack_key"),
        "kind": stack.get("kind"),
        "modality": stack.get("modality"),
        **described,
        **axes,
        "contrast": label.get("contrast"),
        "body_part": label.get("body_part"),
        "intent": label.get("intent"),
        "probability": {axis: (label.get("probability") or {}).get(axis) for axis in PROBABLE},
        "review": list(label.get("review") or []),
        "review_kinds": list(label.get("review_kinds") or []),
        "review_group": label.get("review_group"),
    }


def winners_of(files: Iterable[Mapping[str, Any]]) -> str:
    """The digest of the files that a stack is made of: instance, content, size and mtime of each, whatever their order and paths."""
    return digest(sorted([file["sop_instance_uid"], file["digest"], file["size"], file["mtime_ns"]] for file in files))
