"""`gyrus delete` asks before it does anything, and says that the files stay."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.calling import Answer, gyrus
from flow import cohort
from gyrus.console.deleting import question
from gyrus.console.up import Up


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


class House:
    """A system that is up, with two small cohorts."""

    def __init__(self, root: Path) -> None:
        self.folder, self.data = root / "inbox", root / "data"
        cohort.first(self.folder)
        self.up = Up(self.data)
        self.up.start()
        for name in ("trial", "other"):
            assert self.ask("ingest", self.folder, "--cohort", name, "--wait").code == 0

    def ask(self, *words: object) -> Answer:
        return gyrus(*words, "--data", self.data)

    def stacks(self, name: str) -> list[str]:
        return [stack["id"] for stack in self.ask("stacks", "--cohort", name, "--json").objects]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.up.stop()


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_the_question_says_what_goes_and_that_the_files_stay() -> None:
    counts = {"subjects": 1, "studies": 3, "series": 0, "files": 1204, "stacks": 1, "volumes": 18}

    asked, wanted = question({"scope": {"level": "cohort", "id": "trial"}, "counts": counts})

    assert asked == (
        "This removes 1 subject, 3 studies, 1,204 files' records, 1 stack, 18 volumes of cohort trial. Your DICOM files stay.\n"
        "Type the cohort's name to go on: "
    )
    assert wanted == "trial"
    assert question({"scope": {"level": "study", "id": "trial/1"}, "counts": counts})[1] == "yes"


@pytest.mark.parametrize("answer", ["", "yes\n", "other\n", "n\n"])
def test_another_answer_deletes_nothing(house: House, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    typed(monkeypatch, answer)

    refused = house.ask("delete", "--cohort", "trial")

    assert (refused.code, refused.out) == (1, "")
    assert "25 files' records, 4 stacks, 2 volumes of cohort trial. Your DICOM files stay." in refused.err
    assert "nothing was deleted" in refused.err
    assert len(house.stacks("trial")) == 4


def test_without_a_terminal_it_wants_yes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("trial\n"))

    refused = house.ask("delete", "--cohort", "trial")

    assert refused.code == 2
    assert "--yes" in refused.err


@pytest.mark.parametrize("words", [[], ["--cohort", "trial", "--study", "trial/1"]])
def test_it_wants_exactly_one_thing_to_delete(house: House, words: list[str]) -> None:
    refused = house.ask("delete", *words, "--yes")

    assert refused.code == 2
    assert "--cohort, --subject, --study, --series" in refused.err.replace("\n", " ")


def test_what_is_not_there_is_named_with_the_form_of_an_id(house: House) -> None:
    refused = house.ask("delete", "--study", "1.2.3", "--yes")

    assert (refused.code, refused.out) == (1, "")
    assert "study '1.2.3' (an id is cohort/StudyInstanceUID)" in refused.err


def test_a_series_is_deleted_when_somebody_agrees_and_the_rest_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    series = next(stack for stack in house.stacks("other") if str(cohort.uid("t1_mprage")) in stack).rpartition("/")[0]
    typed(monkeypatch, "yes\n")

    done = house.ask("delete", "--series", series, "--wait")

    assert done.code == 0
    assert "done. Your DICOM files stay." in done.out
    assert len(house.stacks("other")) == 3
    assert len(house.stacks("trial")) == 4


def test_a_cohort_is_deleted_its_files_stay_and_no_resume_brings_it_back(house: House) -> None:
    (done,) = house.ask("delete", "--cohort", "other", "--yes", "--wait", "--json").objects

    assert (done["state"], done["scope"]) == ("done", {"level": "cohort", "id": "other"})
    assert house.stacks("other") == []
    assert sum(path.is_file() for path in house.folder.rglob("*")) == 25
    again = house.ask("ingest", "--cohort", "other", "--wait")
    assert "seen 25 = extracted 0 + duplicate 0 + conflicting 0 + rejected 0 + unchanged 25" in again.out
    assert "25 deleted" in house.ask("status", "--cohort", "other").out

    assert house.ask("ingest", "--cohort", "other", "--no-resume", "--wait").code == 0
    assert len(house.stacks("other")) == 4
