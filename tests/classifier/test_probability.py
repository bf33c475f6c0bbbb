"""How sure a label is: what the numbers mean, and how they are fitted and measured."""

import json
import math
import random
from itertools import combinations
from pathlib import Path

import pytest

from classifier.fingerprints import a_fingerprint, a_tse, an_mprage, document_of
from gyrus.classifier.calibration.examples import UNSEEN, Row, examples, facts_of_few_families, folds, rows_of
from gyrus.classifier.calibration.figures import figures, reliability, risk_by_coverage
from gyrus.classifier.calibration.fitting import fit
from gyrus.classifier.calibration.outside import pairs_of
from gyrus.classifier.core import Ruleset, RulesetError, classify_study
from gyrus.classifier.core.axes import MR_ONLY
from gyrus.classifier.core.loader import PACKAGED
from gyrus.classifier.core.probability import ALL, FILE, FITTED, SCORED, calibration_of, read_calibration

COMPOSED = Path(__file__).with_name("composed_headers.jsonl")
AUTHORS = Path(__file__).parents[3] / "shared" / "data" / "bids_sidecars.jsonl"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return rows_of([COMPOSED])[:120]


def test_every_axis_that_was_fitted_has_a_probability_and_body_part_has_none(ruleset: Ruleset):
    sure = document_of(an_mprage(), ruleset)["probability"]

    assert {axis for axis, one in sure.items() if one is not None} == {*FITTED, ALL}
    assert all(0 < sure[axis] < 1 for axis in FITTED)
    assert sure[ALL] > 0.9


def test_words_that_nobody_knows_make_a_label_less_sure(ruleset: Ruleset):
    known, strange = a_tse(series_description="t2_tse_tra"), a_tse(series_description="qrzwx fjmpl tra")

    assert document_of(strange, ruleset)["probability"][ALL] < document_of(known, ruleset)["probability"][ALL]


def test_contradictions_and_missing_answers_make_a_label_less_sure(ruleset: Ruleset):
    plain = document_of(a_tse(series_description="t2_tse_tra"), ruleset)["probability"]
    contradicted = document_of(a_tse(series_description="t1_tse_tra"), ruleset)["probability"]
    empty = document_of(a_fingerprint(), ruleset)["probability"]

    assert contradicted["base"] < plain["base"]
    assert empty["technique"] < plain["technique"]
    assert max(contradicted[ALL], empty[ALL]) < plain[ALL]


def test_what_a_person_set_is_sure(ruleset: Ruleset):
    corrected = classify_study({"s": a_tse()}, ruleset, [{"stack": "s", "axis": "technique", "value": "TSE"}])["s"].document()

    assert corrected["probability"]["technique"] == 1.0


def test_a_rule_of_a_site_is_as_sure_as_what_it_rests_on(ruleset: Ruleset, tmp_path: Path):
    """Nothing in the fit names a rule: a new one has the features of its evidence."""
    named = {name for curve in ruleset.calibration.curves.values() for name in curve.coefficients}

    assert not named & {value for axis in ruleset.axes for value in ruleset.values(axis)}


def test_all_seven_are_never_surer_than_what_examples_can_show(ruleset: Ruleset):
    assert all(0.001 <= one <= 0.999 for one in document_of(an_mprage(), ruleset)["probability"].values() if one is not None)


def test_the_figures_of_known_answers_are_the_known_ones():
    perfect = figures([(0.9, True)] * 9 + [(0.9, False)])
    ranked = figures([(0.99, True)] * 70 + [(0.8, True)] * 20 + [(0.1, False)] * 10)

    assert (perfect.ece, perfect.right, perfect.auroc) == (pytest.approx(0), 0.9, 0.5)
    assert perfect.log_loss == pytest.approx(perfect.log_loss_of_constant)
    assert (ranked.auroc, ranked.right_of_surest_90, ranked.right_of_surest_70) == (1.0, 1.0, 1.0)
    assert (ranked.at_least_90, ranked.wrong_at_least_90) == (0.7, 0.0)
    assert figures([(0.9, True)]).auroc is None


def test_risk_by_coverage_ends_at_the_share_that_is_wrong_and_takes_equals_together():
    curve = risk_by_coverage([(0.9, True), (0.9, False), (0.5, False), (0.2, True)])

    assert curve == [(0.5, 0.5), (0.75, pytest.approx(2 / 3)), (1.0, 0.5)]
    assert [count for _, _, count in reliability([(1.0, True), (0.95, True), (0.05, False)])] == [1, 2]


