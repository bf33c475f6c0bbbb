"""The elements of a file that was walked through. What its runs say in bytes that were seen before is not converted again."""

from collections import Counter
from dataclasses import dataclass

from gyrus.dicom.elements import CHARSET_TEXT, Blocks, Elements, Notes, creator_of, is_plain
from gyrus.dicom.field import Table
from gyrus.dicom.runs import Run, Runs, is_creator
from gyrus.dicom.values import CONVERTERS, Value
from gyrus.dicom.walk import Walked


@dataclass(frozen=True, slots=True)
class Facts:
    """What the steady elements of a run say: fields by name, tags that reserve private blocks with their creators, and what was odd."""

    fields: dict[str, Value]
    creators: tuple[tuple[int, str], ...]
    flaws: Counter[str]


class WalkedElements(Elements):
    """The top level of a walked file."""

    def __init__(self, walked: Walked, notes: Notes, table: Table, learned: Runs) -> None:
        super().__init__(walked, notes)
        self._walked, self._table, self._learned = walked, table, learned
        self._facts: list[Facts] | None = None

    def by_tag(self, table: Table) -> dict[str, Value]:
        """The fields whose own tag has a value here."""
        known: dict[str, Value] = {}
        for facts in self._said_by_runs():
            known.update(facts.fields)
            if facts.flaws:
                self.notes.flaws.update(facts.flaws)
        moving = [tag for run, _, _ in self._walked.runs for tag in run.moving]
        return known | self._fields_of([*self._walked.places, *moving], table)

    def sequences(self, table: Table) -> set[int]:
        """The tags of sequences that are here and in which a field may have its place; no run holds a sequence."""
        return table.by_sequence.keys() & self._walked.places.keys()

    def private_blocks(self) -> Blocks:
        """The blocks that each creator has reserved."""
        if self._blocks is None:
            reserved = [pair for facts in self._said_by_runs() for pair in facts.creators]
            reserved += [(tag, creator_of(self.parts(tag, "LO"))) for tag in filter(is_creator, self._walked.places)]
            self._blocks = {}
            for tag, creator in sorted(reserved):
                self._blocks.setdefault((tag >> 16, creator), []).append(tag & 0xFF)
        return self._blocks

    def _said_by_runs(self) -> list[Facts]:
        if self._facts is None:
            self._facts = [run.facts.get(values) or self._said(run, values) for run, _, values in self._walked.runs]
        return self._facts

    def _said(self, run: Run, values: tuple[bytes, ...]) -> Facts:
        """Convert the steady elements of a run; kept for the next file that has the same bytes, if no character set is needed."""
        others, self.notes.flaws = self.notes.flaws, Counter()
        fields: dict[str, Value] = {}
        creators: list[tuple[int, str]] = []
        for (tag, vr), raw in zip(run.steady_tags, values, strict=True):
            parts = self._parts(raw, self._vr(tag, vr, "LO" if is_creator(tag) else ""))
            if is_creator(tag):
                creators.append((tag, creator_of(parts)))
            elif one := self._table.by_tag.get(tag):
                value, flaw = CONVERTERS[one.kind](parts)
                if value is not None and value not in one.empty:
                    fields[one.name] = value
                if flaw:
                    self.notes.flaws[f"{flaw}:{one.name}"] += 1
        facts = Facts(fields, tuple(creators), self.notes.flaws)
        self.notes.flaws = others
        if all(is_plain(raw) for (_, vr), raw in zip(run.steady_tags, values, strict=True) if vr in CHARSET_TEXT):
            self._learned.keep(run, values, facts)
        return facts
