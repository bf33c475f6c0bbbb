"""Labels: ids are text, nothing is taken for 0 in silence, and what does not fit is named."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from datasets.small import write_csv
from gyrus.datasets import ImageDataset, LabelError, read_labels

BINARY = [("001", 1), ("002", 0), ("003", 1), ("004", 0), ("1", 0)]


def labels_of(dataset: ImageDataset) -> dict[str, Any]:
    return {dataset[index]["study"]: dataset[index]["label"] for index in range(len(dataset))}


def test_ids_are_text(data_dir: Path, tmp_path: Path) -> None:
    dataset = ImageDataset(data_dir, study_labels=write_csv(tmp_path / "labels.csv", BINARY))

    assert labels_of(dataset) == {"001": 1, "002": 0, "003": 1, "004": 0, "1": 0}
    assert all(type(label) is int for label in labels_of(dataset).values())
    assert dataset.labels is not None and dataset.labels.kind == "binary"
    assert (dataset.unlabelled, dataset.unmatched_labels) == ([], [])


def test_a_study_without_a_label_is_an_error_that_names_it_and_what_was_left_over(data_dir: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "labels.csv", [("01", 1), *BINARY[1:]])

    with pytest.raises(LabelError, match=r"labels\.csv: 1 studies have no label: 001\. Labels without a study: 01\."):
        ImageDataset(data_dir, study_labels=path)


def test_unlabelled_studies_may_stay_or_be_left_out(data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_csv(tmp_path / "labels.csv", [("002", 3), ("004", 2), ("x9", 1)])

    kept = ImageDataset(data_dir, study_labels=path, unlabelled="keep")
    left = ImageDataset(data_dir, study_labels=path, unlabelled="drop")

    assert labels_of(kept) == {"001": None, "002": 3, "003": None, "004": 2, "1": None}
    assert labels_of(left) == {"002": 3, "004": 2}
    assert [one.unlabelled for one in (kept, left)] == [["001", "003", "1"]] * 2
    assert kept.unmatched_labels == ["x9"] and "1 labels belong to no study here: x9" in caplog.text


def test_labels_of_studies_that_were_not_wanted_are_not_unmatched(data_dir: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "labels.csv", BINARY)

    assert ImageDataset(data_dir, study_labels=path, studies=["002"]).unmatched_labels == []


def test_several_columns_are_several_labels(data_dir: Path, tmp_path: Path) -> None:
    rows = [(study, label, 1 - label, 1) for study, label in BINARY]
    path = write_csv(tmp_path / "labels.csv", rows, ("study_id", "label_a", "label_b", "label_c"))
    dataset = ImageDataset(data_dir, study_labels=path)

    assert dataset.labels is not None
    assert (dataset.labels.kind, dataset.labels.columns) == ("multilabel", ("label_a", "label_b", "label_c"))
    label = dataset[0]["label"]
    assert (label.dtype, label.tolist()) == (torch.float32, [1, 0, 1])
    assert next(iter(DataLoader(dataset, batch_size=4)))["label"].shape == (4, 3)


def test_a_blank_among_several_is_an_error_or_nan(data_dir: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "labels.csv", [("001", 1, ""), *((study, 0, 1) for study, _ in BINARY[1:])], ("study_id", "a", "b"))

    with pytest.raises(LabelError, match=r"labels\.csv:2: a label of 001 is blank"):
        ImageDataset(data_dir, study_labels=path)
    first, second = ImageDataset(data_dir, study_labels=path, blank_labels="nan")[0]["label"].tolist()
    assert first == 1 and math.isnan(second)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"001": 0, "002": 1}, "binary"),
        ({"001": 0, "002": 2}, "multiclass"),
        ({"001": "glioma", "002": "meningioma"}, "text"),
        ({"001": [0, 1], "002": [1, 1]}, "multilabel"),
        ({"001": {"a": 0, "b": 1}, "002": {"b": 1, "a": 1}}, "multilabel"),
        ({"001": True, "002": False}, "binary"),
    ],
)
def test_json_takes_every_kind(tmp_path: Path, said: Any, kind: str) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(said))

    labels = read_labels(tmp_path / "labels.json")

    assert labels.kind == kind
    assert labels.by_study["002"] in (1, 2, "meningioma", (1, 1), False)


def test_numbers_of_numpy_and_torch_count_as_numbers_do(data_dir: Path) -> None:
    studies = [study for study, _ in BINARY]

    whole = ImageDataset(data_dir, study_labels=dict(zip(studies, np.float32([1, 0, 1, 0, 0]), strict=True)))
    several = ImageDataset(data_dir, study_labels=dict.fromkeys(studies, torch.tensor([1, 0])))

    assert labels_of(whole) == dict(BINARY)
    assert several.labels is not None and several.labels.by_study["001"] == (1, 0)
    for broken in (np.float32(0.7), torch.tensor(0.7)):
        with pytest.raises(LabelError, match=r"001 has 0\.\d+; a label is a whole number or a text"):
            ImageDataset(data_dir, study_labels={**dict.fromkeys(studies, 0), "001": broken})


def test_classes_are_numbered_as_told_or_in_their_order(data_dir: Path) -> None:
    said = {"001": "b", "002": "a", "003": "c", "004": "a", "1": "b"}

    assert ImageDataset(data_dir, study_labels=said)[0]["label"] == "b"
    assert ImageDataset(data_dir, study_labels=said).class_to_idx == {"a": 0, "b": 1, "c": 2}
    numbered = ImageDataset(data_dir, study_labels=said, use_original_labels=False)
    assert (labels_of(numbered)["003"], numbered.class_to_idx) == (2, {"a": 0, "b": 1, "c": 2})
    told = {"a": 7, "b": 8, "c": 9}
    assert labels_of(ImageDataset(data_dir, study_labels=said, use_original_labels=False, class_to_idx=told))["003"] == 9
    with pytest.raises(LabelError, match="class_to_idx has no number for c"):
        ImageDataset(data_dir, study_labels=said, use_original_labels=False, class_to_idx={"a": 0, "b": 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p1,0\np2,1\n", r":1: expected a header like `study_id,label`, with commas, found `p1,0`"),
        ("", ":1: expected a header"),
        ("study_id,label\n", "holds no label"),
        ("study_id,label\np1,1\np1,0\n", r":3: p1 has another label further up"),
        ("study_id,label\np1,\n", r":2: the label of p1 is blank; take the line out"),
        ("study_id,label\np1,0.5\n", r":2: p1 has 0\.5; a label is a whole number or a text"),
        ("study_id,label\np1,0\np2,x\n", "labels are numbers and texts: 0, x"),
        ("study_id,label\n,1\n", r":2: there is no study_id"),
        ("study_id,label\np1,1,1\n", r":2: 3 cells where the header has 2"),
        ("study_id,a,b\np1,1,2\n", r":2: p1 has 2 in one of several columns; there each is 0 or 1"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(text)

    with pytest.raises(LabelError, match=said):
        read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "expected an object of labels by study"),
        ("{", r":1: this is no JSON"),
        ('{"p1": 0, "p1": 1}', "p1 stands twice, with different labels"),
        ('{"p1": [0, 1], "p2": [1]}', "studies have 1 or 2 labels; all must have as many"),
        ('{"p1": null}', "is blank"),
    ],
)
def test_json_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "labels.json").write_text(text)

    with pytest.raises(LabelError, match=said):
        read_labels(tmp_path / "labels.json")


def test_a_table_as_office_programs_write_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("\ufeffStudy_ID,label\r\n 001 , 1\r\n\r\nÅsa,0\r\n".encode())

    assert read_labels(tmp_path / "labels.csv").by_study == {"001": 1, "Åsa": 0}


def test_a_file_that_is_not_there_is_an_error(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ImageDataset(data_dir, study_labels=tmp_path / "labels.csv")


def test_ids_of_a_mapping_must_be_text(data_dir: Path) -> None:
    with pytest.raises(LabelError, match="the id 1 is no text"):
        ImageDataset(data_dir, study_labels={1: 0})  # type: ignore[dict-item]


def test_a_number_is_what_is_written_as_one(tmp_path: Path) -> None:
    cases = {"1_0": "1_0", "9007199254740993": 9007199254740993, "1.0": 1, "1e3": 1000, "-2": -2}

    for written, label in cases.items():
        rows = [("a", written), ("b", "b" if isinstance(label, str) else 0)]
        assert read_labels(write_csv(tmp_path / "labels.csv", rows)).of("a") == label


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("study_id,label\n001,ä\n".encode("latin-1"), r"labels\.csv: byte 19 is not UTF-8; save it as text in UTF-8"),
        (b"study_id;label\n001;1\n", r"labels\.csv:1: expected a header like `study_id,label`, with commas"),
        (b"study_id,a,a\n001,0,1\n", r"labels\.csv:1: several columns are called a"),
    ],
)
def test_a_table_that_is_none_is_told_with_its_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)

    with pytest.raises(LabelError, match=message):
        read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"001": [[0, 1]]}', r"labels\.json, 001: \[0, 1\] is neither a number nor a text"),
        ('{"001": {"a": {"b": 1}}}', r"labels\.json, 001: \{'b': 1\} is neither a number nor a text"),
        ('{"001": 0, "001": 1}', r"labels\.json: 001 stands twice"),
    ],
)
def test_labels_inside_labels_are_told_with_their_file(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(content)

    with pytest.raises(LabelError, match=message):
        read_labels(tmp_path / "labels.json")
