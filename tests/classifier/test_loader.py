"""A rule file that is wrong says where, and what may stand there."""

import pickle
import shutil
from pathlib import Path

import pytest

from gyrus.classifier.core import RulesetError, classify_study, load_rules
from gyrus.classifier.core.loader import PACKAGED, REFERENCE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKAGED, tmp_path / "rules"))


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first `old` and return its line."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return line


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("technique-detection.yaml", "exclusive: is_mprage", "exclusive: is_mprague", "'is_mprague'; did you mean 'is_mprage'?"),
        ("technique-detection.yaml", "priority_order: [MRS,", "priority_order: [MRSS,", "has no rule for 'MRSS'; did you mean 'MRS'?"),
        ("technique-detection.yaml", "implied_base: T1w", "implied_base: T1", "axis 'base' has no value 'T1'; did you mean 'T1w'?"),
        ("technique-detection.yaml", "    category: GRE", "    familly: GRE", "unknown key 'familly'"),
        ("technique-detection.yaml", "exclusive: is_mprage", "exklusive: is_mprage", "unknown key 'exklusive'; did you mean 'exclusive'?"),
        ("technique-detection.yaml", "refines: [SP-GRE, GRE]", "refines: [ZTU]", "technique-detection.yaml has no rule for 'ZTU'"),
        ("technique-detection.yaml", "confidence_weight: 0.95", "confidence_weight: 1.5", "less than or equal to 0.99, found 1.5"),
        ("modifier-detection.yaml", "keywords: [fatsat,", 'keywords: ["()/",', "no letter or digit"),
        ("base-detection.yaml", "modifier: FLAIR", "modifier: FLARE", "axis 'modifier' has no value 'FLARE'; did you mean 'FLAIR'?"),
        ("base-detection.yaml", "echo_time: {above: 17}", "echo_time: {over: 17}", "'over'; did you mean 'above'? allowed: above"),
        ("modifier-detection.yaml", "  FatSat:", "  FLAIR:", "key 'FLAIR' stands here and on"),
        ("construct-detection.yaml", "version:", "version: ]", "not YAML"),
        (REFERENCE, "sources: [sequence_name.is_ciss]", "sources: [sequence_name.is_cis]", "did you mean 'sequence_name.is_ciss'?"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_with_what_is_allowed(folder: Path, name: str, old: str, new: str, says: str):
    line = change(folder, name, old, new)

    with pytest.raises(RulesetError) as wrong:
        load_rules(folder)

    assert says in str(wrong.value)
    assert wrong.value.path == folder / name
    assert abs(wrong.value.line - line) <= 1


NEW_TECHNIQUE = """
  SILENT-GRE:
    name: Silent gradient echo
    category: GRE
    detection:
      keywords: [silentscan]
      requires: [has_gre]
      excludes: [has_epi]
    implied_base: PDw
    refines: [SP-GRE, GRE]
    examples: [{modality: MR, series_description: silentscan, scanning_sequence: GR}]
    never: [{modality: MR, series_description: silentscan, scanning_sequence: SE}]
"""


def test_a_technique_that_nobody_knew_is_added_in_yaml_alone_and_wins_where_it_should(folder: Path):
    path = folder / "technique-detection.yaml"
    path.write_text(path.read_text(encoding="utf-8") + NEW_TECHNIQUE, encoding="utf-8")
    rules = load_rules(folder)
    plain = {"modality": "MR", "manufacturer": "SIEMENS", "scanning_sequence": "GR", "sequence_variant": "SP", "sequence_name": "*fl3d1"}

    named = classify_study({"s": {**plain, "series_description": "silentscan"}}, rules)["s"].document()
    unnamed = classify_study({"s": plain}, rules)["s"].document()
    spin = classify_study({"s": {"modality": "MR", "scanning_sequence": "SE", "series_description": "silentscan"}}, rules)["s"].document()

    assert (named["technique"], named["base"], named["intent"]) == ("SILENT-GRE", "PDw", "anat")
    assert unnamed["technique"] == "SP-GRE"
    assert spin["technique"] == "SE"
    assert any("SILENT-GRE" in doubt for doubt in spin["review"])


def test_a_keyword_that_no_text_can_contain_is_refused(folder: Path):
    change(folder, "technique-detection.yaml", "keywords: [vibe,", "keywords: [vibé-vibe~ x#,")

    with pytest.raises(RulesetError, match="can never be found"):
        load_rules(folder)


def test_an_open_keyword_that_stands_in_other_words_is_refused(folder: Path):
    change(folder, "technique-detection.yaml", "keywords: [vibe,", 'keywords: ["vib~",')

    with pytest.raises(RulesetError, match="too short to be a part of words"):
        load_rules(folder)


def test_values_that_replace_each_other_are_refused(folder: Path):
    change(folder, "technique-detection.yaml", "refines: [SP-GRE, FSP-GRE, GRE, VI-GRE]", "refines: [SP-GRE, SE-EPI]")
    change(folder, "technique-detection.yaml", "refines: [SE, TSE, EPI, 3D-TSE]", "refines: [SE, MPRAGE]")

    with pytest.raises(RulesetError, match="in a circle: SE-EPI → MPRAGE → SE-EPI"):
        load_rules(folder)


def test_a_value_without_examples_is_refused(folder: Path):
    text = (folder / "modifier-detection.yaml").read_text(encoding="utf-8")
    (folder / "modifier-detection.yaml").write_text(text[: text.rindex("    examples:")], encoding="utf-8")

    with pytest.raises(RulesetError, match="examples: Field required"):
        load_rules(folder)


def test_a_flag_without_sources_is_refused(folder: Path):
    change(folder, REFERENCE, "sources: [sequence_name.is_space, sequence_name.is_space_ir]", "sources: []")

    with pytest.raises(RulesetError, match="sources: List should have at least 1 item"):
        load_rules(folder)


def test_a_flag_that_only_asks_for_what_is_absent_is_refused(folder: Path):
    change(folder, REFERENCE, "sources: [sequence_name.is_space, sequence_name.is_space_ir]", 'sources: ["!is_tof & !is_pc"]')

    with pytest.raises(RulesetError, match="says only what is not there"):
        load_rules(folder)


def test_flags_that_ask_for_each_other_are_refused(folder: Path):
    change(folder, REFERENCE, "sources: [sequence_name.is_space, sequence_name.is_space_ir]", "sources: [is_tof, is_pc & is_space]")

    with pytest.raises(RulesetError, match="in a circle: is_space → is_space"):
        load_rules(folder)


def test_a_missing_file_is_named(folder: Path):
    (folder / "base-detection.yaml").unlink()

    with pytest.raises(RulesetError, match=r"base-detection\.yaml:1: the file is missing"):
        load_rules(folder)


def test_the_digest_names_the_content_and_not_the_layout(folder: Path):
    packaged = load_rules().digest
    assert load_rules(folder).digest == packaged

    path = folder / "base-detection.yaml"
    path.write_text("# a remark\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_rules(folder).digest == packaged

    change(folder, "base-detection.yaml", "above: 17}", "above: 18}")
    assert load_rules(folder).digest != packaged


def test_an_unquoted_yes_is_a_truth_value_and_refused(folder: Path):
    change(folder, "contrast-detection.yaml", '"yes":', "yes:")

    with pytest.raises(RulesetError, match="key 'yes' is no text; put it in quotes"):
        load_rules(folder)


def test_the_rules_lie_in_the_package_and_can_be_sent_to_a_worker_process():
    assert {path.suffix for path in PACKAGED.iterdir()} == {".yaml", ".json"}
    assert pickle.loads(pickle.dumps(load_rules())) == load_rules()
