"""What a rule file may speak of. A name that nothing sets would be a rule that never fires; it is refused where it is written."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gyrus.classifier.core import numbers
from gyrus.classifier.core.errors import allowed
from gyrus.classifier.core.facts import COMPARISON, WORDS, names_in
from gyrus.classifier.core.reader import VENDORS
from gyrus.classifier.core.text import keyword
from gyrus.classifier.core.yaml_lines import Page

if TYPE_CHECKING:
    from gyrus.classifier.core.rules import FlagReference, VocabularyPage

Known = Mapping[str, tuple[str, ...]]
"""Kind of fact → the names that exist: `flag` for tags and unified flags, `vendor`, `modality`, …, and each axis with its values."""

MODALITIES = (
    "MR",
    "CT",
    "PT",
    "NM",
    "US",
    "CR",
    "DX",
    "XA",
    "MG",
    "SR",
    "PR",
    "KO",
    "OT",
    "SC",
    "DOC",
    "REG",
    "SEG",
    "RTSTRUCT",
    "RTDOSE",
    "RTPLAN",
)
SEQUENCE_FLAGS = ("is_2d", "is_3d", "has_several_contrasts", "has_two_contrasts")
PRODUCED = re.compile(r"[a-z0-9-]+( [a-z0-9-]+)*|[a-z0-9-]+#{1,2}|~?[a-z0-9-]+~?")
SHORTEST_OPEN = 5
"""Letters of a keyword that may be part of a longer word; fewer stand in words that mean something else."""


def known_facts(words: "VocabularyPage", flags: "FlagReference", values: Mapping[str, tuple[str, ...]]) -> Known:
    """Every fact that a condition may name, but words and comparisons."""
    tags = {"image_type": words.image_type, "scanning_sequence": words.scanning_sequence}
    tags |= {"sequence_variant": words.sequence_variant, "scan_options": words.scan_options}
    names = [f"{tag}.{flag}" for tag, page in tags.items() for flag in (*page.flags, *page.late)]
    names += [f"attributes.{flag}" for rows in words.attributes.values() for flag in rows]
    sequence = words.sequence_name
    stems = [flag for rows in (*sequence.makers.values(), sequence.endings, sequence.combined) for flag in rows]
    names += [f"sequence_name.{flag}" for flag in (*stems, *SEQUENCE_FLAGS)]
    names += [f"sibling.{trait}" for trait in words.siblings]
    names += [flag for category in flags.categories.values() for flag in category.flags]
    return {
        "flag": tuple(dict.fromkeys(names)),
        "vendor": (*VENDORS, "OTHER"),
        "manufacturer": (*words.manufacturers, "OTHER"),
        "modality": MODALITIES,
        "agent": ("yes", "no"),
        **values,
    }


def check_condition(page: Page, place: tuple[Any, ...], written: str, known: Known) -> None:
    """Raises RulesetError where a condition names a fact that does not exist."""
    for name in names_in(written):
        kind, colon, words = name.partition(":")
        if colon and kind in WORDS:
            check_keyword(page, place, words)
        elif match := COMPARISON.match(name):
            if match[1] not in numbers.ALL:
                raise page.error(place, f"no number is called {match[1]!r}; {allowed(match[1], numbers.ALL)}")
        elif "=" in name:
            _check_value(page, place, name, known)
        elif name not in known["flag"]:
            raise page.error(place, f"no flag is called {name!r}; {allowed(name, known['flag'])}")


def check_positive(page: Page, place: tuple[Any, ...], written: str) -> None:
    """Raises RulesetError where something is to follow from mere absence: nothing would ever ask for it."""
    for alternative in written.split(" | "):
        if all(part.strip().startswith("!") for part in alternative.split(" & ")):
            raise page.error(place, f"{alternative!r} says only what is not there; name at least one thing that is")


def _check_value(page: Page, place: tuple[Any, ...], name: str, known: Known) -> None:
    kind, _, value = name.partition("=")
    if kind not in known:
        raise page.error(place, f"nothing is called {kind!r}; {allowed(kind, known)}")
    if value not in known[kind]:
        raise page.error(place, f"axis {kind!r} has no value {value!r}; {allowed(value, known[kind])}")


def check_keyword(page: Page, place: tuple[Any, ...], text: str) -> None:
    """Raises RulesetError where a keyword is nothing that a normalised text can contain."""
    normal = keyword(text)
    if not normal:
        raise page.error(place, f"keyword {text!r} has no letter or digit, no text can match it")
    if not PRODUCED.fullmatch(normal):
        raise page.error(
            place,
            f"keyword {text!r} can never be found: only small letters, digits and blanks are left of a text; #, ## and ~ end one word",
        )
    if "~" in normal and len(normal.strip("~")) < SHORTEST_OPEN:
        raise page.error(
            place, f"keyword {text!r} is too short to be a part of words; write {SHORTEST_OPEN} letters or more, or the whole word"
        )
