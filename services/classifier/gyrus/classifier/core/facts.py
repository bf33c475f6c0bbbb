"""Everything that is true of a stack, as bits of one number; and the small language in which flags and rules ask for it.

A fact has a name: `image_type.has_adc` (flag of a tag), `has_se` (unified flag), `text:dark fluid` (words of description or protocol),
`description:adc`, `comment:single band reference`, `echo_time>18` (ms), `vendor=GE`, `technique=MPRAGE` (what an axis decided).
A condition joins facts: ` & ` both, ` | ` either, `!` not. `&` binds tighter than `|`; there are no brackets.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gyrus.classifier.core.text import keyword

COMPARISON = re.compile(r"^([a-z_0-9]+)([<>])(-?[0-9.]+)$")
WORDS = ("text", "description", "comment")
"""Where words may be looked for: description and protocol, description alone, image comments."""


@dataclass(frozen=True)
class Term:
    """What must hold together: all facts of `need`, none of `never`."""

    need: int
    never: int
    written: str

    def holds(self, facts: int) -> bool:
        return facts & self.need == self.need and not facts & self.never


Condition = tuple[Term, ...]
"""Any of the terms."""


def holds(condition: Condition, facts: int) -> bool:
    for term in condition:  # noqa: SIM110 - the innermost loop: a generator costs twice as much
        if facts & term.need == term.need and not facts & term.never:
            return True
    return False


def bits_of(facts: int) -> Iterator[int]:
    """The facts one by one."""
    while facts:
        lowest = facts & -facts
        yield lowest
        facts ^= lowest


def joined(masks: Iterable[int]) -> int:
    """All facts of several masks."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def rarest(terms: Iterable[Term], met: Mapping[int, int]) -> int:
    """Of each term the fact that fewest headers have: without it the term does not hold. met: fact → in how many it was met."""
    return joined(min(bits_of(term.need), key=lambda bit: met.get(bit, 0)) for term in terms)


@dataclass
class Index:
    """Which bit stands for which fact. Asking for a fact gives it a bit; who sets it is told by `words` and `thresholds`."""

    bits: dict[str, int] = field(default_factory=dict)

    def bit(self, name: str) -> int:
        return self.bits.setdefault(name, 1 << len(self.bits))

    def condition(self, written: str) -> Condition:
        return tuple(self._term(alternative) for alternative in written.split(" | "))

    def _term(self, written: str) -> Term:
        need = never = 0
        for part in written.split(" & "):
            name = part.strip()
            bit = self.bit(canonical(name.removeprefix("!")))
            if name.startswith("!"):
                never |= bit
            else:
                need |= bit
        return Term(need, never, written.strip())

    def names(self, facts: int) -> Iterator[str]:
        """The names of the facts that are set, in the order in which they were first asked for."""
        return (name for name, bit in self.bits.items() if facts & bit)

    def words(self, where: str) -> Mapping[str, int]:
        """Keyword → bit, of the words that are asked for in one of WORDS."""
        return {name.partition(":")[2]: bit for name, bit in self.bits.items() if name.startswith(f"{where}:")}

    def thresholds(self) -> Mapping[str, list[tuple[float, str, int]]]:
        """Number → (threshold, sign, bit) of all comparisons that are asked for."""
        found: dict[str, list[tuple[float, str, int]]] = {}
        for name, bit in self.bits.items():
            if match := COMPARISON.match(name):
                found.setdefault(match[1], []).append((float(match[3]), match[2], bit))
        return found


def canonical(name: str) -> str:
    """The one spelling of a fact: words as the text is normalised, comparisons without blanks."""
    where, colon, words = name.partition(":")
    if colon and where in WORDS:
        return f"{where}:{keyword(words)}"
    match = COMPARISON.match(name.replace(" ", ""))
    return f"{match[1]}{match[2]}{float(match[3]):g}" if match else name


def names_in(written: str) -> Iterator[str]:
    """The facts that a condition names, without signs."""
    for alternative in written.split(" | "):
        for part in alternative.split(" & "):
            yield canonical(part.strip().removeprefix("!"))
