"""All keywords of all rules at once: one look at each word of a text says which of them stand there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from gyrus.classifier.core.facts import joined
from gyrus.classifier.core.text import Line

MAX_FACTOR = 16
"""The largest number that `#` stands for: no acceleration is faster, but patients are numbered."""

COUNTED = re.compile(r"([a-z]+)([0-9]{1,4})")
MANY_DIGITS = range(2, 5)
"""Digits of the number that `##` stands for, glued to its word or after it: b10 to "b 3000"."""

SMALLEST_PART = 3
LONG_ENOUGH = 6
"""Letters of a word that may be two words glued together in one case ("restbold"), and of the smallest of its parts."""
LONGEST_GLUED = 64
"""A description has no more characters (LO, PS3.5 6.2): a longer word is no text, and is not searched for parts."""


@dataclass(frozen=True)
class Lexicon:
    """Keywords by their first word. Each maps to a bit."""

    singles: Mapping[str, int]
    phrases: Mapping[str, tuple[tuple[Line, int], ...]]
    openings: Mapping[str, tuple[tuple[str, int], ...]]
    counted: Mapping[str, int]
    numbered: Mapping[str, int]
    closings: Mapping[str, int]
    endings: tuple[str, ...]
    head: int
    """Letters of the shortest opening; openings stand under so many of theirs."""

    @classmethod
    def of(cls, keywords: Mapping[str, int]) -> "Lexicon":
        singles, counted, numbered, closings = {}, {}, {}, {}
        openings: dict[str, tuple[tuple[str, int], ...]] = {}
        head = min([len(keyword) - 1 for keyword in keywords if keyword.endswith("~")], default=0)
        phrases: dict[str, tuple[tuple[Line, int], ...]] = {}
        for keyword, bit in keywords.items():
            first, *rest = keyword.split()
            if keyword.endswith("##"):
                numbered[keyword[:-2]] = bit
            elif keyword.endswith("#"):
                counted[keyword[:-1]] = bit
            elif keyword.startswith("~"):
                closings[keyword[1:]] = bit
            elif keyword.endswith("~"):
                openings[keyword[:head]] = (*openings.get(keyword[:head], ()), (keyword[:-1], bit))
            elif rest:
                phrases[first] = (*phrases.get(first, ()), (tuple(rest), bit))
            else:
                singles[keyword] = bit
        return cls(singles, phrases, openings, counted, numbered, closings, tuple(closings), head)

    @cached_property
    def whole(self) -> frozenset[str]:
        """The keywords of one word."""
        return frozenset(self.singles)

    @cached_property
    def leading(self) -> frozenset[str]:
        """Words that something may have to follow."""
        return frozenset((*self.phrases, *self.numbered))

    @cached_property
    def is_open(self) -> bool:
        """Whether a keyword has an end that is open for letters or a number."""
        return any((self.openings, self.closings, self.counted, self.numbered))

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """How the parts of a word glued together may begin."""
        return frozenset(word[:SMALLEST_PART] for word in self.singles)

    def facts(self, lines: Iterable[Line]) -> int:
        """The bits of all keywords that stand in one of the lines."""
        words = frozenset[str]().union(*lines)
        found = self._phrases(lines) if words & self.leading else 0
        for word in words & self.whole:
            found |= self.singles[word]
        for word in words if self.is_open else ():
            if bits := self._open(word):
                found |= bits
        for word in words - self.whole:
            if word[:SMALLEST_PART] in self.beginnings and LONG_ENOUGH <= len(word) <= LONGEST_GLUED and word.isalpha():
                found |= joined(self.singles[part] for part in self._parts(word))
        return found

    def _phrases(self, lines: Iterable[Line]) -> int:
        """Keywords of several words, and those that a number follows."""
        found = 0
        for line in lines:
            for place, word in enumerate(line):
                for rest, bit in self.phrases.get(word, ()):
                    if line[place + 1 : place + 1 + len(rest)] == rest:
                        found |= bit
                if word in self.numbered and _is_many_digits("".join(line[place + 1 : place + 2])):
                    found |= self.numbered[word]
        return found

    def _open(self, word: str) -> int:
        """Keywords with an open end."""
        found = 0
        for opening, bit in self.openings.get(word[: self.head], ()):
            found |= bit if word.startswith(opening) else 0
        if word[-1:].isdigit():
            match = COUNTED.fullmatch(word)
            if match and match[1] in self.counted and 1 < int(match[2]) <= MAX_FACTOR:
                found |= self.counted[match[1]]
            if match and match[1] in self.numbered and _is_many_digits(match[2]):
                found |= self.numbered[match[1]]
            return found
        if word.endswith(self.endings):
            for ending, bit in self.closings.items():
                found |= bit if word.endswith(ending) else 0
        return found

    def _parts(self, word: str) -> Line:
        """The keywords that a word is glued from, if they cover it wholly; the longest first part that works."""
        for end in range(len(word) - SMALLEST_PART, SMALLEST_PART - 1, -1):
            if word[:end] in self.singles:
                rest = word[end:]
                if rest in self.singles:
                    return word[:end], rest
                if len(rest) >= LONG_ENOUGH and (more := self._parts(rest)):
                    return (word[:end], *more)
        return ()


def _is_many_digits(word: str) -> bool:
    return word.isdigit() and len(word) in MANY_DIGITS
