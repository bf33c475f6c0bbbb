"""Words of a description: how free text becomes the seed's search blob, and into which words a keyword may fall.

A keyword is matched against whole words, never against letters inside one: `adc` is not in "HeadCoil", `task` not in
"multitasking". A text is read in up to three ways: as it is written ("ep2d bold"), cut where a name is glued together – between letters
and digits and at a change of case ("BOLD210", "3DB0Map", "SpinEchoFieldMap") – and with a small tail behind an abbreviation cut off
("PCASLhr", "SWIp", "IRMf").
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

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
    "fs": "fatsat",
    "fc": "flow-compensation",
    "mt": "magnetization-transfer",
    "prop": "propeller",
}
"""Short words and what they stand for."""

WITH_AGENT, WITHOUT_AGENT = "with-agent", "without-agent"
UNCUT = frozenset({*(name for name in CANONICAL.values() if "-" in name), WITH_AGENT, WITHOUT_AGENT})
"""Words with a hyphen that normalisation itself writes; every other hyphen separates two words."""

CYRILLIC = dict(zip("абвгдезийклмнопрстуфхыэ", "abvgdeziiklmnoprstufhye", strict=True))
CYRILLIC |= {"ё": "e", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
FOLDED = {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "ı": "i", "*": "star"}
MEANT = str.maketrans(FOLDED | CYRILLIC | {letter.upper(): plain.capitalize() for letter, plain in CYRILLIC.items()})
"""Letters that fall apart into no plain one, and Cyrillic ones by sound."""

PERSON = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"[sS](?:[uU][bB]|[eE][sS])(?:-[A-Za-z]*[0-9][A-Za-z0-9]*|[_ ]?[0-9]{2,}(?![A-Za-z0-9]))"
    r"|(?:(?:Dr|Prof|Herr|Frau)[ _.]+|DR(?:\.[ _]?|[ _]+(?=[A-Z][ _.])))(?:[A-Z][ _.]+)*[A-Za-z]+)"
)
"""Whose image it is, or who asked for it, says nothing of what it shows: BIDS entities (`sub` is short for a subtraction too),
and what follows a title, initials and one name ("Dr M Gad")."""

PRODUCTS = frozenset({"aice"})
"""Names of products whose capitals part no words (AiCE is a reconstruction, CE an agent)."""

CHUNK = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
CONTRAST_SIGN = re.compile(
    r"(?<![a-z0-9])(\+ ?|-)(c|k|gd|km|gad|gado)(?![a-z0-9])"
    r"|(?<![a-z0-9])(?:c|ce|k|gd|km|iv)(?: ?\(([+-])\)|([+-]))(?![a-z0-9])"
    r"|(?<=[a-z0-9])(\+)(?:c|gd|km|gad|gado)(?![a-z0-9]|[ _-]*(?:sp|wir))",
    re.IGNORECASE,
)
GLUED = re.compile(r"[a-z][A-Z0-9]|[A-Z]{2}[a-z]|[0-9][A-Za-z]|[A-Z][0-9]")
TAIL = re.compile(r"[A-Z]{2}[a-z]{1,2}(?![a-z])")
# A decimal (1p5mm), a weighting or field name, a dimension, one or two letters with their number (GD0, p2), digits,
# or letters up to the next change of case.
_COMMON = (
    r"(?<![A-Za-z0-9])[0-9]p[0-9]+|[0-9]p[0-9]+(?=mm|iso)"
    r"|[rt]?fMRI|[a-z]+?(?=fMRI)|[tT][12](?![0-9])(?:star|[wW](?![a-z]))?|[bB][01](?![0-9])|[23][dD](?![a-z]{2})"
    r"|(?<![A-Za-z])[A-Za-z]{1,2}[0-9]+(?![0-9dD])|[0-9]+"
)
PIECE = re.compile(rf"{_COMMON}|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TAILED = re.compile(rf"{_COMMON}|[A-Z]{{2,}}(?=[a-z]{{1,2}}(?![a-z]))|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

Line = tuple[str, ...]
"""Words in order; an empty one parts two texts, so that no phrase reaches across."""


def ascii_text(raw: str) -> str:
    """Fold accents instead of cutting at them, and keep the two signs that carry meaning: T2* and +C / -C."""
    plain = PERSON.sub(" ", raw).translate(MEANT)
    if not plain.isascii():
        plain = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    if "+" in plain or "-" in plain:
        plain = CONTRAST_SIGN.sub(_spoken_sign, plain)
    return plain


def _spoken_sign(match: re.Match[str]) -> str:
    sign = (match[1] or match[3] or match[4] or match[5]).strip()
    return f" {WITH_AGENT} " if sign == "+" else f" {WITHOUT_AGENT} "


def _written(raw: str) -> list[str]:
    """The words as they stand, with their case."""
    words: list[str] = []
    for chunk in CHUNK.findall(ascii_text(raw)):
        if "-" in chunk and chunk.lower() not in UNCUT:
            words.extend(chunk.split("-"))
        else:
            words.append(chunk)
    return words


def _normal(words: Iterable[str]) -> Line:
    return tuple([CANONICAL.get(small := word.lower(), small) for word in words])


def words_of(text: str) -> Line:
    """The words of a text as they stand there, normalised."""
    return _normal(_written(text))


def parted(text: str) -> list[str]:
    """The words of one of several texts as they stand there, and the empty one behind them."""
    return [*_written(text), ""] if text else []


def lines_of(text: str) -> list[Line]:
    """Every way to read a text, as `readings` gives them."""
    return readings(parted(text))


def readings(words: Sequence[str]) -> list[Line]:
    """Every way to read these words: as written; cut; cut with tails. Ways that say nothing new are left out."""
    lines, whole = [_normal(words)], " ".join(words)
    for sign, pattern in ((GLUED, PIECE), (TAIL, TAILED)):
        if sign.search(whole):
            cut = _normal([part for word in words for part in (pattern.findall(word) if _is_glued(word) else (word,))])
            if cut not in lines:
                lines.append(cut)
    return lines


def _is_glued(word: str) -> bool:
    return GLUED.search(word) is not None and "-" not in word and word.lower() not in PRODUCTS


def search_blob(*texts: str) -> str:
    """Join the words of several texts, without repeats: the seed's `text_search_blob`."""
    words = [word for text in texts for word in _normal(_written(text))]
    if "mpr" in words and "t1w" in words and "3d" in words:
        words = ["mprage" if word == "mpr" else word for word in words]
    return " ".join(dict.fromkeys(words))


def keyword(text: str) -> str:
    """A keyword, normalised exactly as the text is, but for the signs of an open one.

    Behind a word `#` stands for a number from 2 to 16, `##` for one of two to four digits, `~` for any letters, as it does before a word.
    """
    if text[:1] == "~" or text[-1:] in ("#", "~"):
        return text.lower()
    return " ".join(_normal(_written(text)))
