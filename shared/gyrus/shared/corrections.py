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

    stacks: {_id, series, retired} of the series that the corrections are of, retired ones too. One said of a living stack itself wins
    over one that is carried over to it. What waits keeps its own stack.
    """
    known = {stack["_id"]: stack for stack in stacks}
    living: dict[str, list[str]] = defaultdict(list)
    for one_known in known.values():
        if not one_known["retired"]:
            living[one_known["series"]].append(one_known["_id"])
    last = last_of(corrections)
    found = []
    for (stack, axis), one in last.items():
        heir = _heir(stack, known, living)
        if heir is not None and heir != stack and (heir, axis) in last:
            heir, state = stack, REPLACED
        else:
            state = WAITS if heir is None else STANDS if heir == stack else CARRIED
        found.append({**one, "stack": heir or stack, "corrected": stack, "state": state})
    return found


def _heir(stack: str, known: Mapping[str, Mapping[str, Any]], living: Mapping[str, list[str]]) -> str | None:
    """The living stack that a correction is for; None where there is none, or nobody can tell which."""
    if stack in known and not known[stack]["retired"]:
        return stack
    others = living.get(stack.rpartition("/")[0], [])
    return others[0] if len(others) == 1 else None


def pins(corrections: Iterable[Mapping[str, Any]], stacks: Iterable[Mapping[str, Any]]) -> list[Document]:
    """What a classifier is given: the corrections that pin an axis of a living stack."""
    return [one for one in standing(corrections, stacks) if one["state"] in (STANDS, CARRIED)]
