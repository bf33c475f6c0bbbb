"""Commands that speak to a gateway, against a real system in a temporary directory."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.calling import Answer, gyrus
from flow import cohort
from gyrus.console import client, render
from gyrus.console.up import Up

KEYS = [
    "series_uid", "stack_key", "kind", "modality", "n_files", "n_images", "b_values", "n_volumes", "orientation", "completeness",
    "base", "technique", "modifier", "construct", "provenance", "acceleration", "contrast", "body_part", "intent", "probability", "review",
    "review_kinds", "review_group",
]  # fmt: skip
SUM = re.compile(r"^seen (\d+) = extracted (\d+) \+ duplicate (\d+) \+ conflicting (\d+) \+ rejected (\d+) \+ unchanged (\d+)$", re.M)


class House:
    """A system that is up, the folder that was ingested into it, and what the first ingest printed."""

    def __init__(self, root: Path) -> None:
        self.folder, self.data = root / "inbox", root / "data"
        cohort.first(self.folder)
        self.up = Up(self.data)
        self.up.start()
        self.first = self.ask("ingest", self.folder, "--cohort", "trial", "--wait")

    def ask(self, *words: object) -> Answer:
        return gyrus(*words, "--data", self.data)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.up.stop()


def sums(answer: Answer) -> list[int]:
    found = SUM.search(answer.out)
    assert found, answer.out + answer.err
    return [int(number) for number in found.groups()]


def test_an_ingest_waits_and_says_what_the_files_came_to(house: House) -> None:
    seen, *parts = sums(house.first)

    assert seen == sum(parts) == sum(path.is_file() for path in house.folder.rglob("*"))
    assert parts == [seen - 5, 1, 2, 2, 0]


def test_an_upload_needs_nothing_but_a_system_that_is_up(house: House, tmp_path: Path) -> None:
    cohort.write(tmp_path / "visit/1.dcm", cohort.image("t1_mprage", 0))
    (tmp_path / "visit/link").symlink_to("/etc/passwd")
    (tmp_path / "other/visit").mkdir(parents=True)

    answer = house.ask("upload", tmp_path / "visit", "--cohort", "uploaded", "--wait")

    assert (answer.code, sums(answer)) == (0, [1, 1, 0, 0, 0, 0])
    assert "no file to upload" in house.ask("upload", tmp_path / "other", "--cohort", "uploaded").err
    assert "the same name" in house.ask("upload", tmp_path / "visit", tmp_path / "other/visit").err


def test_a_second_ingest_of_the_cohort_finds_everything_unchanged(house: House) -> None:
    again = house.ask("ingest", "--cohort", "trial", "--wait")

    seen, *parts = sums(again)
    assert (again.code, parts) == (0, [0, 0, 0, 0, seen])


def test_no_resume_opens_everything_again_and_json_tells_the_job(house: House) -> None:
    again = house.ask("ingest", house.folder, "--cohort", "trial", "--no-resume", "--wait", "--json")

    (job,) = again.objects
    assert (again.code, job["state"], job["totals"]["unchanged"]) == (0, "done", 0)


def test_without_wait_a_job_is_only_started(house: House) -> None:
    started = house.ask("ingest", house.folder, "--cohort", "other")

    assert started.code == 0
    assert re.fullmatch(r"job \w{26} started; `gyrus status --cohort other` shows how far it is\n", started.out)


def test_stacks_are_one_object_a_line_with_the_shared_keys_first(house: House) -> None:
    stacks = house.ask("stacks", "--cohort", "trial", "--json").objects

    assert len(stacks) == 4
    assert all(list(stack)[: len(KEYS)] == KEYS for stack in stacks)
    assert all(0 < stack["probability"]["all"] < 1 for stack in stacks)


def test_pages_are_followed_to_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = house.ask("stacks", "--cohort", "trial", "--json").out

    monkeypatch.setattr(client, "PAGE", 1)

    assert house.ask("stacks", "--cohort", "trial", "--json").out == whole


def test_offline_and_online_say_the_same_of_the_same_files(house: House) -> None:
    online = [{key: stack[key] for key in KEYS} for stack in house.ask("stacks", "--cohort", "trial", "--json").objects]
    offline = gyrus("classify", house.folder, "--json")

    assert sorted(online, key=json.dumps) == sorted(offline.objects, key=json.dumps)
    assert "extracted 20 + duplicate 1 + conflicting 2 + rejected 2" in offline.err


def test_the_table_names_series_label_and_volume(house: House) -> None:
    rows = house.ask("stacks", "--cohort", "trial").out

    assert re.search(r"t1_mprage +MR +5 +T1w MPRAGE +anat", rows)
    assert len(re.findall(r"field_map +MR +TE=[47]\.\d", rows)) == 2


def test_a_narrow_terminal_still_shows_label_and_volume(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "WIDTH", 80)

    rows = house.ask("stacks", "--cohort", "trial").out

    assert max(len(line) for line in rows.splitlines()) <= 80
    assert re.search(r"t1_mprage.*T1w MPRAGE.*4 × 32 × 32", rows)


def test_csv_has_a_header_and_a_line_for_each_stack(house: House) -> None:
    header, *rows = csv.reader(io.StringIO(house.ask("stacks", "--cohort", "trial", "--csv").out))

    assert header[: len(KEYS)] == KEYS
    assert len(rows) == 4


def test_show_takes_a_short_name_an_id_or_a_series_uid(house: House) -> None:
    one = house.ask("stacks", "--cohort", "trial", "--json").objects[0]
    short = re.search(r"^ ([0-9a-f]{8})", house.ask("stacks", "--cohort", "trial").out, re.M)
    assert short

    assert house.ask("show", one["id"], "--json").objects[0]["id"] == one["id"]
    assert "label" in house.ask("show", short[1]).out
    if one["kind"] == "single":
        assert house.ask("show", one["series_uid"], "--cohort", "trial", "--json").objects[0]["id"] == one["id"]


def test_show_says_which_stacks_begin_alike_and_which_do_not_exist(house: House) -> None:
    several, none = house.ask("show", "trial/"), house.ask("show", "nothing")

    assert (several.code, none.code) == (1, 1)
    assert "4 stacks begin with 'trial/'" in several.err
    assert "gyrus stacks" in none.err


def test_rejects_have_reasons_and_no_paths_unless_asked_for(house: House) -> None:
    plain = house.ask("rejects", "--cohort", "trial", "--json").objects
    phi = house.ask("rejects", "--cohort", "trial", "--phi", "--json").objects

    assert sorted(file["reason"] for file in plain) == ["empty_file", "not_dicom"]
    assert not any("path" in file for file in plain)
    assert sorted(file["path"] for file in phi) == ["empty.dcm", "notes.txt"]


def test_status_counts_what_is_there(house: House) -> None:
    found = house.ask("status", "--cohort", "trial", "--json").objects[0]
    told = house.ask("status", "--cohort", "trial").out

    assert (found["counts"]["stacks"], found["failures"], found["dead_letters"]) == (4, {}, 0)
    assert "to do   nothing\nfailed  nothing\n" in told


def test_nothing_failed_so_nothing_is_retried(house: House) -> None:
    assert (house.ask("failures").out, house.ask("failures").err) == ("", "none\n")
    assert house.ask("retry").out == "0 failures are tried again\n"
    assert "Stages: scan" in house.ask("retry", "--stage", "reed").err


def test_reconcile_scans_every_place_again(house: House) -> None:
    assert house.ask("reconcile", "--json").objects[0]["count"] >= 1


@pytest.mark.parametrize("words", [["status"], ["stacks"], ["ingest", "--cohort", "trial"]])
def test_a_wrong_key_says_how_to_give_the_right_one(house: House, words: list[str]) -> None:
    refused = house.ask(*words, "--key", "wrong")

    assert refused.code == 1
    assert "does not take this key. Give the right one with --key or GYRUS_KEY" in refused.err
    assert refused.out == ""


def test_a_second_up_on_the_directory_says_so(house: House) -> None:
    second = gyrus("up", "--data", house.data)

    assert second.code == 1
    assert f"gyrus is up already on {house.data}" in second.err
    assert house.ask("status").code == 0


def test_a_folder_that_is_not_there_is_named(house: House, tmp_path: Path) -> None:
    missing = house.ask("ingest", tmp_path / "nowhere")

    assert (missing.code, missing.err) == (1, f"gyrus: There is no folder {tmp_path / 'nowhere'}.\n")


def test_where_nothing_answers_the_error_says_what_to_start(tmp_path: Path) -> None:
    never = gyrus("status", "--data", tmp_path)
    silent = gyrus("status", "--url", "http://127.0.0.1:9", "--key", "k", "--data", tmp_path)

    assert (never.code, silent.code) == (1, 1)
    assert f"gyrus up --data {tmp_path}" in never.err
    assert "Nothing answers at http://127.0.0.1:9. Start it with `gyrus up`" in silent.err


@pytest.mark.parametrize(
    ("url", "near"), [("http://127.0.0.1:80", True), ("http://localhost", True), ("http://[::1]:1", True), ("https://gyrus.example", False)]
)
def test_loopback_is_known_so_that_no_proxy_is_asked_for_it(url: str, near: bool) -> None:
    assert client.is_loopback(url) is near
