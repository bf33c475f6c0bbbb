"""From YAML files to a ruleset, or to an error that says which line is wrong and what may stand there."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gyrus.classifier.core import axes, numbers
from gyrus.classifier.core.axes import RULED, Axis
from gyrus.classifier.core.checks import SEQUENCE_FLAGS, Known, check_condition, check_keyword, check_positive, known_facts
from gyrus.classifier.core.compiled import Draft, comparisons, compiled, with_triggers
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.errors import allowed
from gyrus.classifier.core.facts import Condition, Index, bits_of
from gyrus.classifier.core.flags import UnifiedFlags, in_order
from gyrus.classifier.core.probability import FILE, calibration_of, read_calibration
from gyrus.classifier.core.reader import Reader, Vocabulary
from gyrus.classifier.core.rules import (
    Detection,
    FlagCategory,
    FlagReference,
    Meta,
    Order,
    Physics,
    Rule,
    Ruleset,
    UnifiedFlag,
    VocabularyPage,
    Window,
)
from gyrus.classifier.core.tags import NameTable, TagTable, tables
from gyrus.classifier.core.tracers import Tracers
from gyrus.classifier.core.yaml_lines import Page, read_page

PACKAGED = Path(__file__).parent.parent / "rules"
REFERENCE = "unified-flags-reference.yaml"
VOCABULARY = "tag-vocabulary.yaml"

Model = TypeVar("Model", bound=BaseModel)

VALUE = re.compile(r"[\w*+.-]+")
NO_VALUES = ("none", "unknown")
"""How people and labels say that an axis has none."""
SPELLED = f"a value is letters, digits and * + - . _, but not {' or '.join(NO_VALUES)}"

FLAG_LISTS = ("alternative_flags", "combination", "requires", "excludes", "unless")


@cache
def packaged_rules() -> Ruleset:
    """The rules that come with the package, read once."""
    return load_rules()


@dataclass(frozen=True)
class Written:
    """Rules as they were written: a page for each axis (by its name), REFERENCE and VOCABULARY; and the fit of the probabilities."""

    pages: Mapping[str, Page]
    fit: Mapping[str, Any]


def read_rules(folder: Path | None = None) -> Written:
    """Read the files of a folder, by default that of the package; the fit of the package where the folder has none."""
    folder = PACKAGED if folder is None else folder
    pages = {axis.name: read_page(folder / axis.file_name) for axis in RULED}
    others = {name: read_page(folder / name) for name in (REFERENCE, VOCABULARY)}
    return Written({**pages, **others}, read_calibration(folder / FILE if (folder / FILE).exists() else PACKAGED / FILE))


def load_rules(folder: Path | None = None) -> Ruleset:
    """Read the rule files of a folder; by default those of the package. Raises RulesetError at the first fault."""
    return ruleset_of(read_rules(folder))


def ruleset_of(written: Written) -> Ruleset:
    """The rules, checked and made ready. Raises RulesetError at the first fault."""
    pages = {axis.name: written.pages[axis.name] for axis in RULED}
    reference, vocabulary, fit = written.pages[REFERENCE], written.pages[VOCABULARY], written.fit
    words = validated(VocabularyPage, vocabulary, ())
    flags = validated(FlagReference, reference, ())
    values = {axis.name: _values(axis, pages[axis.name]) for axis in RULED}
    known = known_facts(words, flags, values)
    _check_reference(reference, flags, known)
    _check_names(vocabulary, words, known)
    drafts = [draft for axis in RULED for draft in _drafts(axis, pages[axis.name], known)]
    for axis in RULED:
        _check_refinement(pages[axis.name], axis, drafts)
    index = Index()
    reader = Reader(_vocabulary(words, index), _unified(reference, flags, index), index)
    rules = {axis.name: tuple(compiled(draft, index) for draft in _implied(drafts) if draft.axis == axis.name) for axis in RULED}
    silent = {axis.name: _silent(pages[axis.name], index) for axis in RULED}
    content = {name: page.content for name, page in {**pages, REFERENCE: reference, VOCABULARY: vocabulary}.items()}
    versions = {name: validated(Meta, page, ("meta",)).version for name, page in pages.items()}
    digest = _digest({**content, FILE: [fit["curves"], fit.get("familiar")]})
    met = _met(drafts, reader)
    reader = Reader(reader.vocabulary, reader.unified.triggered(met), index)
    return Ruleset(with_triggers(rules, met), silent, versions, digest, reader, _digest(content), calibration_of(fit))


def _met(drafts: Iterable[Draft], reader: Reader) -> Counter[int]:
    """Fact → how many examples of the rules have it: what is rare among them is rare among stacks."""
    examples = (one for draft in drafts for one in (*draft.rule.examples, *draft.rule.never))
    return Counter(bit for one in examples for bit in bits_of(ClassificationContext.from_fingerprint(one, reader).reading.facts))


def _digest(content: dict[str, Any]) -> str:
    """SHA-256 of the content without comments and layout. The order of rules counts: it breaks ties."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()).hexdigest()


