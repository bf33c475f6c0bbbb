"""Whether rules keep their own examples: each must give its value, and no `never` may."""

from collections.abc import Iterator, Mapping
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.errors import RulesetError
from gyrus.classifier.core.loader import Written
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import classify_study


def broken_examples(written: Written, ruleset: Ruleset) -> Iterator[RulesetError]:
    """An error for each example that the whole ruleset answers otherwise, with its file and line."""
    for axis in AXES.values():
        page = written.pages[axis.name]
        for value, rule in page.content[axis.plural].items():
            for part, wanted in (("examples", True), ("never", False)):
                for index, fingerprint in enumerate(rule[part]):
                    said = _said(fingerprint, axis.name, ruleset)
                    if (value in said) is not wanted:
                        answer = ", ".join(said) or "nothing"
                        expected = f"should be {value}" if wanted else f"must not be {value}"
                        yield page.error((axis.plural, value, part, index), f"this example of {axis.name} {expected}, and is {answer}")


def _said(fingerprint: Mapping[str, Any], axis: str, ruleset: Ruleset) -> tuple[str, ...]:
    return classify_study({"it": fingerprint}, ruleset)["it"].axes[axis].values
