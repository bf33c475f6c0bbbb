"""A site's own rules on top of ours: what they may do, and what they are told when they are wrong."""

from functools import cache
from pathlib import Path

import pytest

from classifier.fingerprints import a_fingerprint, an_mprage, document_of
from gyrus.classifier.core import RulesetError, load_rules
from gyrus.classifier.core.loader import Written, read_rules, ruleset_of
from gyrus.classifier.core.overlay import told, with_overlay
from gyrus.classifier.core.proof import broken_examples, checked
from gyrus.classifier.core.stored import content_of, ruleset_from
from gyrus.classifier.core.yaml_lines import page_of

OURS = """
add:
  technique.WAVE-MPRAGE:
    name: Wave MPRAGE
    detection: {keywords: [wavemprage]}
    refines: [MPRAGE, GRE]
    examples: [{modality: MR, series_description: wavemprage, scanning_sequence: GR}]
    never: [{modality: MR, series_description: mprage, scanning_sequence: GR}]
"""


@cache
def ours() -> Written:
    return read_rules()


def written_with(text: str) -> Written:
    return with_overlay(ours(), page_of(Path("site.yaml"), text))


def test_an_added_rule_speaks_and_stands_for_what_it_refines():
    document = document_of(a_fingerprint(series_description="wavemprage", scanning_sequence="GR"), ruleset_of(written_with(OURS)))

    assert document["technique"] == "WAVE-MPRAGE"
    assert 0 < document["probability"]["technique"] < 1


def test_a_changed_rule_keeps_what_is_not_named():
    before, after = ours(), written_with("change:\n  technique.MPRAGE: {confidence_weight: 0.6, detection: {keywords: [xyzzy]}}")
    old, new = (one.pages["technique"].content["techniques"]["MPRAGE"] for one in (before, after))

    assert (new["confidence_weight"], new["detection"]["keywords"]) == (0.6, ["xyzzy"])
    assert {**new, "detection": 0, "confidence_weight": 0} == {**old, "detection": 0, "confidence_weight": 0}
    assert document_of(an_mprage(series_description=""), ruleset_of(after))["confidence"]["technique"] == 0.6


def test_a_retired_rule_is_silent_and_leaves_no_trace_in_others():
    without = written_with("retire: [construct.Kep]")

    assert "Kep" not in ruleset_of(without).values("construct")
    assert "Kep" in load_rules().values("construct")


@pytest.mark.parametrize("text", ["", "# later", "---", "{}", "meta: {version: '1'}", "retire:", "retire: []\nadd: {}"])
def test_an_overlay_that_says_nothing_stands_for_our_rules_as_they_are(text: str):
    overlay = page_of(Path("site.yaml"), text)

    assert content_of(with_overlay(ours(), overlay)) == content_of(ours())
    assert told(overlay) == "nothing retired, added or changed: our rules as they are"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("retire:\n  - construct.Kepp", 2, "axis 'construct' has no rule 'Kepp'; did you mean 'Kep'?"),
        ("retire: [tecnique.MPRAGE]", 1, "'tecnique.MPRAGE' is no id of a rule (axis.value); did you mean 'technique.MPRAGE'?"),
        ("add:\n  technique.MPRAGE: {}", 2, "has a rule 'MPRAGE' already; put it under `change`"),
        ("change:\n  base.T2x: {}", 2, "axis 'base' has no rule 'T2x'; did you mean"),
        ("chnage:\n  base.T2w: {}", 1, "unknown key 'chnage'; did you mean 'change'?"),
        ("add: [x]", 1, "'add' is a mapping of ids to rules"),
        (OURS.replace("keywords:", "keyword:"), 5, "unknown key 'keyword'; did you mean 'keywords'?"),
        (OURS.replace("refines: [MPRAGE, GRE]", "refines: [MPRAGEE]"), 6, "did you mean 'MPRAGE'?"),
        (OURS.replace("{keywords: [wavemprage]}", "{exclusive: is_mprague}"), 5, "did you mean 'is_mprage'?"),
        ("change:\n  base.T2w:\n    implied_base: T9w", 3, "axis 'base' has no value 'T9w'"),
        ("add: &a [*a]", 1, "nested deeper than 20 levels"),
        ("meta:\n  verson: '1'", 2, "unknown key 'verson'; did you mean 'version'?"),
        ("retire: [construct.Kep, construct.Kep]", 1, "'construct.Kep' is retired twice"),
        ("change:\n  technique.mprage: {}", 2, "axis 'technique' has no rule 'mprage'; did you mean 'MPRAGE'?"),
        (OURS.replace("WAVE-MPRAGE", "none"), 3, "'none' can be no value"),
        (OURS.replace("WAVE-MPRAGE", "A,B"), 3, "'A,B' can be no value"),
        (OURS.replace("{keywords: [wavemprage]}", "{physics: [{echo_time: {above: .inf}}]}"), 5, "should be a finite number"),
        ("retire:\n  - 2026-13-45", 1, "not YAML: month must be in 1..12"),
        ("add:\n  yes: {}", 2, "key 'yes' is no text; put it in quotes"),
        ("[" * 100_000, 1, "nested deeper than 20 levels"),
    ],
)
def test_a_fault_is_told_with_file_line_and_what_may_stand_there(text: str, line: int, says: str):
    with pytest.raises(RulesetError) as fault:
        ruleset_of(written_with(text))

    assert says in str(fault.value)
    assert str(fault.value).startswith(f"site.yaml:{line}: ")


