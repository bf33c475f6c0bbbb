"""Which files are read: those that are not known as they are, and wait for nobody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.watcher.compare import compare

STAMP, OTHER, LOST = (10, 1_000), (10, 2_000), (None, None)


def a_document(stamp: tuple[int, int] = STAMP, gone: bool = False, jobs: tuple[str, ...] = ("earlier",)) -> dict[str, Any]:
    return {"size": stamp[0], "mtime_ns": stamp[1], "gone": gone, "jobs": list(jobs)}


def a_tombstone(deletion: str, jobs: tuple[str, ...] = ("earlier",)) -> dict[str, Any]:
    """What remains of a file: the deletion was asked for before or after the job "me"."""
    return {"jobs": list(jobs), "deleted": deletion}


BEFORE_ME, AFTER_ME = "ma", "mz"


def a_file(stamp: tuple[int | None, int | None] = STAMP) -> dict[str, Any]:
    return {"id": "f", "path": "a/f", "size": stamp[0], "mtime_ns": stamp[1]}


ANNOUNCED, UNCHANGED, MINE = (True, 0), (False, 1), (False, 0)
CASES = {
    "a file that nobody knows is announced": ({}, ANNOUNCED),
    "a file that is as its document says is unchanged": ({"known": a_document()}, UNCHANGED),
    "a file with another time is announced": ({"known": a_document(OTHER)}, ANNOUNCED),
    "a file with another size is announced": ({"known": a_document((11, 1_000))}, ANNOUNCED),
    "a file that was gone and came back is announced": ({"known": a_document(gone=True)}, ANNOUNCED),
    "a file that waits in a batch as it is, is unchanged": ({"waiting": [(*STAMP, "other")]}, UNCHANGED),
    "a file that waits as it was before is announced": ({"waiting": [(*OTHER, "other")]}, ANNOUNCED),
    "a file that waits as it was and as it is, is unchanged": ({"waiting": [(*OTHER, "a"), (*STAMP, "b")]}, UNCHANGED),
    "a changed file that waits already is unchanged": ({"known": a_document(OTHER), "waiting": [(*STAMP, "other")]}, UNCHANGED),
    "a file that changed back while it waits is unchanged": ({"known": a_document(), "waiting": [(*OTHER, "other")]}, UNCHANGED),
    "a file that this job announced is not counted twice": ({"waiting": [(*STAMP, "me")]}, MINE),
    "a file that this job read is not counted twice": ({"known": a_document(jobs=("earlier", "me"))}, MINE),
    "a file that this job read and that changed since is announced": ({"known": a_document(OTHER, jobs=("me",))}, ANNOUNCED),
    "again: a file that is as its document says is announced": ({"known": a_document(), "again": True}, ANNOUNCED),
    "again: a file that waits is not announced a second time": ({"waiting": [(*STAMP, "other")], "again": True}, UNCHANGED),
    "again: a file that this job read is not read for ever": ({"known": a_document(jobs=("me",)), "again": True}, MINE),
    "a file that was deleted is unchanged": ({"known": a_tombstone(BEFORE_ME)}, UNCHANGED),
    "a file that was deleted after this job read it is not counted twice": ({"known": a_tombstone(AFTER_ME, ("me",))}, MINE),
    "a file that was deleted and waits is unchanged": ({"known": a_tombstone(BEFORE_ME), "waiting": [(*STAMP, "other")]}, UNCHANGED),
    "again: a file that was deleted is announced": ({"known": a_tombstone(BEFORE_ME), "again": True}, ANNOUNCED),
    "again: a file that was deleted after this job was asked for is unchanged": (
        {"known": a_tombstone(AFTER_ME), "again": True},
        UNCHANGED,
    ),
    "a file that is lost is announced": ({"seen": LOST, "known": a_document()}, ANNOUNCED),
    "a file that is lost and announced as that waits": ({"seen": LOST, "known": a_document(), "waiting": [(*LOST, "me")]}, MINE),
}


@pytest.mark.parametrize("case", CASES)
def test_of_files_that_were_seen(case: str) -> None:
    given_, (announced, unchanged) = CASES[case]
    known = {"f": given_["known"]} if "known" in given_ else {}
    waiting = {"f": given_["waiting"]} if "waiting" in given_ else {}
    file = a_file(given_.get("seen", STAMP))

    result = compare([file], known, waiting, "me", given_.get("again", False))

    assert (result.announce, result.unchanged) == ([file] if announced else [], unchanged)


STAMPS = st.sampled_from([STAMP, OTHER])
FILES = st.lists(st.tuples(STAMPS, st.none() | STAMPS, st.booleans(), st.none() | STAMPS, st.sampled_from(["me", "other"])), max_size=8)


@given(FILES, st.booleans())
def test_each_file_is_announced_counted_or_already_of_this_job(files: list[Any], again: bool) -> None:
    seen = [{**a_file(stamp), "id": str(i)} for i, (stamp, *_) in enumerate(files)]
    known = {str(i): a_document(stamp, gone) for i, (_, stamp, gone, _, _) in enumerate(files) if stamp}
    waiting = {str(i): [(*stamp, by)] for i, (_, _, _, stamp, by) in enumerate(files) if stamp}

    whole = compare(seen, known, waiting, "me", again)
    single = [compare([file], known, waiting, "me", again) for file in seen]

    mine = sum(waiting.get(file["id"]) == [(file["size"], file["mtime_ns"], "me")] for file in seen)
    assert len(whole.announce) + whole.unchanged + mine == len(seen)
    assert whole.announce == [file for one in single for file in one.announce]
    assert whole.unchanged == sum(one.unchanged for one in single)
