"""Subject rules on the command line: checked before anything is asked, and what they leave open is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.calling import Answer, gyrus
from flow import cohort
from gyrus.console.up import Up


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"folder,code\n", "Line 1 of the subject map must be its header: folder,subject"),
        (b"folder,subject\na,Jane Doe\n", "Line 2 of the subject map gives the code 'Jane Doe', which is none: write letters"),
        ("folder,subject\nMüller,P1\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_map_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(content)

    answer = gyrus("ingest", tmp_path, "--subject-map", file, "--url", "http://127.0.0.1:9", "--key", "k")

    assert (answer.code, answer.out) == (1, "")
    assert str(file) in answer.err and words in answer.err


def test_a_map_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = gyrus("ingest", tmp_path, "--subject-map", tmp_path / "none.csv", "--url", "http://127.0.0.1:9", "--key", "k")

    assert (answer.code, answer.err) == (1, f"gyrus: The subject map {tmp_path / 'none.csv'} cannot be read: No such file or directory.\n")


def test_a_pattern_that_cannot_be_used_says_what_to_write(tmp_path: Path) -> None:
    answer = gyrus("ingest", tmp_path, "--subjects", "raw/*", "--url", "http://127.0.0.1:9", "--key", "k")

    assert answer.code == 1
    assert "'raw/*' cannot be used: it must say {subject} once" in answer.err
    assert "Examples: {subject}" in answer.err


class House:
    """A system that is up, and a folder that is ingested into it."""

    def __init__(self, root: Path) -> None:
        self.folder, self.data = root / "inbox", root / "data"
        cohort.first(self.folder)
        self.codes = root / "codes.csv"
        self.up = Up(self.data)
        self.up.start()

    def ask(self, *words: object) -> Answer:
        return gyrus(*words, "--cohort", "trial", "--data", self.data)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.up.stop()


def test_a_missing_entry_is_counted_named_with_phi_and_gone_once_it_is_added_and_read_again(house: House) -> None:
    house.codes.write_text("folder,subject\na,P001\n")
    first = house.ask("ingest", house.folder, "--subject-map", house.codes, "--wait")
    assert first.code == 0
    assert "5 files lie in folders to which the subject rules give no code; their subject comes from PatientID" in first.err
    assert "`gyrus status --cohort trial --phi` names them" in first.err

    plain, phi = house.ask("status").out, house.ask("status", "--phi").out
    assert "5 files lie in folders" in plain and "With --phi their folders are named." in plain
    assert phi.endswith(": b\n"), phi

    house.codes.write_text("folder,subject\na,P001\nb,P002\n")
    later = house.ask("ingest", house.folder, "--subject-map", house.codes, "--wait")
    assert "`gyrus ingest --no-resume` reads them again" in later.err

    again = house.ask("ingest", house.folder, "--no-resume", "--wait")
    assert (again.code, "files lie" in again.err) == (0, False)
    assert "files lie" not in house.ask("status").out
    assert {stack["subject"] for stack in house.ask("stacks", "--json").objects} == {"trial/P001", "trial/P002"}
