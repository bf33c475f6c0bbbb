"""docs/axes/*.md, one page an axis, made from the rules: `make axes` writes them, a test refuses old ones."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gyrus.classifier.core.axes import MR_ONLY, RULED, Axis
from gyrus.classifier.core.axes_words import listed, numbers_said, of_flag, said, word
from gyrus.classifier.core.compiled import ValueRule
from gyrus.classifier.core.loader import PACKAGED, REFERENCE, VOCABULARY, load_rules, validated
from gyrus.classifier.core.rules import Detection, FlagReference, Order, Rule, VocabularyPage
from gyrus.classifier.core.yaml_lines import read_page

MADE = "Made from `gyrus/classifier/rules/{}` by `make axes`; edit the rules, not this page."
FLAGS_TOLD = "What a flag such as `has_se` means, and from what it is made, stands in [flags.md](flags.md)."
MANY = "Several values may hold at once; each that has evidence is one of the answers, and of a group only one stays."
BY_PLACE = "One value, or none. Of several with evidence the first in the order below is the answer."
BY_TRUST = (
    "One value, or none. Of several with evidence the one with the better source is the answer: tags of the scanner before what other "
    "axes found, that before numbers that leave no doubt, that before words; equal sources go by the order below. A value that says more "
    "replaces those that it names as more general."
)
ONLY_MR = "Asked of MR only."


def pages(folder: Path = PACKAGED) -> dict[str, str]:
    """Name of a page → its text: the axes, and `flags`. Raises RulesetError where a rule is wrong."""
    ruleset = load_rules(folder)
    axes = {axis.name: _page(axis, sorted(ruleset.axes[axis.name], key=lambda known: known.place), folder) for axis in RULED}
    return {**axes, "flags": _flags(folder)}


def _page(axis: Axis, rules: list[ValueRule], folder: Path) -> str:
    page = read_page(folder / axis.file_name)
    order = validated(Order, page, ("rules",)) if "rules" in page.content else Order()
    chosen = MANY if axis.many else BY_PLACE if order.rank_by == "priority" else BY_TRUST
    head = [f"# {word(axis.name).capitalize()}", MADE.format(axis.file_name), str(page.at(("meta", "description"))).strip()]
    head.append(" ".join((ONLY_MR, chosen) if axis.name in MR_ONLY else (chosen,)))
    head.append(FLAGS_TOLD)
    if order.no_value_with:
        head.append(f"**No answer with** {listed(said(written) for written in order.no_value_with)}.")
    head.append("**Values in order:** " + ", ".join(f"`{known.value}`" for known in rules) + ".")
    sections = ["\n".join((f"## `{known.value}` – {known.rule.name}\n", *_section(known.rule))) for known in rules]
    return "\n\n".join((*head, *sections)) + "\n"


def _section(rule: Rule) -> Iterator[str]:
    about = [text.rstrip(".") for text in (rule.physics, rule.description, rule.notes) if text]
    if about:
        yield f"{'. '.join(about)}.\n"
    yield from _for(rule.detection, rule)
    yield from _against(rule.detection)
    if rule.implied_base:
        yield f"- then the base is `{rule.implied_base}`"
    if rule.refines:
        yield f"- says more than, and replaces: {', '.join(f'`{one}`' for one in rule.refines)}"
    if rule.group:
        yield f"- one of the group {word(rule.group)} (place {rule.priority})"
    yield f"- example: {_example(rule.examples[0])}"
    yield f"- not: {_example(rule.never[0])}"


def _for(detection: Detection, rule: Rule) -> Iterator[str]:
    if detection.exclusive:
        yield f"- enough alone: {said(detection.exclusive)}"
    if detection.alternative_flags:
        yield f"- speaks for it: {listed(said(one) for one in detection.alternative_flags)}"
    if detection.combination:
        yield f"- together: {said(' & '.join(detection.combination))}"
    for physics in detection.physics:
        yield f"- numbers: {numbers_said(physics)}"
    if detection.keywords:
        where = ", in a derived image" if rule.requires_derived else ""
        yield f"- words{where}: {', '.join(f'`{one}`' for one in detection.keywords)}"


def _against(detection: Detection) -> Iterator[str]:
    if detection.requires:
        yield f"- needs: {', and '.join(said(one) for one in detection.requires)}"
    if detection.excludes:
        yield f"- forbidden by: {listed(said(one) for one in detection.excludes)}"
    if detection.unless:
        yield f"- not asked with: {listed(said(one) for one in detection.unless)}"
    if detection.exclude_keywords:
        yield f"- not asked with the words: {', '.join(f'`{one}`' for one in detection.exclude_keywords)}"


def _example(fingerprint: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} `{value}`" for name, value in fingerprint.items())


def _flags(folder: Path) -> str:
    """The page of all flags that have sources of their own: unified ones, and those that join names of sequences or ask siblings."""
    reference = validated(FlagReference, read_page(folder / REFERENCE), ())
    words = validated(VocabularyPage, read_page(folder / VOCABULARY), ())
    parts = ["# Flags", MADE.format(REFERENCE), reference.meta.description.strip()]
    for name, category in reference.categories.items():
        parts.append(f"## {word(name).capitalize()}\n\n{category.description}")
        parts.append(_table({flag: (known.description, known.sources) for flag, known in category.flags.items()}))
    joined = {f"sequence_name.{name}": ("", sources) for name, sources in words.sequence_name.combined.items()}
    joined |= {f"sibling.{name}": ("", sources) for name, sources in words.siblings.items()}
    parts += ["## Joined from names of sequences, and lent by other images of the acquisition", _table(joined)]
    return "\n\n".join(parts) + "\n"


def _table(flags: Mapping[str, tuple[str, list[str]]]) -> str:
    rows = ["| flag | means | any of |", "|---|---|---|"]
    for name, (means, sources) in flags.items():
        cells = (f"`{name}`", means or of_flag(name), listed(said(source) for source in sources))
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Write all pages into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
