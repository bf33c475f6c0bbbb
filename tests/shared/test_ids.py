"""Digests say what is: the same for equal values, whatever the order of their keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.shared.ids import digest, file_id, ulid

NAMES = st.text(max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def turned(value: Any) -> Any:
    """The same value with the keys of every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@given(PLAIN)
def test_the_order_of_keys_does_not_change_a_digest(value: Any) -> None:
    assert digest(turned(value)) == digest(value)


@given(st.lists(NAMES, min_size=2, max_size=5, unique=True))
def test_the_order_of_a_list_does(names: list[str]) -> None:
    assert digest(names[::-1]) != digest(names)


@pytest.mark.parametrize("size", [2, 8, 16])
def test_a_digest_is_as_long_as_asked(size: int) -> None:
    assert len(digest({"a": 1}, size)) == 2 * size


def test_a_value_that_is_not_plain_is_refused_by_the_name_of_its_type() -> None:
    with pytest.raises(TypeError, match="set is not a plain value"):
        digest({"a": {1, 2}})


def test_the_id_of_a_file_depends_on_cohort_source_and_path_and_shows_none_of_them() -> None:
    ids = {file_id(c, s, p) for c in ("c", "cs") for s in ("s", "ss") for p in ("Doe^Jane/1.dcm", "s/Doe^Jane/1.dcm")}

    assert len(ids) == 8
    assert not any("Doe" in id_ for id_ in ids)
    assert file_id("c", "s", "p") == file_id("c", "s", "p")


def test_ulids_differ() -> None:
    assert len({ulid() for _ in range(1000)}) == 1000
