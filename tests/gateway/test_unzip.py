"""Real zips, good and hostile: what is kept is what is really there, and nothing lands outside of its folder."""

import os
import stat
import struct
import tempfile
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.zips import a_member, a_zip, below, changed, overlapping
from gyrus.gateway.unzip import NOT_KEPT, Kept, NotKept, NoZip, TooMuch, Zip, is_zip, path_of

GOOD = ("a/1.dcm", b"one" * 1000)
MB = 1_000_000


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path


def unzipped(place: Path, content: bytes, members: int = 1000) -> Kept:
    """A zip written to `place/files`."""
    (place / "body").write_bytes(content)
    with Zip(place / "body", members) as archive:
        return archive.write(place / "files", lambda: None)


def reasons(kept: Kept) -> dict[str, str]:
    return {one.name: one.reason for one in kept.refused}


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_members_keep_their_names_folders_and_bytes(place: Path) -> None:
    members = {
        "S1/t1/001.dcm": b"one",
        "S1/t1/002": b"",
        "S2/Ärztin 你好.dcm": b"three",
        "__MACOSX/._x": b"litter",
        "a\\b.dcm": b"from Windows",
    }

    kept = unzipped(place, a_zip([(a_member("S1/", 0o40755), b""), *members.items()]))

    assert below(place / "files") == members
    assert kept == Kept(files=5, bytes=sum(map(len, members.values())))


def test_a_member_is_as_old_as_the_zip_says_and_not_as_its_upload(place: Path) -> None:
    nonsense = a_member("nonsense")
    content = changed(a_zip([(nonsense, b"x"), GOOD]), 0, 12, "<I", 0)

    assert unzipped(place, content).files == 2
    assert (place / "files" / GOOD[0]).stat().st_mtime == datetime(2024, 1, 2, 3, 4, 6, tzinfo=UTC).timestamp()


def test_a_zip_within_a_zip_is_a_file_like_any_other(place: Path) -> None:
    inner = a_zip([GOOD])

    assert unzipped(place, a_zip([("inner.zip", inner)])).refused == []
    assert below(place / "files") == {"inner.zip": inner}


def test_a_name_that_is_not_said_to_be_utf_8_keeps_its_bytes(place: Path) -> None:
    raw = "Müller.dcm".encode("latin-1")
    content = a_zip([("M_ller.dcm", b"x")]).replace(b"M_ller.dcm", raw)

    assert unzipped(place, content).files == 1
    assert os.fsencode(next((place / "files").iterdir()).name) == raw


def test_files_are_readable_by_the_rooms_and_by_nobody_else(place: Path) -> None:
    unzipped(place, a_zip([(a_member("S1/setuid", 0o104777), b"x")]))

    modes = [stat.S_IMODE((place / "files" / name).stat().st_mode) for name in ("S1", "S1/setuid")]
    assert all(mode & 0o7027 == 0 for mode in modes)


# ── what is refused, by its name, while the others go on ─────────────────────────────────────────────────────────────

NAMES = {
    "../x": "leads_out",
    "a/../../x": "leads_out",
    "a/..": "leads_out",
    "..\\x": "leads_out",
    "/etc/x": "absolute_name",
    "//x": "absolute_name",
    "\\\\host\\x": "absolute_name",
    "C:\\x": "absolute_name",
    "c:x": "absolute_name",
    "a\0b": "bad_name",
    "a\nb": "bad_name",
    "": "bad_name",
    "./.": "bad_name",
    "x" * 300: "long_name",
    "é" * 200: "long_name",
    "/".join(["x" * 100] * 20): "long_name",
    "a/" * 40 + "x": "long_name",
}


@pytest.mark.parametrize(("name", "reason"), NAMES.items(), ids=range(len(NAMES)))
def test_an_unsafe_name_is_refused_and_not_made_safe(place: Path, name: str, reason: str) -> None:
    kept = unzipped(place, a_zip([(name, b"x"), GOOD]))

    assert reasons(kept) == {name: reason}
    assert below(place / "files") == dict([GOOD])


