"""The rules as a collection: nothing in them is idle or undocumented, and no order or absence in a header changes a verdict."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.fingerprints import document_of, verdict_of
from gyrus.classifier.core import Ruleset, classify_study, load_rules, packaged_rules
from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.compiled import ValueRule
from gyrus.classifier.core.context import ClassificationContext
from gyrus.classifier.core.detect import obstacle
from gyrus.classifier.core.facts import WORDS, Term, holds
from gyrus.classifier.core.fields import MEASURED, SEED_NAMES
from gyrus.classifier.core.flags import Flag, Reading
from gyrus.classifier.core.loader import PACKAGED, REFERENCE
from gyrus.classifier.core.rules import FlagReference
from gyrus.classifier.core.text import lines_of
from gyrus.classifier.core.yaml_lines import read_page

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "classification_vectors.jsonl"
RULES = packaged_rules()
EXAMPLES = [fingerprint for rules in RULES.axes.values() for known in rules for fingerprint in (*known.rule.examples, *known.rule.never)]
UNORDERED = ("scan_options", "sequence_variant", "scanning_sequence")
TEXTS = (
    "series_description",
    "protocol_name",
    "image_comments",
    "sequence_name",
    "image_type",
    "scan_options",
    "manufacturer",
    "body_part_examined",
    "contrast_bolus_agent",
)
ABSENT = (None, "", [], ())


@cache
def facts_of_examples() -> int:
    """Everything that is true of at least one example of a rule."""
    found = 0
    for fingerprint in EXAMPLES:
        found |= ClassificationContext.from_fingerprint(fingerprint, RULES.reader).reading.facts
    return found


def flags() -> Iterator[Flag]:
    yield from RULES.reader.vocabulary.combined.flags
    yield from RULES.reader.unified.flags


def test_every_rule_has_an_id_of_its_own():
    ids = Counter(f"{axis}.{known.value}" for axis, rules in RULES.axes.items() for known in rules)

    assert [id_ for id_, count in ids.items() if count > 1] == []
    assert set(RULES.axes) == set(AXES)


def test_every_rule_names_what_could_speak_for_it():
    silent = [f"{axis}.{known.value}" for axis, rules in RULES.axes.items() for known in rules if not known.trigger]

    assert silent == []


def test_every_rule_has_an_example_for_and_one_against_that_differ():
    for rules in RULES.axes.values():
        for known in rules:
            assert known.rule.examples and known.rule.never
            assert not [one for one in known.rule.examples if one in known.rule.never], known.value


def test_every_rule_is_hit_by_one_of_its_own_examples():
    missed = [
        f"{axis}.{known.value}"
        for axis, rules in RULES.axes.items()
        for known in rules
        if not any(known.value in verdict_of(one, RULES).axes[axis].values for one in known.rule.examples)
    ]

    assert missed == []


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors are not kept here; they lie in ../shared/data where that is present")
def test_every_value_that_the_vectors_expect_has_a_rule():
    expected = [json.loads(line)["expected"] for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    wanted = {(axis, value) for row in expected for axis in row for value in (row[axis] if isinstance(row[axis], list) else [row[axis]])}

    unknown = {(axis, value) for axis, value in wanted if axis in AXES and value and value not in RULES.values(axis)}

    assert unknown <= {("contrast", "unknown")}


def test_every_unified_flag_is_documented():
    reference = FlagReference.model_validate(read_page(PACKAGED / REFERENCE).content)
    documented = {name: flag.description for category in reference.categories.values() for name, flag in category.flags.items()}

    assert {flag.name for flag in RULES.reader.unified.flags} == set(documented)
    assert [name for name, text in documented.items() if not text.strip()] == []


def test_every_flag_can_be_reached_from_what_a_header_may_say():
    assert [flag.name for flag in flags() if not _is_reachable(flag)] == []


def _is_reachable(flag: Flag) -> bool:
    """Whether a set of raw facts sets it: those of an example, or the needs of one of its sources, all the way down."""
    return bool(facts_of_examples() & flag.bit) or any(_sets(raw, flag) for raw in _ways(flag, ()))


def _ways(flag: Flag, trail: tuple[str, ...]) -> Iterator[int]:
    """Sets of raw facts from which a flag may follow."""
    plain = flag.plain | flag.words
    yield from (1 << place for place in range(plain.bit_length()) if plain >> place & 1)
    for term in flag.sources:
        yield from _raw_of(term, (*trail, flag.name))


def _raw_of(term: Term, trail: tuple[str, ...]) -> Iterator[int]:
    by_bit = {one.bit: one for one in flags() if one.name not in trail}
    ways = [0]
    for place in range(term.need.bit_length()):
        if bit := term.need & 1 << place:
            deeper = list(_ways(by_bit[bit], trail)) if bit in by_bit else [bit]
            ways = _spread([way | more for way in ways for more in _spread(deeper, 12)], 200)
    yield from ways


def _spread(ways: list[int], most: int) -> list[int]:
    """Some of many ways, from all over them."""
    return ways[:: max(1, -(-len(ways) // most))]


def _sets(raw: int, flag: Flag) -> bool:
    joined = RULES.reader.vocabulary.combined.read(Reading(raw, *RULES.reader.soft)).facts
    return bool((joined | RULES.reader.unify(joined, 0).facts) & flag.bit)


def test_every_source_of_a_flag_can_hold():
    """A source that asks for what excludes each other would be idle."""
    idle = [(flag.name, term.written) for flag in flags() for term in flag.sources if not _can_hold(term, (flag.name,))]

    assert idle == []


def _can_hold(term: Term, trail: tuple[str, ...]) -> bool:
    return any(term.holds(_all_facts(raw)) for raw in _raw_of(term, trail))


def _all_facts(raw: int) -> int:
    joined = RULES.reader.vocabulary.combined.read(Reading(raw, *RULES.reader.soft)).facts
    return raw | joined | RULES.reader.unify(joined, 0).facts


@pytest.mark.parametrize("axis", AXES)
def test_whatever_speaks_for_a_value_can_win_it(axis: str):
    """Each condition of each rule holds on some MR image, original or derived, on which nothing forbids the value."""
    bits = RULES.reader.index.bits
    images = [bits["modality=MR"] | bits[f"image_type.{kind}"] for kind in ("is_original", "is_derived")]

    def may_win(known: ValueRule, term: Term) -> bool:
        found = (_all_facts(raw | image) for raw in _raw_of(term, ()) for image in images)
        return any(term.holds(facts) and obstacle(known, facts) is None and not holds(known.unless, facts) for facts in found)

    idle = [(known.value, term.written) for known in RULES.axes[axis] for term in known.speaking if not may_win(known, term)]

    assert idle == []


@pytest.mark.parametrize("where", WORDS)
def test_every_keyword_is_found_in_a_text_that_says_it(where: str):
    lexicon = RULES.reader.lexicons[where]
    asked = RULES.reader.index.words(where)

    def spoken(keyword: str) -> str:
        return keyword.replace("#", "2").replace("~", "x") if keyword[-1] in "#~" else keyword

    assert [keyword for keyword, bit in asked.items() if not lexicon.facts(lines_of(spoken(keyword))) & bit] == []


@given(fingerprint=st.sampled_from(EXAMPLES), data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_keys_does_not_matter(fingerprint: dict[str, Any], data: st.DataObject):
    order = data.draw(st.permutations(sorted(fingerprint)))

    assert verdict_of({name: fingerprint[name] for name in order}, RULES) == verdict_of(fingerprint, RULES)


@given(fingerprint=st.sampled_from([one for one in EXAMPLES if any("\\" in str(one.get(tag)) for tag in UNORDERED)]), data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_values_of_a_tag_without_places_does_not_matter(fingerprint: dict[str, Any], data: st.DataObject):
    tags = [tag for tag in UNORDERED if "\\" in str(fingerprint.get(tag))]
    turned = {tag: "\\".join(data.draw(st.permutations(fingerprint[tag].split("\\")))) for tag in tags}

    assert verdict_of({**fingerprint, **turned}, RULES) == verdict_of(fingerprint, RULES)


@given(stacks=st.lists(st.sampled_from(EXAMPLES), min_size=2, max_size=6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_stacks_of_any_study_does_not_matter(stacks: list[dict[str, Any]], data: st.DataObject):
    study = {str(number): fingerprint for number, fingerprint in enumerate(stacks)}
    order = data.draw(st.permutations(sorted(study)))

    assert classify_study({stack: study[stack] for stack in order}, RULES) == classify_study(study, RULES)


@given(
    fingerprint=st.sampled_from(EXAMPLES), name=st.sampled_from(sorted({*TEXTS, *MEASURED, *SEED_NAMES})), absent=st.sampled_from(ABSENT)
)
@settings(max_examples=200, deadline=None)
def test_an_empty_value_is_the_same_as_none_at_all(fingerprint: dict[str, Any], name: str, absent: Any):
    without = {key: value for key, value in fingerprint.items() if key != name}

    assert verdict_of({**without, name: absent}, RULES) == verdict_of(without, RULES)


@given(fingerprint=st.sampled_from(EXAMPLES), data=st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_left_out_every_value_that_remains_has_evidence(fingerprint: dict[str, Any], data: st.DataObject):
    kept = data.draw(st.sets(st.sampled_from(sorted(fingerprint))))
    verdict = verdict_of({name: value for name, value in fingerprint.items() if name in kept}, RULES)

    for result in verdict.axes.values():
        assert {one.target for one in result.evidence} == set(result.values)


@given(fingerprint=st.sampled_from(EXAMPLES), text=st.sampled_from(["study 2", "Serie", "x7 neu", "klinisk_A", "?"]))
@settings(max_examples=300, deadline=None)
def test_words_that_say_nothing_decide_what_no_words_decide(fingerprint: dict[str, Any], text: str):
    silent = {key: value for key, value in fingerprint.items() if key not in {"series_description", "protocol_name", "text_search_blob"}}

    assert axes_of({**silent, "series_description": text}) == axes_of(silent)


def axes_of(fingerprint: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {axis: result.values for axis, result in verdict_of(fingerprint, RULES).axes.items()}


VALUES = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="tT12*+-_ \\/,[]'\"#~%µßé\x00\ud800", max_size=40),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.one_of(st.text(max_size=8), st.floats(), st.none()), max_size=4),
)


@given(fingerprint=st.sampled_from(EXAMPLES), noise=st.dictionaries(st.sampled_from(sorted({*TEXTS, *MEASURED, *SEED_NAMES})), VALUES))
@settings(max_examples=400, deadline=None)
def test_no_header_makes_it_fail(fingerprint: dict[str, Any], noise: dict[str, Any]):
    document = document_of({**fingerprint, **noise}, RULES)

    assert set(AXES) <= set(document)
    json.dumps(document)


SPIRAL = """
  SPIRAL-X:
    name: Spiral of another kind
    category: GRE
    detection:
      alternative_flags: [scan_options.has_spiral_x & has_gre]
      keywords: [spiralx]
      excludes: [has_se]
    implied_base: "T2*w"
    refines: [SP-GRE, GRE]
    examples: [{modality: MR, scan_options: SPIRALX, scanning_sequence: GR}]
    never: [{modality: MR, scan_options: SPIRALX, scanning_sequence: SE}]
