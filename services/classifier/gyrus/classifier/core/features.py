"""What tells a sure answer from an unsure one: numbers about its evidence, the same whatever the rules are."""

from collections.abc import Collection, Iterator
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
    written = {word for word in context.lines[0] if len(word) >= SHORTEST_WORD and not word.isdigit() and word not in familiar.words}
    words = {word for word in written if not lexicon.facts(lines_of(word)) & facts and not familiar.knows(word)}
    types = {one for one in types_in(context) if one not in familiar.types and not table.facts(("", "", one)) & facts}
    names = {one for one in names_in(context) if one not in familiar.names}
    found = (("strange_words", words), ("strange_types", types), ("strange_names", names))
    counted = {name: min(len(those), MOST_COUNTED) / MOST_COUNTED for name, those in found}
    return {**counted, "any_strange": float(any(counted.values())), "strange_kinds": float(sum(map(bool, counted.values())) > 1)}


def of_header(context: ClassificationContext, familiar: Familiar) -> Features:
    """What a header does not say, and what it says in words that nobody knows. All 0 for an original, well-known MR header."""
    facts, fingerprint, reader = context.reading.facts, context.fingerprint, context.reader
    has_text, has_name = context.has("words=yes"), any(fields.text(fingerprint, name) for name in NAME_FIELDS)
    return {
        "no_text": float(not has_text),
        "unread_text": float(has_text and not facts & reader.soft[0]),
        "no_name": float(not has_name),
        "unread_name": float(has_name and not facts & reader.named),
        "no_scanning_sequence": float(not fields.text(fingerprint, "scanning_sequence")),
        "no_image_type": float(not fields.text(fingerprint, "image_type")),
        "no_times": float(not {"repetition_time", "echo_time"} <= context.measured.keys()),
        "other_maker": float(context.vendor == "OTHER"),
        "derived": float(context.has("is_derived")),
        "not_mr": float(context.modality != "MR"),
        **strange(context, familiar),
    }


def of_answer(result: AxisResult, header: Features, general: Collection[str]) -> Features:
    """What speaks for an answer and against it. general: the values of its axis that a more particular one can replace."""
    found = {
        "confidence": result.confidence or 0.0,
        "agreed": float(len({one.source for one in result.evidence}) > 1),
        "rival": max((sure for _, sure in result.alternatives), default=0.0),
        "doubt": float(bool(result.doubts)),
        "general": float(any(value in general for value in result.values)),
        "several": float(len(result.values) > 1),
        **header,
    }
    best = min(result.evidence, key=lambda one: trust((one,)), default=None)
    if best is not None and best.source in RESTS_ON:
        found[f"by_{RESTS_ON[best.source]}"] = 1.0
    if not result.values:
        found |= {"silent": 1.0, **{f"silent_{name}": header[name] for name in MATTERS_TO_SILENCE}}
    return found
