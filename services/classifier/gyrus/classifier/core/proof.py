"""Whether rules may be used: an overlay on top of ours, in its form, with every example kept. All who use an overlay ask here.

Our own rules are right without it. Where they are wrong with it, the entry of the overlay that made them so is told, not their file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.errors import RulesetError
from gyrus.classifier.core.loader import Written, ruleset_of
from gyrus.classifier.core.overlay import DONE, Entry, entries_of, told, with_overlay
from gyrus.classifier.core.rules import Ruleset
from gyrus.classifier.core.study import classify_study
from gyrus.classifier.core.yaml_lines import Page, Place

MEND = {"retire": "do not retire it", "add": "mend what is added here", "change": "mend what is changed here"}


@dataclass(frozen=True)
class Checked:
    """Rules in their form. `says`: what the overlay does. `broken`: an error for each example that they answer otherwise."""

    written: Written
    ruleset: Ruleset
    says: str
    broken: tuple[RulesetError, ...]


def checked(own: Written, overlay: Page) -> Checked:
    """An overlay on top of our own rules, checked. Raises RulesetError at the first fault of their form."""
    blame = _Blame(own, overlay)
    written = with_overlay(own, overlay)
    try:
        ruleset = ruleset_of(written)
    except RulesetError as fault:
        raise blame.of(fault) from None
    return Checked(written, ruleset, told(overlay), tuple(blame.of(fault) for fault in broken_examples(written, ruleset)))


def broken_examples(written: Written, ruleset: Ruleset) -> Iterator[RulesetError]:
    """An error for each example that the whole ruleset answers otherwise, with its file and line."""
    for axis in AXES.values():
        page = written.pages[axis.name]
        for value, rule in page.content[axis.plural].items():
            for part, wanted in (("examples", True), ("never", False)):
                for index, fingerprint in enumerate(rule[part]):
                    said = _said(fingerprint, axis.name, ruleset)
                    if (value in said) is not wanted:
                        expected = f"{'should' if wanted else 'must not'} be {value}, and is {', '.join(said) or 'nothing'}"
                        unread = ", ".join(map(repr, {*map(str, fingerprint)} - {*ruleset.reader.asked}))
                        hint = f"; no rule reads {unread}" if unread else ""
                        yield page.error((axis.plural, value, part, index), f"this example of {axis.name} {expected}{hint}")


def _said(fingerprint: Mapping[str, Any], axis: str, ruleset: Ruleset) -> tuple[str, ...]:
    return classify_study({"it": fingerprint}, ruleset)["it"].axes[axis].values


@dataclass(frozen=True)
class _Blame:
    """Finds the entry of an overlay with which a fault of our own rules begins."""

    own: Written
    overlay: Page
    known: dict[int, frozenset[Place]] = field(default_factory=dict)
    """By number of entries: where the rules are wrong with so many of them."""

    def of(self, fault: RulesetError) -> RulesetError:
        """A fault as it is where the overlay has it, or our own rules do alone; else told of the overlay's entry."""
        if fault.path == self.overlay.path or fault.place in self._faults(0):
            return fault
        entries = entries_of(self.overlay)
        without, with_it = 0, len(entries)
        while with_it - without > 1:
            middle = (without + with_it) // 2
            if fault.place in self._faults(middle):
                with_it = middle
            else:
                without = middle
        return self.overlay.error(entries[without].place, _told(entries[without], fault))

    def _faults(self, most: int) -> frozenset[Place]:
        """Where the rules are wrong with the first entries of the overlay."""
        if most not in self.known:
            written = with_overlay(self.own, self.overlay, most)
            try:
                found = frozenset(broken.place for broken in broken_examples(written, ruleset_of(written)))
            except RulesetError as fault:
                found = frozenset({fault.place})
            self.known[most] = found
        return self.known[most]


def _told(entry: Entry, fault: RulesetError) -> str:
    """What an entry makes of one of our rules, and what to do."""
    plural, *rest = fault.place
    axis = next((axis.name for axis in AXES.values() if axis.plural == plural), None)
    name = f"{axis}.{rest[0]}" if axis and rest else ".".join(map(str, fault.place))
    what = fault.reason.partition(";")[0]
    wrong = f"with {entry.id} {DONE[entry.part]}, {name} ({fault.path.name}:{fault.line}) is wrong: {what}"
    return f"{wrong}; {f'change {name} too, or ' if axis and rest else ''}{MEND[entry.part]}"
