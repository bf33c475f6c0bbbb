"""Every block of docs/training.md runs as it is written, in a folder of its own in place of /data; the published ones are among them."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from datasets.small import write_csv, write_image
from preprocessor.synthetic import write_stack

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "reference" / "seeds" / "001_474c6ade2c206df6.txt"
ELSEWHERE = ("select(", "ImageDataModule")  # run by test_selecting and test_module
NO_CODE = "'img': [N, 1024]"  # the published text shows a format so


def blocks_of(text: str) -> list[str]:
    return [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if NO_CODE not in block]


def documented() -> list[str]:
    return blocks_of((ROOT / "docs" / "training.md").read_text(encoding="utf-8"))


def published() -> list[str]:
    if not PUBLISHED.is_file():
        return []
    return [block.replace("from neurovfm.", "from gyrus.") for block in blocks_of(PUBLISHED.read_text(encoding="utf-8"))]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the text has it: two patients, and two studies of the whole set-up."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "scan.nii.gz", (20, 64, 64))
    for number, (mri, ct) in enumerate((("patient_001", "patient_002"), ("study_001", "study_002"))):
        write_image(tmp_path / "data/raw" / mri / "T1.nii.gz", (12, 48, 32), number)
        write_stack(tmp_path / "data/raw" / ct / "ct_scan", modality="CT", intercept=-1024)
    rows = [("patient_001", 1, 0, 1), ("patient_002", 0, 1, 0), ("patient_003", 1, 1, 0)]
    write_csv(tmp_path / "data/labels.csv", rows, ("study_id", "label_a", "label_b", "label_c"))
    return tmp_path


def run(blocks: list[str], place: Path) -> dict[str, Any]:
    """One after the other, as in a notebook; the set-up as a whole, with studies of its own, last."""
    known: dict[str, Any] = {"model": lambda *tensors: tensors[0], "num_epochs": 2}
    for block in sorted(blocks, key=lambda block: "num_epochs" in block):
        exec(compile(block.replace("'/data", f"'{place}/data"), "training.md", "exec"), known)
    return known


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # of a machine with two cores
def test_every_block_of_the_page_runs(place: Path) -> None:
    blocks = [block for block in documented() if not any(word in block for word in ELSEWHERE)]

    known = run(blocks, place)

    assert len(blocks) == len(documented()) - 2 == 11
    assert known["outputs"].shape[-1] == 1024 and known["output"].shape == (1, 20, 64, 64)
    assert int(known["starts"][-1]) == len(known["tokens"])
    assert {known["train"].images[0].study, known["val"].images[0].study} == {"patient_001", "patient_002"}


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published text is not here (../shared/reference/seeds)")
def test_the_published_blocks_are_those_of_the_page_but_for_their_imports() -> None:
    assert len(published()) == 9
    assert set(published()) <= set(documented())


def test_the_pictures_of_the_page_are_there() -> None:
    names = re.findall(r"!\[.*?\]\((.*?)\)", (ROOT / "docs" / "training.md").read_text(encoding="utf-8"))

    assert names and all((ROOT / "docs" / name).is_file() for name in names)


def test_pictures_are_made_of_any_data_set(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gyrus.datasets import pictures  # noqa: PLC0415

    monkeypatch.setattr(sys, "argv", ["pictures", str(data_dir), str(tmp_path)])
    pictures.main()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["batch.png", "draws.png"]
