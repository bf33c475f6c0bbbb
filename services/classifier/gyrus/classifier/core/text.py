"""Words of a description: how free text becomes the seed's search blob, and how a keyword is looked for in it.

A keyword is matched against whole words, never against letters inside one: `adc` is not in "HeadCoil", `task` not in
"multitasking". Words are cut at everything that is not a letter or digit, and where a name is glued together: at a change from
lower to upper case, and between letters and digits ("BOLD210", "AxT2", "3DB0Map").
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

CANONICAL = {
    "ir": "inversion-recovery",
    "pd": "proton-density",
    "pdw": "proton-density",
    "se": "spin-echo",
    "gre": "gradient-echo",
    "t1": "t1w",
    "t2": "t2w",
    "loc": "localizer",
    "scout": "localizer",
    "surv": "localizer",
    "pha": "phase",
    "mag": "magnitude",
}
"""Short words and what they stand for."""

PREFIX_LETTERS = 5
"""A keyword of at least so many letters also matches the beginning of a longer word ("localizer" in "localizers")."""

MAX_FACTOR = 16
"""The largest number that `#` stands for: no acceleration is faster, but patients are numbered."""

# A weighting or field name, a dimension, digits, or letters up to the next change from lower to upper case.
PIECE = re.compile(r"[tT][12](?![0-9])(?:star|[wW](?![a-zA-Z]))?|[bB][01](?![0-9])|[23][dD](?![a-z]{2})|[0-9]+|[A-Z]+[a-z]*|[a-z]+")
CONTRAST_SIGN = re.compile(
    r"(?<![a-z0-9])([+-]) ?(c|k|gd|km|gad|gado)(?![a-z0-9])|(?<![a-z0-9])(c|k|gd|km)([+-])(?![a-z0-9])", re.IGNORECASE
)


@dataclass(frozen=True)
class Words:
    """The words of a text in order: `whole` as they were written, `pieces` after glued names were cut apart."""

    whole: tuple[str, ...]
    pieces: tuple[str, ...]

    @cached_property
    def single(self) -> frozenset[str]:
        return frozenset((*self.whole, *self.pieces))

    def hit(self, keyword: "Keyword") -> bool:
        if len(keyword.words) > 1:
            return any(_contains(line, keyword.words) for line in (self.whole, self.pieces))
        wanted = keyword.words[0]
        if wanted in self.single:
            return True
        if wanted.endswith("#"):
            return any(_is_factor(word.removeprefix(wanted[:-1])) for word in self.single if word.startswith(wanted[:-1]))
        opens = len(wanted) >= PREFIX_LETTERS and wanted.isalpha()
        return opens and any(word.startswith(wanted) for word in self.single)


@dataclass(frozen=True)
class Keyword:
    """A word or phrase of a rule file as it was written, and as it is looked for. `#` at the end stands for a number from 2 to 16."""

    text: str
    words: tuple[str, ...]


def ascii_text(raw: str) -> str:
    """Fold accents instead of cutting at them, and keep the two signs that carry meaning: T2* and +C / -C."""
    folded = unicodedata.normalize("NFKD", raw.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).replace("*", "star")
    return CONTRAST_SIGN.sub(_spoken_sign, plain)


def _spoken_sign(match: re.Match[str]) -> str:
    sign = match[1] or match[4]
    return " with-agent " if sign == "+" else " without-agent "


def _chunks(raw: str) -> list[str]:
    return [chunk.strip("-") for chunk in re.split(r"[^A-Za-z0-9-]+", ascii_text(raw)) if chunk.strip("-")]


def _canonical(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(CANONICAL.get(word, word) for word in words)


@cache
def _spoken() -> frozenset[str]:
    """Words with a hyphen that the normaliser itself writes; every other hyphen separates two words."""
    return frozenset({*(name for name in CANONICAL.values() if "-" in name), "with-agent", "without-agent"})


def _split_hyphens(chunk: str) -> list[str]:
    return [chunk] if chunk.lower() in _spoken() else [part for part in chunk.split("-") if part]


def words_of(raw: str) -> Words:
    """Cut a text into words."""
    parts = [part for chunk in _chunks(raw) for part in _split_hyphens(chunk)]
    pieces = [piece for part in parts for piece in ([part] if part.lower() in _spoken() else PIECE.findall(part))]
    return Words(_canonical(part.lower() for part in parts), _canonical(piece.lower() for piece in pieces))


def search_blob(*texts: str) -> str:
    """Join the words of several texts, without repeats: the seed's `text_search_blob`."""
    words = [word for text in texts for word in words_of(text).whole]
    if "mpr" in words and "t1w" in words and "3d" in words:
        words = ["mprage" if word == "mpr" else word for word in words]
    return " ".join(dict.fromkeys(words))


def keyword(text: str) -> Keyword:
    """Normalise a keyword exactly as the text is, so that it can be found."""
    if text.endswith("#"):
        return Keyword(text, (text.lower(),))
    return Keyword(text, words_of(text).whole)


def _contains(line: Sequence[str], phrase: tuple[str, ...]) -> bool:
    span = len(phrase)
    return any(line[start] == phrase[0] and tuple(line[start : start + span]) == phrase for start in range(len(line) - span + 1))


def _is_factor(rest: str) -> bool:
    return len(rest) <= len(str(MAX_FACTOR)) and rest.isdecimal() and 1 < int(rest) <= MAX_FACTOR
