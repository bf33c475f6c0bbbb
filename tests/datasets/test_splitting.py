"""Splits: no subject in two parts, the same for the same seed, and kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.datasets import ImageDataset, split_by_subject

THIRDS = {"train": 0.6, "val": 0.2, "test": 0.2}


def studies_of(subjects: int, visits: int = 2) -> dict[str, str]:
    return {f"study {subject}.{visit}": f"subject {subject}" for subject in range(subjects) for visit in range(visits)}


@given(st.integers(3, 60), st.integers(1, 3), st.integers(0, 99))
def test_each_study_is_in_one_part_with_its_subject_and_parts_have_their_share(subjects: int, visits: int, seed: int) -> None:
    of = studies_of(subjects, visits)

    split = split_by_subject(of, THIRDS, seed)

    assert sorted(study for part in split.studies.values() for study in part) == sorted(of)
    for part, studies in split.studies.items():
        assert {split.part_of[of[study]] for study in studies} == {part}
        assert abs(len(studies) / visits - THIRDS[part] * subjects) <= 1.5


@given(st.permutations(sorted(studies_of(12).items())), st.integers(0, 9))
def test_the_order_of_studies_changes_nothing_and_the_seed_does(order: list[tuple[str, str]], seed: int) -> None:
    assert split_by_subject(dict(order), seed=seed) == split_by_subject(studies_of(12), seed=seed)
    assert split_by_subject(dict(order), seed=seed).part_of != split_by_subject(studies_of(12), seed=seed + 1).part_of


def test_a_kept_split_takes_new_subjects_and_moves_none(tmp_path: Path) -> None:
    before = split_by_subject(studies_of(10), THIRDS, path=tmp_path / "split.json")

    after = split_by_subject(studies_of(30), THIRDS, path=tmp_path / "split.json")

    assert before.part_of.items() <= after.part_of.items()
    assert [len(after[part]) for part in THIRDS] == [36, 12, 12]
    assert split_by_subject(studies_of(30), THIRDS, path=tmp_path / "split.json") == after


def test_a_kept_split_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    split_by_subject(studies_of(10), THIRDS, path=tmp_path / "split.json")

    for parts, seed in ((THIRDS, 1), ({"train": 1, "val": 1}, 0)):
        with pytest.raises(ValueError, match=r"split\.json was split as"):
            split_by_subject(studies_of(10), parts, seed, tmp_path / "split.json")


def test_too_few_subjects_and_shares_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="2 subjects do not fill 3 parts"):
        split_by_subject(studies_of(2), THIRDS)
    with pytest.raises(ValueError, match="shares above 0"):
        split_by_subject(studies_of(4), {"train": 1, "val": 0})


def test_a_directory_is_split_by_study_and_its_parts_are_data_sets(data_dir: Path) -> None:
    split = split_by_subject(ImageDataset(data_dir).subjects(), THIRDS)

    parts = [ImageDataset(data_dir, studies=split[part]) for part in THIRDS]

    assert [len(split[part]) for part in THIRDS] == [3, 1, 1]
    assert sorted(pair for part in parts for pair in part.image_index) == ImageDataset(data_dir).image_index


@pytest.mark.parametrize("content", ["", "{", "{}", "[]"])
def test_a_file_that_holds_no_split_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "split.json").write_text(content)

    with pytest.raises(ValueError, match=r"split\.json holds no split"):
        split_by_subject(studies_of(4), THIRDS, path=tmp_path / "split.json")