"""


@pytest.fixture(scope="module")
def with_spiral(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    """Rules with a technique that we do not know: a new token of ScanOptions and a rule about it, in YAML alone."""
    folder = Path(shutil.copytree(PACKAGED, tmp_path_factory.mktemp("known") / "rules"))
    technique, vocabulary = folder / "technique-detection.yaml", folder / "tag-vocabulary.yaml"
    technique.write_text(technique.read_text(encoding="utf-8") + SPIRAL, encoding="utf-8")
    text = vocabulary.read_text(encoding="utf-8")
    vocabulary.write_text(
        text.replace("scan_options:\n  flags:\n", "scan_options:\n  flags:\n    has_spiral_x: [SPIRALX]\n"), encoding="utf-8"
    )
    return load_rules(folder)


def test_a_technique_with_a_tag_of_its_own_is_added_in_yaml_alone_and_wins_where_it_should(with_spiral: Ruleset):
    gradient = {"modality": "MR", "scanning_sequence": "GR", "sequence_variant": "SP"}

    tagged = document_of({**gradient, "scan_options": "FS\\SPIRALX"}, with_spiral)
    named = document_of({**gradient, "series_description": "ax_spiralx_2mm"}, with_spiral)
    spin = document_of({"modality": "MR", "scanning_sequence": "SE", "scan_options": "SPIRALX"}, with_spiral)

    assert (tagged["technique"], tagged["base"], tagged["confidence"]["technique"]) == ("SPIRAL-X", "T2*w", 0.9)
    assert (named["technique"], spin["technique"]) == ("SPIRAL-X", "SE")


def test_a_technique_that_was_added_changes_no_stack_that_it_is_not_about(with_spiral: Ruleset):
    assert [one for one in EXAMPLES if document_of(one, with_spiral) != document_of(one, RULES)] == []
