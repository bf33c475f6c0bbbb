"""Labelled headers as examples to fit on: as they are, as if nobody had seen their family, and with things missing.

Rules get the headers right that they were written on, so that these alone teach nothing about errors. What a header of a new family
meets is known all the same: rules that lack what only this family taught. So of each header those facts are struck out – words, names,
tokens, windows – that hold in no other family, and what the rules make of the rest is right or wrong.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gyrus.classifier.core.axes import AXES, is_asked_of
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.features import Familiar, Features, names_in, of_answer, of_header, types_in, words_in
from gyrus.classifier.core.probability import FITTED, SCORED
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import Study, classify
from gyrus.classifier.core.verdict import Verdict

Row = Mapping[str, Any]
TEXTS = ("series_description", "protocol_name")
NAMES = ("sequence_name", "pulse_sequence_name", "siemens_sequence_file", "ge_pulse_sequence", "philips_scan_technique")
MAY_BE_LOST = (*TEXTS, *NAMES, "image_type", "scanning_sequence", "sequence_variant", "scan_options", "echo_time", "repetition_time",
               "inversion_time", "flip_angle", "magnetic_field_strength", "manufacturer")  # fmt: skip

AS_IT_IS, UNSEEN, LOST, NO_TEXT, NO_NAME = "as it is", "family unseen", "fields lost", "no text", "no sequence name"
WEIGHT = {AS_IT_IS: 0.5, UNSEEN: 1.0, LOST: 0.3, NO_TEXT: 0.3, NO_NAME: 0.2}
"""How much an example of each kind counts: most headers of a new site are whole, and their families new."""

FOLDS = 10
"""Turns in which families are left out."""

FEW = 2
"""A word that so many families or fewer use is struck out of a header whose family is to be unseen. With one, 97 % stay right;
with two 93 %, and of headers that were new to rules and fit 92 % were."""

INVENTED = ("text:", "description:", "comment:", "sequence_name.", "image_type.", "scan_options.")
"""Facts that makers and sites invent words for; what the standard enumerates and what is measured is known of new families too."""


@dataclass(frozen=True)
class Example:
    """One header under one disturbance: features of each axis, what was right, and the verdict that both are of."""

    id: str
    family: str
    kind: str
    header: Features
    features: Mapping[str, Features]
    right: Mapping[str, bool]
    verdict: Verdict

    @property
    def is_all_right(self) -> bool:
        return all(self.right[axis] for axis in SCORED if axis in self.right)

    @property
    def is_whole(self) -> bool:
        """Whether every answer is labelled. Who corrects one axis says nothing of the others, and so nothing of all together."""
        return all(axis in self.right for axis in SCORED if self.verdict.axes[axis].value)


def rows_of(paths: Iterable[Path]) -> list[Row]:
    """Labelled headers of .jsonl files: {id, family, fingerprint, expected, also_accepted} a line."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def is_right(axis: str, row: Row, said: Any) -> bool:
    """A single value is the expected one or an accepted one; of a list all that is expected is there, and nothing but what is accepted."""
    expected, accepted = row["expected"].get(axis), row.get("also_accepted", {}).get(axis, [])
    if AXES[axis].many:
        wanted = set(expected or ())
        return wanted <= set(said) <= wanted | set(accepted)
    return said == expected or said in accepted


def examples(rows: Sequence[Row], ruleset: Ruleset) -> list[Example]:
    """Every header in every kind."""
    unseen, met = facts_of_few_families(rows, ruleset), met_in(rows, ruleset)
    everything = familiar_of(met)
    found = []
    for family, together in grouped(rows).items():
        others = familiar_of({name: words for name, words in met.items() if name != family})
        for row, kind in ((row, kind) for row in together for kind in WEIGHT):
            fingerprint = disturbed(row, kind)
            if fingerprint is not None:
                context = context_of(fingerprint, ruleset, unseen[family] if kind == UNSEEN else 0)
                found.append(example((row, kind), context, ruleset, others if kind == UNSEEN else everything))
    return found


def grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Family → its rows."""
    families: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        families[row["family"]].append(row)
    return families


def met_in(rows: Iterable[Row], ruleset: Ruleset) -> dict[str, Familiar]:
    """Family → words, types and names of its headers."""
    met = {}
    for family, together in grouped(rows).items():
        contexts = [context_of(row["fingerprint"], ruleset) for row in together]
        met[family] = Familiar(*(frozenset(one for context in contexts for one in of(context)) for of in (words_in, types_in, names_in)))
    return met


def familiar_of(met: Mapping[str, Familiar]) -> Familiar:
    """What is met in any of the families."""
    return Familiar(*(frozenset().union(*(getattr(one, part) for one in met.values())) for part in ("words", "types", "names")))


def disturbed(row: Row, kind: str) -> dict[str, Any] | None:
    """The fingerprint in one kind; None where nothing of it changes. The same row loses the same fields again."""
    kept = dict(row["fingerprint"])
    chosen = random.Random(f"{kind}:{row['id']}")  # noqa: S311 - the same disturbance each time, not a secret
    there = [name for name in MAY_BE_LOST if name in kept]
    lost = {NO_TEXT: TEXTS, NO_NAME: NAMES, LOST: chosen.sample(there, min(len(there), chosen.randint(1, 3)))}.get(kind, ())
    if kind not in (AS_IT_IS, UNSEEN) and not any(name in kept for name in lost):
        return None
    return {name: value for name, value in kept.items() if name not in lost}


def context_of(fingerprint: Mapping[str, Any], ruleset: Ruleset, unseen: int = 0) -> ClassificationContext:
    """A header read without the facts of `unseen`."""
    context = ClassificationContext.from_fingerprint(fingerprint, ruleset.reader)
    if unseen:
        vars(context)["raw"] = context.raw & ~unseen
    return context


def example(source: tuple[Row, str], context: ClassificationContext, ruleset: Ruleset, familiar: Familiar) -> Example:
    """source: the labelled header, and the kind in which it is looked at."""
    row, kind = source
    verdict = classify(context, Study(None), ruleset, {})
    document, header = verdict.document(), of_header(context, familiar)
    asked = [axis for axis in FITTED if is_asked_of(axis, context.modality)]
    return Example(
        id=row["id"],
        family=row["family"],
        kind=kind,
        header=header,
        features={axis: of_answer(verdict.axes[axis], header, ruleset.general[axis]) for axis in asked},
        right={axis: is_right(axis, row, document[axis]) for axis in asked if axis in row["expected"]},
        verdict=verdict,
    )


def facts_of_few_families(rows: Iterable[Row], ruleset: Ruleset) -> dict[str, int]:
    """Family → facts that hold in it and in fewer than FEW others."""
    facts: dict[str, int] = defaultdict(int)
    for row in rows:
        facts[row["family"]] |= context_of(row["fingerprint"], ruleset).raw
    held = [0] * (FEW + 1)  # by n: what holds in more than n families
    for of_family in facts.values():
        for n in range(FEW, 0, -1):
            held[n] |= held[n - 1] & of_family
        held[0] |= of_family
    invented = sum(bit for name, bit in ruleset.reader.index.bits.items() if name.startswith(INVENTED))
    return {family: of_family & ~held[FEW] & invented for family, of_family in facts.items()}


def folds(families: Iterable[str], count: int = FOLDS) -> Iterator[frozenset[str]]:
    """The families in `count` parts, the same each time."""
    shuffled = sorted(set(families))
    random.Random(1).shuffle(shuffled)  # noqa: S311
    return (frozenset(shuffled[part::count]) for part in range(count))