def _vocabulary(words: VocabularyPage, index: Index) -> Vocabulary:
    pages = {"image_type": words.image_type, "scanning_sequence": words.scanning_sequence}
    pages |= {"sequence_variant": words.sequence_variant, "scan_options": words.scan_options}
    tags = {tag: TagTable.of(tag, page.flags, page.late, index) for tag, page in pages.items()}
    names = {maker: NameTable.of(rows, words.sequence_name.endings, index) for maker, rows in words.sequence_name.makers.items()}
    combined = {f"sequence_name.{flag}": sources for flag, sources in words.sequence_name.combined.items()}
    makers = {word: maker for maker, written in words.manufacturers.items() for word in written}
    for dimension in SEQUENCE_FLAGS:
        index.bit(f"sequence_name.{dimension}")
    attributes = tables("attributes", words.attributes, index)
    traits = tuple((index.condition(" | ".join(sources)), index.bit(f"sibling.{name}")) for name, sources in words.siblings.items())
    return Vocabulary(tags, attributes, names, UnifiedFlags.of(combined, index), traits, makers, Tracers.of(words.tracers))


def _unified(page: Page, flags: FlagReference, index: Index) -> UnifiedFlags:
    sources = {name: flag.sources for category in flags.categories.values() for name, flag in category.flags.items()}
    try:
        return UnifiedFlags.of(sources, index)
    except ValueError as circle:
        raise page.error(("categories",), f"flags ask for each other in a circle: {circle}") from None


def _values(axis: Axis, page: Page) -> tuple[str, ...]:
    found = page.at((axis.plural,))
    if not isinstance(found, dict) or not found:
        raise page.error((axis.plural,), f"expected values of axis {axis.name!r} with their rules")
    for value in found:
        if value in NO_VALUES or not VALUE.fullmatch(value):
            raise page.error((axis.plural, value), f"{value!r} can be no value; {SPELLED}")
    return tuple(found)


def _drafts(axis: Axis, page: Page, known: Known) -> Iterator[Draft]:
    for key in page.content:
        if key not in {"meta", "rules", axis.plural}:
            raise page.error((key,), f"unknown key {key!r}; {allowed(key, ('meta', 'rules', axis.plural))}")
    meta = validated(Meta, page, ("meta",))
    rules = validated(Order, page, ("rules",)) if "rules" in page.content else Order()
    order, values = rules.priority_order, list(page.at((axis.plural,)))
    for index, written in enumerate(rules.no_value_with):
        check_condition(page, ("rules", "no_value_with", index), written, known)
    for index, value in enumerate(order):
        _expect(page, ("rules", "priority_order", index), value, values)
    places = {value: place for place, value in enumerate(dict.fromkeys((*order, *values)))}
    for value in values:
        rule = validated(Rule, page, (axis.plural, value))
        _check_rule(page, (axis.plural, value), rule, known)
        yield Draft(axis.name, value, rule, places[value], meta.search_field, (), rules.rank_by == "priority")


def _silent(page: Page, index: Index) -> Condition:
    """The flags with which an axis has no value at all."""
    rules = validated(Order, page, ("rules",)) if "rules" in page.content else Order()
    return tuple(term for written in rules.no_value_with for term in index.condition(written))


