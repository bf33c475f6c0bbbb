"""Headers labelled by the authors of their data sets: never fitted on, only asked afterwards."""

from collections.abc import Iterable, Mapping
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.probability import ALL
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import classify_study

Row = Mapping[str, Any]
JUDGED = ("base", "technique", "intent", "modifier", "construct")


def pairs_of(rows: Iterable[Row], ruleset: Ruleset) -> list[tuple[float, bool]]:
    """For each row that its author did not doubt: the probability of `all`, and whether every axis with a label is right."""
    found = []
    for row in rows:
        if "doubt" not in row:
            document = classify_study({"it": row["fingerprint"]}, ruleset)["it"].document()
            found.append(
                (document["probability"][ALL], all(is_right(axis, row, document[axis]) for axis in JUDGED if axis in row["expected"]))
            )
    return found


def is_right(axis: str, row: Row, said: Any) -> bool:
    """A single value is the author's or an accepted one; of a list the author's values are there, or one of the accepted."""
    expected, accepted = row["expected"][axis], row.get("also_accepted", {}).get(axis, [])
    if AXES[axis].many:
        return set(expected) <= set(said) or any(value in said for value in accepted)
    return said in [expected, *accepted]