def test_folds_leave_each_family_out_once():
    parts = list(folds([f"f{number}" for number in range(25)], 10))

    assert sorted(family for part in parts for family in part) == sorted({f"f{number}" for number in range(25)})


def test_what_few_families_taught_is_struck_out_of_them(rows: list[Row], ruleset: Ruleset):
    few = facts_of_few_families(rows, ruleset)
    unseen = [one for one in examples(rows, ruleset) if one.kind == UNSEEN]

    assert any(one & other for one, other in combinations(few.values(), 2))
    assert not any(one & other & third for one, other, third in combinations(few.values(), 3))
    assert sum(one.is_all_right for one in unseen) < len(unseen)


def test_a_fit_is_the_same_again_and_its_mean_is_the_share_that_is_right(rows: list[Row], ruleset: Ruleset):
    known = [one for one in examples(rows, ruleset) if one.kind == UNSEEN]
    first, again = fit(known), fit(random.Random(3).sample(known, len(known)))

    for axis in SCORED:
        sure = [first.curves[axis].of(one.features[axis]) for one in known]
        assert sum(sure) / len(sure) == pytest.approx(sum(one.right[axis] for one in known) / len(known), abs=0.01)
        assert first.curves[axis].intercept == pytest.approx(again.curves[axis].intercept, abs=0.001)


def test_who_corrects_one_axis_says_nothing_of_all_together(rows: list[Row], ruleset: Ruleset):
    corrected = {**rows[0], "id": "corrected", "expected": {"base": rows[0]["expected"]["base"]}}

    whole = {one.id: one.is_whole for one in examples([*rows, corrected], ruleset)}

    assert whole == {**dict.fromkeys((row["id"] for row in rows), True), "corrected": False}


def test_the_fit_that_comes_with_the_rules_says_what_it_is_and_is_calibrated_on_families_that_it_never_saw():
    about = json.loads((PACKAGED / FILE).read_text(encoding="utf-8"))["about"]
    unseen = about["figures"][UNSEEN]

    assert {"fitted_at", "rules", "data", "headers", "families", "weights"} <= about.keys()
    assert unseen["ece"] <= 0.05
    assert unseen["log_loss"] <= 0.9 * unseen["log_loss_of_constant"]
    assert unseen["auroc"] >= 0.75


@pytest.mark.skipif(not AUTHORS.exists(), reason="the authors' labels are not kept here; they lie in ../shared/data where that is present")
def test_who_is_sure_of_what_authors_labelled_is_seldom_wrong(ruleset: Ruleset):
    found = figures(pairs_of(rows_of([AUTHORS]), ruleset))

    assert found.wrong_at_least_90 <= 0.02
    assert found.at_least_90 >= 0.75


def test_a_fit_that_lacks_an_axis_or_is_none_is_refused_with_what_to_do(tmp_path: Path):
    path = tmp_path / FILE
    content = json.loads((PACKAGED / FILE).read_text(encoding="utf-8"))
    del content["curves"]["base"]
    path.write_text(json.dumps(content))
    with pytest.raises(RulesetError, match=r"no curve for base; `make calibrate` makes one"):
        read_calibration(path)
    path.write_text("{")
    with pytest.raises(RulesetError, match="no fit of probabilities"):
        read_calibration(path)


def test_without_a_fit_nothing_is_claimed():
    assert calibration_of({"curves": {}}).probabilities({}, None, {}) == {ALL: None}  # type: ignore[arg-type]


def test_a_curve_never_overflows():
    curve = calibration_of({"curves": {"x": {"intercept": 1e6, "coefficients": {"a": -1e9}}}}).curves["x"]

    assert math.isclose(curve.of({}), 0.999) and math.isclose(curve.of({"a": 1.0}), 0.001)


@pytest.mark.parametrize("modality", ["CT", "PT", "NM", "OT"])
def test_what_is_not_asked_of_a_modality_has_no_probability(modality: str, ruleset: Ruleset):
    verdict = classify_study({"s": {"modality": modality, "series_description": "Head 5.0"}}, ruleset)["s"]

    assert {axis for axis, sure in verdict.probability.items() if sure is None} == {*MR_ONLY, "body_part"}


def test_all_are_right_no_more_often_than_each(ruleset: Ruleset):
    for example in (one for known in ruleset.axes.values() for rule in known for one in rule.rule.examples):
        sure = classify_study({"s": example}, ruleset)["s"].probability
        assert (sure[ALL] or 0) <= min(sure[axis] or 1.0 for axis in SCORED)