def _implied(drafts: list[Draft]) -> Iterator[Draft]:
    """Where a technique implies a base, having the technique speaks for the base."""
    techniques = [draft for draft in drafts if draft.axis == axes.TECHNIQUE.name]
    for draft in drafts:
        if draft.axis == axes.BASE.name:
            also = tuple(f"technique={one.value}" for one in techniques if one.rule.implied_base == draft.value)
            yield replace(draft, also=also)
        else:
            yield draft


def validated(model: type[Model], page: Page, place: tuple[Any, ...]) -> Model:
    """A part of a page in its shape. Raises RulesetError that names the line and what may stand there."""
    try:
        return model.model_validate(page.at(place))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = (*place, *first["loc"])
        reason = f"{'.'.join(map(str, where))}: {first['msg'].partition(' or instance of')[0]}, found {first['input']!r}"
        if first["type"] == "extra_forbidden":
            reason = f"unknown key {where[-1]!r}; {allowed(where[-1], _keys_beside(model, first['loc']))}"
        raise page.error(where, reason) from None


def _keys_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that may stand where an unknown one was found."""
    parents: dict[int | str, type[BaseModel]] = {
        "detection": Detection,
        "physics": Physics,
        **dict.fromkeys(numbers.ALL, Window),
        "flags": UnifiedFlag,
        "categories": FlagCategory,
    }
    within = next((parents[part] for part in reversed(loc[:-1]) if part in parents), model)
    return tuple(within.__pydantic_fields__)


def _expect(page: Page, place: tuple[Any, ...], found: str, values: list[str]) -> None:
    if found not in values:
        raise page.error(place, f"{page.path.name} has no rule for {found!r}; {allowed(found, values)}")


def _check_refinement(page: Page, axis: Axis, drafts: Iterable[Draft]) -> None:
    """Refuse values that replace each other: of a stack that has them all, none would be left."""
    refined = {draft.value: draft.rule.refines for draft in drafts if draft.axis == axis.name}
    try:
        in_order(refined)
    except ValueError as circle:
        place = (axis.plural, str(circle).partition(" → ")[0], "refines")
        raise page.error(place, f"values replace each other in a circle: {circle}; take one of them out of `refines`") from None


def _check_rule(page: Page, place: tuple[Any, ...], rule: Rule, known: Known) -> None:
    """Refuse names of flags and values that nothing sets, and keywords that no text can contain."""
    detection = (*place, "detection")
    for where, written in _conditions(rule.detection, detection):
        check_condition(page, where, written, known)
    for index, written in enumerate(rule.detection.alternative_flags):
        check_positive(page, (*detection, "alternative_flags", index), written)
    for index, value in enumerate(rule.refines):
        _expect(page, (*place, "refines", index), value, list(page.at(place[:1])))
    if rule.implied_base is not None:
        check_condition(page, (*place, "implied_base"), f"base={rule.implied_base}", known)
    for index, physics in enumerate(rule.detection.physics):
        for written in comparisons(physics):
            check_condition(page, (*detection, "physics", index, written.partition(">")[0].partition("<")[0]), written, known)
        if physics.modifier is not None:
            check_condition(page, (*detection, "physics", index, "modifier"), f"modifier={physics.modifier}", known)
    for name in ("keywords", "exclude_keywords"):
        for index, text in enumerate(getattr(rule.detection, name)):
            check_keyword(page, (*detection, name, index), text)


def _conditions(detection: Detection, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if detection.exclusive is not None:
        yield (*place, "exclusive"), detection.exclusive
    for name in FLAG_LISTS:
        yield from (((*place, name, index), flag) for index, flag in enumerate(getattr(detection, name)))
    for index, physics in enumerate(detection.physics):
        yield from (((*place, "physics", index), flag) for flag in physics.flags)


def _check_reference(page: Page, flags: FlagReference, known: Known) -> None:
    for name, category in flags.categories.items():
        for flag, described in category.flags.items():
            for index, source in enumerate(described.sources):
                place = ("categories", name, "flags", flag, "sources", index)
                check_condition(page, place, source, known)
                check_positive(page, place, source)


def _check_names(page: Page, words: VocabularyPage, known: Mapping[str, Any]) -> None:
    for place, rows in ((("sequence_name", "combined"), words.sequence_name.combined), (("siblings",), words.siblings)):
        for flag, sources in rows.items():
            for index, source in enumerate(sources):
                check_condition(page, (*place, flag, index), source, known)
