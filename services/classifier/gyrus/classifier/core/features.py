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

_BEST = {
    PHYSICS_DISTINCT: "by_numbers",
    PHYSICS_OVERLAP: "by_vague_numbers",
    TEXT_SEARCH: "by_words",
    SIBLING_INFERENCE: "by_siblings",
    TECHNIQUE_INFERENCE: "by_inference",
    MODIFIER_INFERENCE: "by_inference",
    AXIS_INFERENCE: "by_inference",
}
RESTS_ON = tuple(_BEST.get(source, "by_tags") for source in TRUST)
"""By its place in TRUST, the feature of the best source of an answer."""
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


def strange(context: ClassificationContext, names: set[str], familiar: Familiar) -> Features:
    """How much of a header neither the rules nor the headers of the fit know: words, values of ImageType and names, 1 for MOST_COUNTED.

    names: the stems of its sequence names.
    """
    found: Features = {}
    if words := {word for word in context.lines[0] if word not in familiar.words and len(word) >= SHORTEST_WORD and not word.isdigit()}:
        found["strange_words"] = len({word for word in words if _is_strange(word, context, familiar)})
    if types := {one for one in types_in(context) if one not in familiar.types}:
        table = context.reader.vocabulary.tags["image_type"]
        found["strange_types"] = len({one for one in types if not table.facts(("", "", one)) & context.reading.facts})
    found["strange_names"] = len(names - familiar.names)
    counted = {name: min(count, MOST_COUNTED) / MOST_COUNTED for name, count in found.items() if count}
    if counted:
        counted |= {"any_strange": 1.0, "strange_kinds": float(len(counted) > 1)}
    return counted


def _is_strange(word: str, context: ClassificationContext, familiar: Familiar) -> bool:
    """Whether no rule reads a word, and a part of it that is long enough to mean something was never met."""
    lines = lines_of(word)
    is_met = all(part in familiar.words for part in lines[-1] if len(part) >= SHORTEST_WORD)
    return not is_met and not context.reader.lexicons["text"].facts(lines) & context.reading.facts


def of_header(context: ClassificationContext, familiar: Familiar) -> Features:
    """What a header does not say, and what it says in words that nobody knows. Nothing of an original, well-known MR header."""
    facts, fingerprint, reader, measured = context.reading.facts, context.fingerprint, context.reader, context.measured
    has_text, names = any(map(any, context.lines)), {*names_in(context)}
    found = {
        "no_text": not has_text,
        "unread_text": has_text and not facts & reader.soft[0],
        "no_name": not names,
        "unread_name": bool(names) and not facts & reader.named,
        "no_scanning_sequence": not fields.text(fingerprint, "scanning_sequence"),
        "no_image_type": not fields.text(fingerprint, "image_type"),
        "no_times": "repetition_time" not in measured or "echo_time" not in measured,
        "other_maker": context.vendor == "OTHER",
        "derived": context.has("is_derived"),
        "not_mr": context.modality != "MR",
    }
    return {name: 1.0 for name, is_so in found.items() if is_so} | strange(context, names, familiar)


def of_answer(result: AxisResult, header: Features, general: frozenset[str]) -> Features:
    """What speaks for an answer and against it. general: the values of its axis that a more particular one can replace."""
    found, values, evidence = header.copy(), result.values, result.evidence
    if not values:
        found["silent"] = 1.0
        if header:
            found |= {f"silent_{name}": header[name] for name in MATTERS_TO_SILENCE if name in header}
    if result.doubts:
        found["doubt"] = 1.0
    if result.alternatives:
        found["rival"] = max([sure for _, sure in result.alternatives])
    if not evidence:
        return found
    found["confidence"] = result.confidence or 0.0
    found[RESTS_ON[trust(evidence)]] = 1.0
    if len(evidence) > 1 and len({one.source for one in evidence}) > 1:
        found["agreed"] = 1.0
    if not general.isdisjoint(values):
        found["general"] = 1.0
    if len(values) > 1:
        found["several"] = 1.0
    return found
