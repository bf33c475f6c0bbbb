"""Stored labels beside what other rules say of them: the work of a worker process."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from gyrus.classifier.core import Verdict, classify_study
from gyrus.classifier.core.diff import Tally
from gyrus.classifier.core.stored import ruleset_from

Document = dict[str, Any]
Compared = tuple[Tally, list[str]]
"""What was counted, and the studies that differ."""


def compare(content: str, stacks: Sequence[Document], corrections: Sequence[Mapping[str, Any]]) -> Compared:
    """Count the labelled stacks of whole studies, which stand together. A stack without a label is owed one already.

    content: the rules, as a version of them is stored.
    """
    ruleset, tally = ruleset_from(content), Tally()
    differing: dict[str, None] = {}
    for study, of_study in groupby(stacks, itemgetter("study")):
        together = {stack["_id"]: stack for stack in of_study}
        verdicts: Mapping[str, Verdict] = classify_study({id_: one["fingerprint"] for id_, one in together.items()}, ruleset, corrections)
        for id_, verdict in verdicts.items():
            label = together[id_].get("classification")
            if label and tally.add(id_, label, verdict):
                differing[study] = None
    return tally, list(differing)
