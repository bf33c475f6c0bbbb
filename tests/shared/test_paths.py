"""Each path has exactly one text, and each text one path, whatever bytes people name their files with."""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gyrus.shared.paths import from_text, to_text

# Bytes of which hard cases are made: percent signs, hexadecimal digits, halves of UTF-8 characters, controls.
HARD = st.lists(st.sampled_from([b"%", b"2", b"5", b"F", b"f", b"G", b"\xc3", b"\xa9", b"\xff", b"\n", b"/", "é".encode()])).map(b"".join)
NAMES = st.one_of(HARD, st.binary(max_size=40)).map(lambda name: name.replace(b"\0", b""))
cases = pytest.mark.parametrize


@given(NAMES)
@example(b"%25")
@example(b"%\xff")
@example(b"\xed\xa0\x80")
def test_a_path_comes_back_from_its_text(name: bytes) -> None:
    path = os.fsdecode(name)

    assert os.fsencode(from_text(to_text(path))) == name


@given(NAMES, NAMES)
def test_two_paths_have_two_texts(one: bytes, other: bytes) -> None:
    assert (to_text(os.fsdecode(one)) == to_text(os.fsdecode(other))) == (one == other)


@given(NAMES)
def test_a_text_can_be_stored_and_sent_everywhere(name: bytes) -> None:
    text = to_text(os.fsdecode(name))

    assert text.encode("utf-8").decode("utf-8") == text


@cases(
    ("name", "text"),
    [
        (b"plain/image.dcm", "plain/image.dcm"),
        ("Müller/été".encode(), "Müller/été"),
        (b"M\xfcller", "M%FCller"),
        (b"100%", "100%"),
        (b"50%zoom", "50%zoom"),
        (b"a%41", "a%2541"),
        (b"two\nlines", "two\nlines"),
    ],
)
def test_a_text_is_as_readable_as_it_can_be(name: bytes, text: str) -> None:
    assert to_text(os.fsdecode(name)) == text