@pytest.mark.parametrize(
    ("mode", "reason"), [(stat.S_IFLNK | 0o777, "link"), (stat.S_IFIFO | 0o644, "special_file"), (stat.S_IFCHR, "special_file")]
)
def test_a_member_that_is_no_regular_file_is_refused(place: Path, mode: int, reason: str) -> None:
    kept = unzipped(place, a_zip([(a_member("link", mode), b"/etc/passwd"), ("link/x", b"through it"), GOOD]))

    assert reasons(kept) == {"link": reason}
    assert below(place / "files") == {"link/x": b"through it", **dict([GOOD])}
    assert not any(path.is_symlink() for path in place.rglob("*"))


def test_of_two_members_with_one_name_the_first_is_kept(place: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = a_zip([("a", b"first"), ("a", b"second"), ("./a", b"third"), ("a/b", b"needs a folder"), ("c/d", b"x"), ("c", b"y")])

    kept = unzipped(place, content)

    assert [one.reason for one in kept.refused] == ["name_taken"] * 4
    assert below(place / "files") == {"a": b"first", "c/d": b"x"}


def test_ten_megabytes_of_zeros_are_a_bomb_and_an_empty_slice_is_not(place: Path) -> None:
    slice_ = bytes(2 * 512 * 512)

    kept = unzipped(place, a_zip([("bomb", bytes(10 * MB)), ("empty_slice", slice_)]))

    assert reasons(kept) == {"bomb": "bomb"}
    assert below(place / "files") == {"empty_slice": slice_}


def test_many_small_bombs_are_one(place: Path) -> None:
    with pytest.raises(TooMuch, match="more than 200 times"):
        unzipped(place, a_zip([(f"{number}", bytes(4 * MB)) for number in range(20)]))


def test_encrypted_and_unusually_compressed_members_are_refused(place: Path) -> None:
    lzma, bzip2 = a_member("lzma"), a_member("bzip2")
    lzma.compress_type, bzip2.compress_type = zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2
    content = changed(a_zip([("secret", b"x"), (lzma, b"y"), (bzip2, b"z"), GOOD]), 0, 8, "<H", 1)

    assert reasons(unzipped(place, content)) == {"secret": "encrypted", "lzma": "unknown_compression", "bzip2": "unknown_compression"}


@pytest.mark.parametrize("real", [1, 2999, 3001, 2**32 - 2])
def test_a_member_whose_size_lies_is_refused(place: Path, real: int) -> None:
    kept = unzipped(place, changed(a_zip([GOOD, ("b", b"x")]), 0, 24, "<I", real))

    assert reasons(kept) == {GOOD[0]: "damaged"}
    assert below(place / "files") == {"b": b"x"}


def test_members_that_share_their_bytes_are_refused(place: Path) -> None:
    kept = unzipped(place, overlapping(50, os.urandom(100_000)))

    assert set(reasons(kept).values()) == {"overlapping", "damaged"}  # the last of them is not what its own header says
    assert (kept.files, len(kept.refused)) == (0, 50)


@pytest.mark.parametrize("packed", [2**31, 10_000])
def test_a_member_that_reaches_out_of_the_zip_is_refused(place: Path, packed: int) -> None:
    kept = unzipped(place, changed(a_zip([GOOD, ("last", b"x")]), 1, 20, "<I", packed))

    assert reasons(kept) == {"last": "overlapping"}


def test_a_member_with_a_wrong_checksum_is_refused_and_the_others_are_kept(place: Path) -> None:
    spoilt = a_member("spoilt")
    spoilt.compress_type = zipfile.ZIP_STORED
    content = a_zip([GOOD, (spoilt, b"these are the bytes"), ("b", b"x")]).replace(b"these are the bytes", b"those are the bytes")

    kept = unzipped(place, content)

    assert reasons(kept) == {"spoilt": "damaged"}
    assert below(place / "files") == {**dict([GOOD]), "b": b"x"}


def test_every_reason_is_told_in_a_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in NOT_KEPT.values())
    assert set(NAMES.values()) <= NOT_KEPT.keys()


# ── what is refused whole ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [1, 30, 60, 1000])
def test_a_zip_that_was_cut_off_is_none(place: Path, cut: int) -> None:
    with pytest.raises(NoZip, match="cut off"):
        unzipped(place, a_zip([("a", os.urandom(2000)), GOOD])[:-cut])


