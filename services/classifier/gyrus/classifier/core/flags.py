"""Unified flags: questions that every vendor's header answers in its own way, built from `unified-flags-reference.yaml`.

A flag remembers how well it is founded: what only words say, or only a number, is not what a tag says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from gyrus.classifier.core.facts import WORDS, Index, Term, joined, names_in, rarest

LENT, WORDED, COUNTED, TAGGED = 1, 2, 3, 4
"""How well a flag is founded; the best source counts."""

BLOCK = 8
"""Flags that are passed over together."""


class Reading(NamedTuple):
    """The facts of one stack: `facts` all, and those that stand on words alone, on numbers, or on what siblings are (`lent`)."""

    facts: int
    worded: int
    counted: int
    lent: int = 0


@dataclass(frozen=True)
class Flag:
    """One unified flag: any of `sources` sets it. `plain` joins the sources that are one tag's flag, `words` those that are one keyword."""

    name: str
    bit: int
    plain: int
    words: int
    sources: tuple[Term, ...]
    trigger: int = 0
    """Facts without one of which none of the sources holds."""

    @cached_property
    def terms(self) -> tuple[tuple[int, int], ...]:
        """Of each source what must hold and what must not."""
        return tuple((term.need, term.never) for term in self.sources)


@dataclass(frozen=True)
class UnifiedFlags:
    """All of them, in an order in which each asks only for flags before it."""

    flags: tuple[Flag, ...]

    @classmethod
    def of(cls, sources: Mapping[str, Iterable[str]], index: Index) -> "UnifiedFlags":
        for name in sources:
            index.bit(name)
        return cls(tuple(_flag(name, sources[name], index) for name in in_order(sources))).triggered({})

    def triggered(self, met: Mapping[int, int]) -> "UnifiedFlags":
        """The same flags, each asked only where a fact is there without which it cannot be. met: fact → in how many headers it was met."""
        return UnifiedFlags(tuple(replace(flag, trigger=flag.plain | flag.words | rarest(flag.sources, met)) for flag in self.flags))

    @cached_property
    def blocks(self) -> tuple[tuple[int, tuple[Flag, ...]], ...]:
        """The flags in their order, a few under the triggers of all of them: most blocks are passed over at one look."""
        blocks = (self.flags[first : first + BLOCK] for first in range(0, len(self.flags), BLOCK))
        return tuple((joined(flag.trigger for flag in block), block) for block in blocks)

    def read(self, reading: Reading) -> Reading:
        facts, worded, counted, lent = reading.facts, reading.worded, reading.counted, reading.lent
        for trigger, block in self.blocks:
            for flag in block if facts & trigger else ():
                if not facts & flag.trigger:
                    continue
                bit, soft = flag.bit, WORDED if facts & flag.words else 0
                if facts & flag.plain:
                    facts |= bit
                    continue
                for need, never in flag.terms:
                    if facts & need == need and not facts & never:
                        soft = max(soft, LENT if need & lent else WORDED if need & worded else COUNTED if need & counted else TAGGED)
                        if soft == TAGGED:
                            break
                if soft:
                    facts |= bit
                if soft == WORDED:
                    worded |= bit
                elif soft == COUNTED:
                    counted |= bit
                elif soft == LENT:
                    lent |= bit
        return Reading(facts, worded, counted, lent)


def _flag(name: str, sources: Iterable[str], index: Index) -> Flag:
    plain, words, terms = 0, 0, []
    for source in sources:
        for term in index.condition(source):
            if is_tag(term.written):
                plain |= term.need
            elif is_keyword(term.written):
                words |= term.need
            else:
                terms.append(term)
    return Flag(name, index.bit(name), plain, words, tuple(terms))


def is_tag(written: str) -> bool:
    """Whether a source is one flag of one tag, which is as sure as a header can be."""
    return " & " not in written and not written.startswith("!") and "." in written and not any(sign in written for sign in ":<>")


def is_keyword(written: str) -> bool:
    """Whether a source is one keyword."""
    return " & " not in written and written.partition(":")[0] in WORDS


def in_order(sources: Mapping[str, Iterable[str]]) -> list[str]:
    """The flags so that each stands behind those that it asks for. Raises ValueError with the names of a circle."""
    ordered: dict[str, None] = {}
    asks = {name: [one for source in written for one in names_in(source) if one in sources] for name, written in sources.items()}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            raise ValueError(" → ".join((*trail[trail.index(name) :], name)))
        if name not in ordered:
            for other in asks[name]:
                visit(other, (*trail, name))
            ordered[name] = None

    for name in sources:
        visit(name, ())
    return list(ordered)