@pytest.mark.parametrize(
    ("text", "line", "entry", "says"),
    [
        (
            "retire:\n  - construct.Kep\n  - technique.BOLD-EPI",
            3,
            "with technique.BOLD-EPI retired, ",
            "axis 'technique' has no value",
        ),
        ("retire:\n  - base.T1w", 2, "with base.T1w retired, ", "is wrong: axis 'base' has no value 'T1w'"),
        ("retire:\n  - contrast.yes\n  - contrast.no", 3, "with contrast.no retired, ", "expected values of axis 'contrast'"),
        ("change:\n  technique.GRE: {refines: [MPRAGE]}", 2, "", "values replace each other in a circle"),
    ],
)
def test_what_our_own_rules_still_need_is_told_at_the_line_that_takes_it_away(text: str, line: int, entry: str, says: str):
    with pytest.raises(RulesetError) as fault:
        checked(ours(), page_of(Path("site.yaml"), text))

    assert str(fault.value).startswith(f"site.yaml:{line}: {entry}")
    assert says in str(fault.value)


def test_an_example_of_ours_that_an_overlay_breaks_is_told_at_its_line():
    site = "add:\n" + OURS.replace("\nadd:\n", "") + "change:\n  technique.MPRAGE:\n    detection: {keywords: [xyzzy]}\n"

    (broken, *_) = checked(ours(), page_of(Path("site.yaml"), site)).broken

    assert str(broken).startswith("site.yaml:9: with technique.MPRAGE changed, technique.MPRAGE (technique-detection.yaml:")
    assert str(broken).endswith("; change technique.MPRAGE too, or mend what is changed here")


def test_the_overlay_of_the_documentation_may_be_applied():
    page = (Path(__file__).parents[2] / "docs/classification.md").read_text(encoding="utf-8")
    site = page.partition("```yaml\n")[2].partition("```")[0]

    assert checked(ours(), page_of(Path("site.yaml"), site)).broken == ()


def test_a_field_that_no_rule_reads_is_named_where_its_example_is_not_kept():
    site = OURS.replace("series_description: wavemprage", "series_descriptoin: wavemprage")

    (broken,) = checked(ours(), page_of(Path("site.yaml"), site)).broken

    assert str(broken).endswith("no rule reads 'series_descriptoin'")


def test_an_example_that_is_not_kept_is_told_with_its_line():
    written = written_with(OURS.replace("series_description: wavemprage, scanning", "series_description: mprage, scanning"))

    (broken,) = broken_examples(written, ruleset_of(written))

    assert str(broken) == "site.yaml:7: this example of technique should be WAVE-MPRAGE, and is MPRAGE"


def test_our_own_rules_keep_their_examples():
    assert not list(broken_examples(ours(), load_rules()))


def test_what_is_stored_of_a_ruleset_makes_it_again():
    written = written_with(OURS)

    assert ruleset_from(content_of(written)) == ruleset_of(written)
    assert ruleset_from(content_of(written)).digest == ruleset_of(written).digest


def test_a_date_in_an_example_is_stored_as_its_text():
    written = written_with(
        OURS.replace("description: wavemprage, scanning", "description: wavemprage, acquisition_date: 2026-01-31, scanning")
    )

    assert ruleset_from(content_of(written)).digest == ruleset_of(written).digest


def test_a_file_whose_aliases_multiply_is_refused_before_it_is_built():
    bomb = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))])

    with pytest.raises(RulesetError, match="more than 200000 parts"):
        written_with(bomb)
