"""A walk sees every regular file in a fixed order, follows no links and counts what it leaves out."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from gyrus.watcher import walk as walking
from gyrus.watcher.walk import Patterns, Seen, Walk, missing


def a_tree(root: Path, *names: str | bytes) -> Path:
    """A file of one byte at each relative path."""
    for name in names:
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def walked(root: Path, below: str = "") -> tuple[list[str], dict[str, int]]:
    """Paths in the order in which they are seen, and what was skipped."""
    walk = Walk(str(root), below)
    return [seen.path for seen in walk], dict(walk.skipped)


def test_the_files_of_a_folder_come_before_its_folders_each_in_the_order_of_names(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "b/2", "z", "b/10", "a/deep/er", "a/1", "A")

    assert walked(root) == (["A", "z", "a/1", "a/deep/er", "b/10", "b/2"], {})


def test_a_file_is_seen_with_its_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    os.utime(tmp_path / "f", ns=(1, 1_700_000_000_123_456_789))

    assert list(Walk(str(tmp_path), "")) == [Seen("f", 5, 1_700_000_000_123_456_789)]


def test_links_are_counted_and_not_followed(tmp_path: Path) -> None:
    root = a_tree(tmp_path / "source", "f")
    a_tree(tmp_path / "elsewhere", "g")
    (root / "to_file").symlink_to(root / "f")
    (root / "to_folder").symlink_to(tmp_path / "elsewhere")
    (root / "round").symlink_to(root)
    (root / "dangling").symlink_to("nowhere")

    assert walked(root) == (["f"], {"link": 4})


def test_what_is_no_regular_file_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_tree(tmp_path, "f")
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        assert walked(root) == (["f"], {"special file": 2})


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder; the next test closes one to it")
def test_a_folder_that_may_not_be_read_is_counted_and_the_others_are_seen(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "closed/f", "open/g")
    (root / "closed").chmod(0)

    assert walked(root) == (["open/g"], {"unreadable folder": 1})


def test_a_folder_that_refuses_to_be_read_is_counted_and_the_others_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_tree(tmp_path, "closed/f", "open/g")
    scandir = os.scandir

    def refusing(folder: str) -> object:
        if folder.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)

    assert walked(root) == (["open/g"], {"unreadable folder": 1})


def test_names_that_are_not_utf8_or_have_newlines_are_seen_and_found_again(tmp_path: Path) -> None:
    names = [b"M\xfcller/1", "Müller/1".encode(), b"two\nlines", b"100%41", b"\xff\xfe"]
    root = a_tree(tmp_path, *names)

    seen, skipped = walked(root)

    assert sorted(seen) == sorted(["M%FCller/1", "Müller/1", "two\nlines", "100%2541", "%FF%FE"])
    assert skipped == {}
    assert missing(str(root), seen) == []


@pytest.mark.parametrize(
    ("below", "paths", "skipped"),
    [
        ("a", ["a/1", "a/b/2"], {}),
        ("a/b", ["a/b/2"], {}),
        ("a/1", ["a/1"], {}),
        ("M%FC", ["M%FC/3"], {}),
        ("none", [], {"missing folder": 1}),
        ("a/1/none", [], {"unreadable folder": 1}),
    ],
)
def test_a_walk_may_begin_at_a_folder_or_a_file_of_the_source(
    tmp_path: Path, below: str, paths: list[str], skipped: dict[str, int]
) -> None:
    root = a_tree(tmp_path, "a/1", "a/b/2", "c", b"M\xfc/3")

    assert walked(root, below) == (paths, skipped)


def test_a_file_that_goes_while_we_look_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_tree(tmp_path, "1", "2", "3")
    scandir = os.scandir

    def losing(folder: str) -> object:
        entries = list(scandir(folder))
        (root / "2").unlink()
        return iter(entries)

    monkeypatch.setattr(os, "scandir", losing)

    assert walked(root) == (["1", "3"], {})


@pytest.mark.parametrize("is_back", [True, False])
def test_a_tree_that_goes_while_we_look_is_found_out_where_it_comes_back(
    tmp_path: Path, is_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "AHEAD", 1)
    root = a_tree(tmp_path / "source", "a/1", "a/2", "b/3")
    walk = Walk(str(root), "")
    looked = iter(walk)
    next(looked)
    root.rename(tmp_path / "elsewhere")
    rest = list(looked)
    if is_back:
        (tmp_path / "elsewhere").rename(root)

    assert ([seen.path for seen in rest], walk.came_back()) == (["a/2"], is_back)


def test_paths_without_a_regular_file_are_missing(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "a/1", b"\xff")
    (root / "link").symlink_to(root / "a/1")

    assert missing(str(root), ["a/1", "a/2", "%FF", "%FE", "link", "a", "a/1/below"]) == ["a/2", "%FE", "link", "a", "a/1/below"]


def test_a_tree_may_be_as_deep_as_the_file_system_allows(tmp_path: Path) -> None:
    depth = 1_200
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)

    seen = [seen.path for seen in Walk(str(tmp_path), "")]
    subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # pytest's own cleaning recurses

    assert seen == ["d/" * depth + "x"]


def test_a_path_that_is_too_long_is_counted_and_the_rest_is_seen(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "z/1")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(150):
        os.mkdir("d" * 30, dir_fd=here)
        there = os.open("d" * 30, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)

    seen, skipped = walked(root)
    subprocess.run(["rm", "-r", str(tmp_path / ("d" * 30))], check=True)  # pytest's own cleaning recurses

    assert (seen, skipped) == (["z/1"], {"unreadable folder": 1})


def test_patterns_say_which_files_are_looked_at_and_the_others_are_counted(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "a/1.dcm", "a/2.txt", "a/derived/3.dcm", "b/4.dcm", "b/.5.dcm")

    walk = Walk(str(root), "", Patterns(include=("*.dcm",), exclude=("a/derived/*", ".*")))

    assert [seen.path for seen in walk] == ["a/1.dcm", "b/4.dcm"]
    assert walk.skipped == {"excluded": 3}


def test_a_folder_with_more_files_than_are_held_is_seen_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "LISTED", 3)
    names = [f"{number:02}" for number in range(10)]
    root = a_tree(tmp_path, *names, "z/1", "y/1")

    seen, skipped = walked(root)

    assert sorted(seen[:10]) == names
    assert seen[10:] == ["y/1", "z/1"]
    assert skipped == {}


def test_many_folders_are_seen_in_order_though_several_are_listed_at_once(tmp_path: Path) -> None:
    names = [f"{a}/{b}/{c}" for a in range(5) for b in range(5) for c in range(3)]
    root = a_tree(tmp_path, *names)

    assert walked(root) == (sorted(names), {})


def test_a_folder_that_did_not_change_is_not_listed_but_its_folders_are(tmp_path: Path) -> None:
    root = a_tree(tmp_path, "a/1", "a/deep/2", "b/3")
    first = Walk(str(root), "")
    list(first)
    a_tree(root, "a/deep/4")

    second = Walk(str(root), "", quiet=first.listed)

    assert [seen.path for seen in second] == ["a/deep/2", "a/deep/4"]
    assert second.listed.keys() == first.listed.keys()
