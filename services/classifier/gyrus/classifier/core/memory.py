"""What a ruleset has read before: people scan the same protocols again and again, and equal headers have equal contexts and verdicts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gyrus.classifier.core.context import ClassificationContext

MOST = 4096
"""Contexts that are kept, about 7 kB each with their verdicts; then all are forgotten. A cohort has fewer protocols."""


class Memory:
    """Contexts by `Reader.key` of their fingerprints, with all that was concluded from them. It goes into no copy of its ruleset."""

    def __init__(self) -> None:
        self._contexts: dict[str, ClassificationContext] = {}

    def __reduce__(self) -> tuple[type["Memory"], tuple[()]]:
        return Memory, ()

    def __len__(self) -> int:
        return len(self._contexts)

    def context(self, key: str, make: Callable[[], "ClassificationContext"]) -> "ClassificationContext":
        """The context of this key; made where it is not known."""
        found = self._contexts.get(key)
        if found is None:
            if len(self._contexts) >= MOST:
                self.forget()
            found = self._contexts[key] = make()
        return found

    def forget(self) -> None:
        self._contexts.clear()
