"""What other rules would change: stored labels beside new verdicts, counted by axis, by move and by rule."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.verdict import Verdict

Document = dict[str, Any]
MOST_TOLD = 1000
"""Stacks that are named; all are counted."""


@dataclass(frozen=True)
class Change:
    """One axis of one stack: its values before and after."""

    axis: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def told(self) -> Document:
        return {"axis": self.axis, "from": list(self.before), "to": list(self.after)}


def changes_of(label: Mapping[str, Any], verdict: Verdict) -> tuple[Change, ...]:
    """The axes on which a stored label and a verdict differ."""
    pairs = ((axis, values_of(label.get(axis), axis), verdict.axes[axis].values) for axis in AXES)
    return tuple(Change(axis, before, after) for axis, before, after in pairs if before != after)


def values_of(value: Any, axis: str) -> tuple[str, ...]:
    """The values of an axis as a label has them; `unknown` is none."""
    if AXES[axis].many:
        return tuple(value or ())
    return () if value is None or value == "unknown" else (value,)


@dataclass
class Tally:
    """Counts over all stacks."""

    stacks: int = 0
    changed: int = 0
    evidence_only: int = 0
    axes: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    named: list[Document] = field(default_factory=list)

    def add(self, stack: str, label: Mapping[str, Any], verdict: Verdict) -> bool:
        """Count one stack; whether anything of its label would be another one."""
        self.stacks += 1
        if label.get("digest") == verdict.digest:
            return False
        changes = changes_of(label, verdict)
        self.changed += bool(changes)
        self.evidence_only += not changes
        for change in changes:
            self._count(change)
        if changes and len(self.named) < MOST_TOLD:
            self.named.append({"stack": stack, "changes": [change.told for change in changes]})
        return True

    def take(self, later: "Tally") -> None:
        """Add what was counted of later stacks."""
        self.stacks += later.stacks
        self.changed += later.changed
        self.evidence_only += later.evidence_only
        self.axes.update(later.axes)
        self.moves.update(later.moves)
        self.rules.update(later.rules)
        self.named = [*self.named, *later.named][:MOST_TOLD]

    def _count(self, change: Change) -> None:
        self.axes[change.axis] += 1
        self.moves[change.axis, ", ".join(change.before), ", ".join(change.after)] += 1
        for value in {*change.after} - {*change.before}:
            self.rules[f"{change.axis}.{value}", "gained"] += 1
        for value in {*change.before} - {*change.after}:
            self.rules[f"{change.axis}.{value}", "lost"] += 1

    def document(self) -> Document:
        """Plain JSON. `stacks` names the first MOST_TOLD that change; `evidence_only` counts what keeps its values."""
        rules = sorted({rule for rule, _ in self.rules})
        return {
            "n": self.stacks,
            "changed": self.changed,
            "evidence_only": self.evidence_only,
            "axes": [{"axis": axis, "n": n} for axis, n in self.axes.most_common()],
            "moves": [{"axis": axis, "from": before, "to": after, "n": n} for (axis, before, after), n in self.moves.most_common()],
            "rules": [{"rule": rule, "gained": self.rules[rule, "gained"], "lost": self.rules[rule, "lost"]} for rule in rules],
            "stacks": self.named,
        }


def broken(corrections: Iterable[Mapping[str, Any]], old: Mapping[str, Verdict], new: Mapping[str, Verdict]) -> Iterator[Document]:
    """What becomes of what people set: of corrections that stand. old, new: stack → verdict that knows no correction.

    {stack, axis, value, breaks}: `breaks` where the old rules say what the person says and the new ones do not; else both differ from it.
    """
    for one in corrections:
        stack, axis = one["stack"], one["axis"]
        wanted = frozenset(values_of(one["value"], axis))
        if frozenset(new[stack].axes[axis].values) != wanted:
            agreed = frozenset(old[stack].axes[axis].values) == wanted
            yield {"stack": stack, "axis": axis, "value": one["value"], "says": list(new[stack].axes[axis].values), "breaks": agreed}
