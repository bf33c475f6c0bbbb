"""Which corrections stand: of each axis of a stack the last one, until it is withdrawn; and where they go when a stack's identity changes.

A stack is what its key says; a late file may change the keys of a series, so that the corrected stack retires. Its corrections then stand
for the one stack that lives in its series; where there are several, a person has to say which.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]
STANDS, CARRIED, WAITS, REPLACED = "stands", "carried over", "waits", "replaced"


def last_of(corrections: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """(stack, axis) → the correction that counts; `corrections` are in the order of their ids. Withdrawn ones are left out."""
    last = {(one["stack"], one["axis"]): one for one in corrections}
    return {key: one for key, one in last.items() if not one.get("withdrawn")}


def standing(corrections: Iterable[Mapping[str, Any]], stacks: Iterable[Mapping[str, Any]]) -> list[Document]:
    """The corrections that count, each for the stack that it is for now: `stack`, `corrected` (what it was said of) and `state`.

    stacks: {_id, series, retired} of the series that the corrections are of, retired ones too. What was said of a living stack itself
    wins over what is carried over to it; so does withdrawing it later. Where several that differ would go to one stack, they wait. What
    waits keeps its own stack.
    """
    said = list(corrections)
    last, order = last_of(said), {(one["stack"], one["axis"]): place for place, one in enumerate(said)}
    heirs = _heirs({stack for stack, _ in last}, stacks)
    values: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for (stack, axis), one in last.items():
        values[heirs[stack], axis].add(repr(sorted(one["value"]) if isinstance(one["value"], list) else one["value"]))
    found = []
    for (stack, axis), one in last.items():
        heir = heirs[stack]
        if heir == stack:
            state = STANDS
        elif heir is not None and ((heir, axis) in last or order.get((heir, axis), -1) > order[stack, axis]):
            state = REPLACED
        else:
            state = WAITS if heir is None or len(values[heir, axis]) > 1 else CARRIED
        found.append({**one, "stack": heir if state in (STANDS, CARRIED) else stack, "corrected": stack, "state": state})
    return found


def _heirs(corrected: Iterable[str], stacks: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Stack → the living stack that its corrections are for; None where there is none, or nobody can tell which."""
    living: dict[str, list[str]] = defaultdict(list)
    for stack in stacks:
        if not stack["retired"]:
            living[stack["series"]].append(stack["_id"])
    heirs: dict[str, str | None] = {}
    for one in corrected:
        there = living[one.rpartition("/")[0]]
        heirs[one] = one if one in there else there[0] if len(there) == 1 else None
    return heirs


def pins(corrections: Iterable[Mapping[str, Any]], stacks: Iterable[Mapping[str, Any]]) -> list[Document]:
    """What a classifier is given: the corrections that pin an axis of a living stack."""
    return [one for one in standing(corrections, stacks) if one["state"] in (STANDS, CARRIED)]
