"""Commands that need no server, and what the command line says about itself."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.calling import gyrus, until
from flow import cohort
from gyrus.console import offline
from gyrus.dicom.site_fields import site_fields_of, table_with

SHARED = Path(__file__).parents[3] / "shared"
HEAVY = ("httpx", "motor", "nilearn", "numpy", "pydicom", "pymongo", "torch", "uvicorn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("offline")
    cohort.first(made)
    return made


@pytest.mark.parametrize("words", [[], ["ingest"], ["classify"], ["up"], ["settings"]])
def test_help_begins_with_examples(words: list[str]) -> None:
    helped = gyrus(*words, "--help")

    usage, _, examples, first, *_ = helped.out.splitlines()
    assert (helped.code, usage.split()[:2], examples.strip()) == (0, ["Usage:", "gyrus"], "Examples:")
    assert first.strip().startswith("gyrus")


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, gyrus.console.main; print([m for m in {HEAVY} if m in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_extract_says_what_headers_say_and_leaves_the_label_open(folder: Path) -> None:
    found = gyrus("extract", folder / "a/t1", "--json")

    (stack,) = found.objects
    assert (stack["n_files"], stack["modality"], stack["completeness"]["verdict"]) == (5, "MR", "complete")
    assert (stack["base"], stack["modifier"], set(stack["probability"].values())) == (None, [], {None})
    assert found.err == "seen 5 = extracted 5 + duplicate 0 + conflicting 0 + rejected 0\n"


def test_many_files_are_read_by_several_processes_and_come_out_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = gyrus("classify", folder, "--json", "--workers", 1)

    monkeypatch.setattr("gyrus.console.offline.CHUNK", 4)

    assert gyrus("classify", folder, "--json", "--workers", 2).objects == one.objects


def test_rejected_files_are_objects_when_asked_for_and_alone_mean_failure(folder: Path) -> None:
    refused = gyrus("extract", folder / "notes.txt", "--json", "--rejects")

    assert (refused.code, refused.objects) == (
        1,
        [{"path": "notes.txt", "outcome": "rejected", "reason": "not_dicom", "detail": refused.objects[0]["detail"]}],
    )


def test_a_folder_without_images_says_whether_there_was_anything(folder: Path, tmp_path: Path) -> None:
    empty, foreign = gyrus("extract", tmp_path), gyrus("extract", folder / "notes.txt")

    assert (empty.code, foreign.code) == (1, 1)
    assert empty.err.endswith("No DICOM files found: there is no file at or below this path.\n")
    assert foreign.err.endswith("No DICOM files found: all are rejected; gyrus extract --rejects names each with its reason.\n")


def test_fingerprints_of_a_jsonl_file_get_a_prediction_a_line(tmp_path: Path) -> None:
    fingerprint = {"modality": "MR", "manufacturer": "SIEMENS", "series_description": "t1_mprage", "sequence_name": "*tfl3d1_16ns"}
    vectors = tmp_path / "vectors.jsonl"
    vectors.write_text("".join(json.dumps({"id": id_, "fingerprint": fingerprint}) + "\n" for id_ in "ab"), encoding="utf-8-sig")

    first, second = gyrus("classify", vectors, "--json").objects

    assert (first["id"], second["id"], first["technique"], first["modality"]) == ("a", "b", "MPRAGE", "MR")
    assert {"base", "modifier", "construct", "provenance", "acceleration", "intent", "contrast", "review"} <= set(first)


@pytest.mark.skipif(not SHARED.exists(), reason="the vectors are not kept here; they lie in ../shared where that is present")
@pytest.mark.parametrize(
    ("rows", "scorer", "asked"),
    [("classification_vectors", "score_classification", "all=0.5"), ("bids_sidecars", "score_bids", "axes=0.5")],
)
def test_predictions_are_what_the_scorers_read(tmp_path: Path, rows: str, scorer: str, asked: str) -> None:
    some = (SHARED / "data" / f"{rows}.jsonl").read_text(encoding="utf-8").splitlines()[:20]
    vectors, labels = tmp_path / "vectors.jsonl", tmp_path / "labels.jsonl"
    vectors.write_text("\n".join(some), encoding="utf-8")
    labels.write_text(gyrus("classify", vectors, "--json").out, encoding="utf-8")

    command = [sys.executable, SHARED / "tools" / f"{scorer}.py", vectors, labels, "--min", asked]
    scored = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (scored.returncode, scored.stderr) == (0, "")


def test_fingerprints_are_explained_to_people_and_to_programs(tmp_path: Path) -> None:
    spin_echo = {"modality": "MR", "scanning_sequence": "SE", "sequence_variant": "SK", "echo_time": 50, "repetition_time": 1000}
    vectors = tmp_path / "vectors.jsonl"
    vectors.write_text(json.dumps({"id": "a", "fingerprint": {**spin_echo, "series_description": "mprage"}}))

    (line,) = gyrus("classify", vectors, "--explain", "--json").objects
    page = " ".join(gyrus("classify", vectors, "--explain").out.split())

    assert {one["value"]: one["fate"] for one in line["explanation"]["technique"]["rules"]}["SE"].startswith("replaced")
    assert "technique.MPRAGE forbidden: the tags show has_se 0.75" in page
    assert "nearest: base.T2w" in page and "(it is 50)" in page
    assert (line["technique"], line["review"]) == ("TSE", gyrus("classify", vectors, "--json").objects[0]["review"])


def test_stacks_are_explained_beside_their_siblings(folder: Path) -> None:
    explained = gyrus("classify", folder / "a", "--explain", "--json").objects
    plain = gyrus("classify", folder / "a", "--json").objects
    page = gyrus("classify", folder / "a/t1", "--explain").out

    assert [{name: value for name, value in one.items() if name != "explanation"} for one in explained] == plain
    assert all(one["explanation"]["technique"]["value"] == one["technique"] for one in explained)
    assert "technique.MPRAGE" in page and "runner-up" in page


@pytest.mark.parametrize(
    "line",
    [b'{"id": "a"}', b'{"id": 1, "fingerprint": ""}', b"[1]", b"\xff\xfe\x00", b'{"id": 1, "fingerprint": ' + b"[" * 100_000],
    ids=["without", "a-text", "a-list", "binary", "nested"],
)
def test_a_line_that_is_no_fingerprint_is_named(tmp_path: Path, line: bytes) -> None:
    vectors = tmp_path / "vectors.jsonl"
    vectors.write_bytes(b"\n" + line + b"\n")

    wrong = gyrus("classify", vectors, "--json")

    assert (wrong.code, wrong.err) == (1, f"gyrus: {vectors}:2: expected an object with `id` and `fingerprint`, in UTF-8.\n")


def test_preprocess_writes_volumes_and_says_why_there_is_none(folder: Path, tmp_path: Path) -> None:
    whole = gyrus("preprocess", folder / "a/t1", "-o", tmp_path / "whole", "--json")
    single = gyrus("preprocess", folder / "a/t1/00.dcm", "-o", tmp_path / "single", "--json")

    outputs = whole.objects[0]["volume"]["outputs"]
    assert whole.code == 0
    assert {Path(name).suffix for name in outputs} == {".pt", ".png", ".json"}
    assert all((tmp_path / "whole" / name).is_file() for name in outputs)
    assert (single.code, single.objects[0]["volume"]["refused"]) == (1, "single_image")


def test_a_stack_that_is_prepared_again_with_more_files_leaves_nothing_of_its_first_volume(folder: Path, tmp_path: Path) -> None:
    some = tmp_path / "some"
    shutil.copytree(folder / "a/t1", some)
    (some / "04.dcm").unlink()
    first = gyrus("preprocess", some, "-o", tmp_path / "out", "--json").objects[0]["volume"]
    other = gyrus("preprocess", folder / "b", "-o", tmp_path / "out", "--json").objects[0]["volume"]
    shutil.copy(folder / "a/t1/04.dcm", some)

    again = gyrus("preprocess", some, "-o", tmp_path / "out", "--json").objects[0]["volume"]

    there = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").glob("*/*")}
    assert there == {*again["outputs"], *other["outputs"]}
    assert not there & set(first["outputs"])


def test_a_command_that_is_killed_takes_its_worker_processes_along(folder: Path, tmp_path: Path) -> None:
    words = ["preprocess", folder, "-o", tmp_path, "--workers", "2"]
    command = [sys.executable, "-c", "from gyrus.console.main import main; main()", *words]
    progress, full = os.pipe()
    os.write(full, b"." * fcntl.fcntl(full, fcntl.F_SETPIPE_SZ, 4096))  # its first line of progress waits to be read, so it cannot end
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=full, start_new_session=True)
    os.close(full)
    try:
        until(lambda: [*tmp_path.rglob("*.pt")])
        assert len(of_session(process.pid)) >= 4  # it, a resource tracker, a fork server, a worker
        process.kill()
        process.wait()
        os.close(progress)  # what is left may write its last words

        until(lambda: not of_session(process.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def of_session(session: int) -> list[str]:
    """The processes of a session that live, as /proc tells them."""
    told = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            told.append(stat.read_text())
    return [one for one in told if (fields := one.rpartition(")")[2].split())[3] == str(session) and fields[0] != "Z"]


def test_preprocess_says_that_there_is_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    nothing = gyrus("preprocess", tmp_path / "empty", "-o", tmp_path / "out")

    assert (nothing.code, nothing.err.splitlines()[-1]) == (1, "No DICOM files found: there is no file at or below this path.")


def test_preprocess_wants_a_place_that_it_can_write_to(tmp_path: Path) -> None:
    for place, said in (("", "it is empty; name a folder"), ("foo://x", "gyrus: foo://x cannot be reached")):
        refused = gyrus("preprocess", tmp_path, "-o", place)

        assert refused.code in (1, 2)
        assert said in refused.err


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("nonsense", "gyrus: GYRUS_POLICY: this is no JSON."),
        ("{}", "gyrus: GYRUS_POLICY: Input should be a valid tuple."),
        ('[{"intnt": ["anat"]}]', "gyrus: GYRUS_POLICY 0.intnt: Unexpected keyword argument."),
        ('[{"modality": "mri"}]', "gyrus: GYRUS_POLICY 0.modality: Value error, there are no volumes of mri, only of MR and CT."),
    ],
)
def test_a_policy_that_cannot_be_meant_is_told_without_a_trace(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, said: str
) -> None:
    monkeypatch.setenv("GYRUS_POLICY", policy)

    refused, settings = gyrus("preprocess", folder / "a/t1", "-o", tmp_path), gyrus("settings")

    assert (refused.code, settings.code) == (1, 1)
    assert said in refused.err
    assert "GYRUS_POLICY" in settings.err


def test_settings_have_origins_and_secrets_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYRUS_API_KEY", "very-secret-very-secret")
    monkeypatch.setenv("GYRUS_MONGO_URL", "mongodb://me:pass@db/")

    shown = gyrus("settings", "gateway", "--json")
    rows = {row["name"]: row for row in shown.objects}

    assert (rows["GYRUS_API_KEY"]["value"], rows["GYRUS_API_KEY"]["origin"]) == ("********", "environment")
    assert rows["GYRUS_MONGO_URL"]["value"] == "mongodb://********@db/"
    assert (rows["GYRUS_QUIET_S"]["unit"], rows["GYRUS_QUIET_S"]["origin"]) == ("s", "default")
    assert all(row["meaning"] for row in rows.values())


def test_a_setting_that_no_room_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYRUS_GRACE_S", "soon")

    assert "GYRUS_GRACE_S" in gyrus("settings", "watcher").err


def test_topology_shows_every_stage_and_stream() -> None:
    rows = gyrus("topology", "--json").objects

    stages = [row["stage"] for row in rows if "room" in row]
    assert stages == ["scan", "read", "settle", "classify", "preprocess", "diff", "apply", "delete"]
    assert [row["stream"] for row in rows if "subjects" in row] == ["WORK", "FILES", "FACTS"]


@pytest.mark.parametrize("words", [["settings", "kitchen"], ["classify", "/no/such/place"], ["ingest", "--workers", "0"], ["dance"]])
def test_misuse_is_exit_code_two(words: list[str]) -> None:
    assert gyrus(*words).code == 2


def test_the_sample_overwrites_nothing(folder: Path) -> None:
    refused = gyrus("sample", folder)

    assert refused.code == 1
    assert "overwrites nothing" in refused.err


def test_fields_of_a_site_are_read_too_and_a_wrong_file_is_refused_at_once(folder: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("- {name: sop_instance_creator, keyword: InstanceCreatorUID, level: image, type: uid}")
    bad.write_text("- {name: ward, keyword: CurrentPatientLocation, level: visit, type: text}")

    found = offline.extract(folder / "a/t1", 1, site_fields_of(good))
    refused = gyrus("extract", folder / "a/t1", "--site-fields", bad)

    assert {file["fields_version"] for stack in found.stacks for file in stack.files} == {table_with(site_fields_of(good)).version}
    assert gyrus("extract", folder / "a/t1", "--json", "--site-fields", good).objects == gyrus("extract", folder / "a/t1", "--json").objects
    assert (refused.code, f"{bad}:1: there is no level 'visit'" in refused.err) == (1, True)


def test_rules_that_are_neither_a_file_nor_the_name_of_a_version_are_not_asked_for(tmp_path: Path) -> None:
    for named in (tmp_path / "missing.yaml", tmp_path, ""):
        refused = gyrus("rules", "apply", named, "--data", tmp_path)

        assert (refused.code, f"There is no file '{named}'" in refused.err) == (1, True)


def test_a_site_checks_its_rules_without_any_server(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("retire: [construct.Kepp]")
    wrong = gyrus("rules", "check", site)
    site.write_text("retire: [construct.Kep]")
    right = gyrus("rules", "check", site, "--json")

    assert (wrong.code, "site.yaml:1: axis 'construct' has no rule 'Kepp'; did you mean 'Kep'?" in wrong.err) == (1, True)
    assert (right.code, right.objects[0]["broken"]) == (0, [])
