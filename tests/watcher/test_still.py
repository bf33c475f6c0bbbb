"""A file counts once it was the same at two looks, some time apart; a name of a transfer counts once it is old."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.watcher.still import Still, is_in_transfer

SECOND_NS = 1_000_000_000


def a_file(name: str) -> dict[str, str]:
    return {"id": name}


def test_a_file_waits_for_its_second_look_and_then_no_longer() -> None:
    still = Still(stable_s=2)
    still.add([a_file("a")], at_s=10)
    still.add([a_file("b")], at_s=11)

    assert still.due_in_s(10.5) == 1.5
    assert still.ripe(11.9) == []
    assert still.ripe(12.0) == [a_file("a")]
    assert still.ripe(20.0) == [a_file("b")]
    assert (still.ripe(30.0), still.due_in_s(30.0)) == ([], None)


def test_it_is_full_when_it_holds_as_many_as_it_may() -> None:
    still = Still(stable_s=2, most=2)

    still.add([a_file("a")], 0)
    before = still.is_full
    still.add([a_file("b")], 0)

    assert (before, still.is_full) == (False, True)


@given(st.lists(st.tuples(st.sampled_from(["add", "ripe"]), st.floats(0, 5)), max_size=30), st.floats(0, 5))
def test_each_file_comes_once_in_order_and_never_too_early(moments: list[tuple[str, float]], stable_s: float) -> None:
    still, at_s, added = Still(stable_s), 0.0, {}
    came = []

    for what, later_s in [*moments, ("ripe", 100.0)]:
        at_s += later_s
        if what == "add":
            added[str(len(added))] = at_s
            still.add([a_file(str(len(added) - 1))], at_s)
        else:
            ripe = [file["id"] for file in still.ripe(at_s)]
            assert all(at_s - added[name] >= stable_s for name in ripe)
            came += ripe

    assert came == list(added)


@pytest.mark.parametrize(
    ("path", "age_s", "expected"),
    [
        ("a/scan.dcm", 1, False),
        ("a/.scan.dcm.Xa3k9Q", 1, True),
        ("a/scan.dcm.part", 1, True),
        ("a/scan.dcm.part", 61, False),
        ("a.part/scan.dcm", 1, False),
        (".hidden/scan.dcm", 1, False),
        ("a/scan.tmp", -1, True),  # the file server's clock is ahead
        ("a/scan.tmp", -3600, False),  # or wrong: then the name does not hold the file up for ever
    ],
)
def test_a_name_of_a_transfer_is_left_alone_for_a_minute(path: str, age_s: int, expected: bool) -> None:
    now_ns = 1_700_000_000 * SECOND_NS

    assert is_in_transfer(path, now_ns - age_s * SECOND_NS, now_ns, temporary_s=60) is expected
