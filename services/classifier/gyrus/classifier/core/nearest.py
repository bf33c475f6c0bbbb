"""Which rule came nearest to speaking, and what it lacked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gyrus.classifier.core.compiled import ValueRule
from gyrus.classifier.core.detect import Asked
from gyrus.classifier.core.facts import COMPARISON, Index, Term, holds


@dataclass(frozen=True)
class Near:
    """One way in which a rule could have spoken: facts that it asks for and that hold, and what stands in its way."""

    known: ValueRule
    held: int
    missing: int
    against: int
    barred: tuple[str, ...]

    @property
    def distance(self) -> tuple[int, int, int]:
        """Sorts the nearest first: least lacking, then most held, then the place in the priority list."""
        return self.missing.bit_count() + self.against.bit_count() + len(self.barred), -self.held.bit_count(), self.known.place


def nearest(rules: Sequence[ValueRule], asked: Asked, index: Index) -> dict[str, Any] | None:
    """The rule of which something holds and least lacks: {value, held, lacked}, in the words of the rule files; None if nothing holds."""
    ways = (way for known in rules for way in _ways(known, asked.reading.facts))
    best = min(ways, key=lambda way: way.distance, default=None)
    if best is None:
        return None
    lacked = (
        *(_said(name, asked.measured) for name in index.names(best.missing)),
        *(f"no {name}" for name in index.names(best.against)),
        *best.barred,
    )
    return {"value": best.known.value, "held": list(index.names(best.held)), "lacked": list(lacked)}


def _ways(known: ValueRule, facts: int) -> Iterator[Near]:
    barred = tuple(_barred(known, facts))
    for term in (*known.speaking, *(Term(bit, 0, evidence.value) for bit, evidence in known.keywords)):
        if held := term.need & facts:
            yield Near(known, held, term.need & ~facts, term.never & facts, barred)


def _barred(known: ValueRule, facts: int) -> Iterable[str]:
    yield from (written for written, condition in known.requires if not holds(condition, facts))
    yield from (f"not {written}" for written, condition in known.excludes if holds(condition, facts))
    yield from (f"not {term.written}" for term in known.unless if term.holds(facts))


def _said(name: str, measured: Mapping[str, float]) -> str:
    """A fact that is missing; of a comparison also what was measured."""
    match = COMPARISON.match(name)
    if not match:
        return name
    value = measured.get(match[1])
    return (
        f"{match[1]} {match[2]} {match[3]} (it is {value:.4g})" if value is not None else f"{match[1]} {match[2]} {match[3]} (not measured)"
    )
