"""What can go wrong before a stack is looked at. A strange header is never an error: it is a stack with fewer facts.

ClassifierError ├ RulesetError     a rule file says something that no axis, flag or tokeniser knows
                └ CorrectionError  a person pinned an axis that does not exist, or one value where it takes a list
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class ClassifierError(ValueError):
    """The classifier was given rules or corrections that it cannot follow."""


class RulesetError(ClassifierError):
    """A rule file is wrong; the text names file, line, what was found, what is allowed. place: the keys that lead to what is wrong."""

    def __init__(self, path: Path, line: int, reason: str, place: tuple[Any, ...] = ()) -> None:
        self.path, self.line, self.reason, self.place = path, line, reason, place
        super().__init__(f"{path}:{line}: {reason}")


class CorrectionError(ClassifierError):
    """A correction names an axis that does not exist, or one value where the axis takes a list."""


def allowed(found: object, names: Iterable[str]) -> str:
    """Say which names were possible, the nearest one first: the second half of a message about an unknown name."""
    known = sorted(names)
    spelled = {name.lower(): name for name in known}
    near = get_close_matches(str(found).lower(), spelled, n=1, cutoff=0.6)
    hint = f"did you mean {spelled[near[0]]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(known) or 'nothing'}"
