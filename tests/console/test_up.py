"""`gyrus up` as a process: it shows the sample, and ends in order whenever it is told to."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.calling import until
from flow import cohort
from gyrus.console.signals import asked_to_stop, held
from gyrus.console.up import Up

END_S = 15


def start(data: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "gyrus.console.main", "up", "--data", str(data), *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_all_end(data: Path) -> None:
    """No process of this data directory is left; a worker ends by itself, a moment after its service."""
    until(lambda: not processes_of(data))


def processes_of(data: Path) -> list[int]:
    """Processes that know the data directory, by their arguments or their settings."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            known = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in known and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found


def test_once_shows_the_sample_and_what_its_files_came_to(tmp_path: Path) -> None:
    cohort.first(tmp_path / "sample")

    process = start(tmp_path, "--sample", "--once")
    out, err = process.communicate(timeout=90)

    assert process.returncode == 0, err
    assert out.startswith("gateway  http://127.0.0.1:")
    assert "T1w MPRAGE" in out
    assert out.splitlines()[-1].startswith("seen 25 = extracted 20 + duplicate 1 + conflicting 2 + rejected 2 + unchanged 0")
    assert_all_end(tmp_path)


@pytest.mark.parametrize(("moment", "parts", "code"), [("its servers start", 2, 0), ("its services start", 6, 0), ("it is up", None, 0)])
def test_it_ends_in_order_when_it_is_told_to_while(tmp_path: Path, moment: str, parts: int | None, code: int) -> None:
    process = start(tmp_path)
    if parts is None:
        assert process.stderr
        until(lambda: "up; Ctrl-C stops it" in process.stderr.readline())
    else:
        until(lambda: len(processes_of(tmp_path)) >= parts)

    process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    process.communicate(timeout=60)

    assert time.monotonic() - told < END_S
    assert process.returncode == code
    assert not processes_of(tmp_path)


def test_a_signal_waits_until_a_child_has_its_place() -> None:
    children = []

    with pytest.raises(KeyboardInterrupt), asked_to_stop(), held():
        signal.raise_signal(signal.SIGTERM)
        children.append("born")

    assert children == ["born"]


def name_of(data: Path, inbox: Path) -> str:
    """Under which name a folder is watched."""
    made = Up(data, watch=(inbox, "trial"))
    sources = json.loads(made._watched_source()["GYRUS_SOURCES"])
    made._lock.close()
    return next(name for name, source in sources.items() if source == {"path": str(inbox), "cohort": "trial"})


def test_a_watched_folder_keeps_its_name_and_another_one_gets_a_name_of_its_own(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()

    names = [name_of(tmp_path / "data", folder) for folder in (one, two, one, two)]

    assert names[0] == "inbox" == names[2]
    assert names[1] == names[3] != "inbox"


@pytest.mark.parametrize(
    ("environment", "words", "said"),
    [
        ({"GYRUS_SOURCES": "{bad"}, [], "settings of the environment cannot be used"),
        ({"GYRUS_SOURCES": '{"a": {"pth": "/"}}'}, [], "settings of the environment cannot be used"),
        ({"GYRUS_GRACE_S": "soon"}, [], "settings of the environment cannot be used"),
        ({}, ["--inbox", "/", "--cohort", "Bad One"], "no name of a cohort"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: list[str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    process = start(tmp_path, *words)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said in err
    assert "Traceback" not in err
