"""What tells a sure answer from an unsure one: numbers about its evidence, the same whatever the rules are."""

from collections.abc import Iterator
from dataclasses import dataclass

from gyrus.classifier.core import fields
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.evidence import (
    AXIS_INFERENCE,
    MODIFIER_INFERENCE,
    PHYSICS_DISTINCT,
    PHYSICS_OVERLAP,
    SIBLING_INFERENCE,
    TECHNIQUE_INFERENCE,
    TEXT_SEARCH,
    TRUST,
    AxisResult,
    trust,
)
from gyrus.classifier.core.reader import NAME_FIELDS, TAGS
from gyrus.classifier.core.tags import FIRST_ROLE, STEM, bare
from gyrus.classifier.core.text import lines_of

RESTS_ON = {
    PHYSICS_DISTINCT: "numbers",
    PHYSICS_OVERLAP: "vague_numbers",
    TEXT_SEARCH: "words",
    SIBLING_INFERENCE: "siblings",
    TECHNIQUE_INFERENCE: "inference",
    MODIFIER_INFERENCE: "inference",
    AXIS_INFERENCE: "inference",
}
"""The best source of an answer; a tag is what the others are measured against."""
MATTERS_TO_SILENCE = ("no_text", "unread_text", "derived", "not_mr", "strange_words", "strange_types", "strange_names", "any_strange")

Features = dict[str, float]
"""Name → number; what is not there is 0."""


SHORTEST_WORD = 3
MOST_COUNTED = 2
"""More strange words than these make a header no stranger."""


@dataclass(frozen=True)
class Familiar:
    """What was met in the headers of the fit: words of descriptions, values of ImageType, stems of sequence names."""

    words: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def knows(self, word: str) -> bool:
        """Whether a word, or each part of it that is long enough to mean something, was met."""
        return word in self.words or all(part in self.words for part in lines_of(word)[-1] if len(part) >= SHORTEST_WORD)


def words_in(context: ClassificationContext) -> Iterator[str]:
    """The words of description and protocol, in every reading."""
    return (word for line in context.lines for word in line if len(word) >= SHORTEST_WORD and not word.isdigit())


def types_in(context: ClassificationContext) -> tuple[str, ...]:
    """What ImageType says beside original or derived, primary or secondary."""
    return fields.values(context.fingerprint, "image_type", TAGS["image_type"])[FIRST_ROLE:]


def names_in(context: ClassificationContext) -> Iterator[str]:
    """The stems of the sequence names."""
    for name in filter(None, (fields.text(context.fingerprint, name) for name in NAME_FIELDS)):
        match = STEM.match(bare(name))
        yield match[1] if match else bare(name).rstrip("0123456789_")


def strange(context: ClassificationContext, familiar: Familiar) -> Features:
    """How much of a header neither the rules nor the headers of the fit know: words, values of ImageType and names, 1 for MOST_COUNTED."""
    facts, reader = context.reading.facts, context.reader
    lexicon, table = reader.lexicons["text"], reader.vocabulary.tags["image_type"]
    written = {word for word in context.lines[0] if len(word) >= SHORTEST_WORD and word not in familiar.words and not word.isdigit()}
    words = {word for word in written if not lexicon.facts(lines_of(word)) & facts and not familiar.knows(word)}
    types = {one for one in types_in(context) if one not in familiar.types and not table.facts(("", "", one)) & facts}
    names = {one for one in names_in(context) if one not in familiar.names}
    found = (("strange_words", words), ("strange_types", types), ("strange_names", names))
    counted = {name: min(len(those), MOST_COUNTED) / MOST_COUNTED for name, those in found if those}
    if counted:
        counted |= {"any_strange": 1.0, "strange_kinds": float(len(counted) > 1)}
    return counted


def of_header(context: ClassificationContext, familiar: Familiar) -> Features:
    """What a header does not say, and what it says in words that nobody knows. Nothing of an original, well-known MR header."""
    facts, fingerprint, reader, measured = context.reading.facts, context.fingerprint, context.reader, context.measured
    has_text, has_name = any(map(any, context.lines)), any(fields.text(fingerprint, name) for name in NAME_FIELDS)
    found = {
        "no_text": not has_text,
        "unread_text": has_text and not facts & reader.soft[0],
        "no_name": not has_name,
        "unread_name": has_name and not facts & reader.named,
        "no_scanning_sequence": not fields.text(fingerprint, "scanning_sequence"),
        "no_image_type": not fields.text(fingerprint, "image_type"),
        "no_times": "repetition_time" not in measured or "echo_time" not in measured,
        "other_maker": context.vendor == "OTHER",
        "derived": context.has("is_derived"),
        "not_mr": context.modality != "MR",
    }
    return {**{name: 1.0 for name, is_so in found.items() if is_so}, **strange(context, familiar)}


def of_answer(result: AxisResult, header: Features, general: frozenset[str]) -> Features:
    """What speaks for an answer and against it. general: the values of its axis that a more particular one can replace."""
    found = dict(header)
    if not result.values:
        found["silent"] = 1.0
        for name in MATTERS_TO_SILENCE:
            if name in header:
                found[f"silent_{name}"] = header[name]
    if result.doubts:
        found["doubt"] = 1.0
    if result.alternatives:
        found["rival"] = max([sure for _, sure in result.alternatives])
    if not result.evidence:
        return found
    found["confidence"] = result.confidence or 0.0
    best = trust(result.evidence)
    for name, is_so in (
        (f"by_{RESTS_ON.get(TRUST[best], 'tags')}", True),
        ("agreed", len({one.source for one in result.evidence}) > 1),
        ("general", not general.isdisjoint(result.values)),
        ("several", len(result.values) > 1),
    ):
        if is_so:
            found[name] = 1.0
    return found