def test_a_name_that_is_said_to_be_utf_8_and_is_not_makes_the_directory_unreadable(place: Path) -> None:
    with pytest.raises(NoZip):
        unzipped(place, a_zip([("ä", b"x")]).replace("ä".encode(), b"\xff\xfe"))


def test_more_members_than_are_taken_are_too_many_before_the_directory_is_in_memory(place: Path) -> None:
    content = a_zip((f"{number}", b"") for number in range(11))

    assert unzipped(place, content, members=11).files == 11
    with pytest.raises(TooMuch, match="more than 10 members"):
        unzipped(place, content, members=10)


def test_a_directory_that_claims_gigabytes_is_not_read(place: Path) -> None:
    content = bytearray(a_zip([GOOD]))
    struct.pack_into("<I", content, content.rindex(b"PK\x05\x06") + 12, 2**31)
    (place / "body").write_bytes(content)
    with (place / "body").open("r+b") as file:  # long enough, and sparse, so that there would be something to read
        file.seek(2**31)
        file.write(content)

    with pytest.raises(TooMuch, match="directory of the zip"):
        Zip(place / "body", 1000)


def test_writing_ends_between_two_pieces_when_it_is_told_to(place: Path) -> None:
    (place / "body").write_bytes(a_zip([(f"{number}", os.urandom(3 * MB)) for number in range(3)]))
    stop = threading.Event()
    beats = []

    def beat() -> None:
        beats.append(1)
        if stop.is_set():
            raise InterruptedError
        stop.set()

    with Zip(place / "body", 10) as archive, pytest.raises(InterruptedError):
        archive.write(place / "files", beat)
    assert len(beats) == 2


@pytest.mark.parametrize(("head", "zipped"), [(b"PK\x03\x04", True), (b"PK\x05\x06", True), (b"\x1f\x8b", False), (b"", False)])
def test_a_zip_is_known_by_its_first_bytes(head: bytes, zipped: bool) -> None:
    assert is_zip(head) is zipped


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = st.sampled_from(["..", ".", "", "a", "b", "files", "C:", "~", "x" * 260, "\0", "é", " ", "....", "%2e%2e", "/proc/self"])
ODD = st.lists(WORDS | st.text(max_size=8), max_size=6).flatmap(lambda w: st.sampled_from(["/", "\\", "//"]).map(lambda s: s.join(w)))


@given(names=st.lists(ODD, max_size=8, unique=True))
@settings(max_examples=150, deadline=None)
def test_no_member_ever_lands_outside_its_folder_and_each_is_kept_or_refused(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "deep/er"
        (place / "files").mkdir(parents=True)
        content = a_zip([(name, name.encode("utf-8", "replace")) for name in names])

        kept = unzipped(place, content)

        written = below(place / "files")
        assert below(Path(folder)) == {**{f"deep/er/files/{path}": found for path, found in written.items()}, "deep/er/body": content}
        assert len(written) == kept.files
        assert kept.files + len(kept.refused) == len(names)


@given(name=st.text(max_size=40) | ODD)
@example(name="./A:")
def test_a_path_is_made_of_the_parts_of_its_name_in_their_order(name: str) -> None:
    try:
        path = path_of(name)
    except NotKept:
        return

    assert path.split("/") == [part for part in name.split("/") if part not in ("", ".")]
    assert Path(os.path.normpath(Path("/root") / path)).is_relative_to("/root")
    assert path_of(path) == path


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_to_a_zip_is_told_and_nothing_else_happens(data: st.DataObject) -> None:
    content = bytearray(a_zip([("a/1", b"one" * 100), ("a/2", bytes(range(50))), ("b", b"")]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "deep"
        (place / "files").mkdir(parents=True)
        try:
            kept = unzipped(place, bytes(content))
        except (NoZip, TooMuch):
            kept = Kept()

        assert set(below(place)) - {"body"} == {f"files/{path}" for path in below(place / "files")}
        assert [path.name for path in Path(folder).iterdir()] == ["deep"]
        assert len(below(place / "files")) in (0, kept.files)
