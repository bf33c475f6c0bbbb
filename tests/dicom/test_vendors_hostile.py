"""Blocks of bytes from files are not trusted: whatever they hold, reading them ends soon and raises nothing."""

import struct
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dicom.makers import csa, older_csa, protocol
from gyrus.dicom.vendors import siemens_csa, siemens_phoenix

WANTED = frozenset({"B_value", "SliceNormalVector"})
ENTRIES = {"B_value": ["1000"], "SliceNormalVector": ["0", "0", "1"], "ICE_Dims": ["X_1"]}
PROTOCOL = protocol(tSequenceFileName='""tfl""', sPat__ucPATMode="2", sPat__lAccelFactPE="2", alTI_at_0="900000")
SOON_S = 2.0

edits = st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=8)), max_size=8)


def edited(block: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for start, piece in changes:
        place = start % len(block)
        block = block[:place] + piece + block[place + len(piece) :]
    return block


@given(st.binary(max_size=4096))
def test_any_bytes_are_read_as_a_csa_header_without_harm(block: bytes) -> None:
    assert set(siemens_csa.csa_texts(block, WANTED)) <= WANTED
    assert set(siemens_csa.csa_texts(b"SV10" + block, WANTED)) <= WANTED


@given(edits, st.booleans())
def test_a_csa_header_with_wrong_bytes_gives_texts_or_nothing(changes: list[tuple[int, bytes]], is_newer: bool) -> None:
    found = siemens_csa.csa_texts(edited(csa(ENTRIES) if is_newer else older_csa(ENTRIES), changes), WANTED)

    assert all(isinstance(text, str) for texts in found.values() for text in texts)


texts = st.lists(st.sampled_from(["", "0", "1000", "-0.123456"]), max_size=4)
series = st.lists(
    st.tuples(texts, texts, st.sampled_from([[], [], [], [(90, b"x")], [(300, b"\xff\0\0\0")], [(84, b"\2")]])), min_size=2, max_size=8
)


@given(series)
def test_blocks_of_a_series_are_read_one_after_the_other_as_each_by_itself(parts: Any) -> None:
    names = ("ICE_Dims", "B_value", "EchoLinePosition", "SliceNormalVector", "B_value")
    blocks = [edited(csa(dict(zip(names, (one, other, ["32"], one, other), strict=True))), changes) for one, other, changes in parts]
    in_a_series = siemens_csa.Excerpts()

    assert [in_a_series(block) for block in blocks * 2] == [siemens_csa.excerpt(block) for block in blocks * 2]


@given(edits)
def test_a_protocol_with_wrong_bytes_gives_values_that_can_be_stored(changes: list[tuple[int, bytes]]) -> None:
    found = siemens_phoenix.answers(edited(PROTOCOL, changes))

    assert all(isinstance(value, str | float) for value, _ in found.values())


@given(st.binary(max_size=4096))
def test_any_bytes_are_read_as_a_protocol_without_harm(text: bytes) -> None:
    siemens_phoenix.answers(b"### ASCCONV BEGIN ###\n" + text)


def test_counts_that_promise_too_much_end_soon() -> None:
    entry = struct.pack("<64sI4sIII", b"B_value", 0, b"IS", 0, 0xFFFFFFFF, 77)
    no_length = struct.pack("<IIII", 0, 0, 0, 0)
    block = b"SV10\4\3\2\1" + struct.pack("<II", 1024, 77) + entry
    block += no_length * ((siemens_csa.LARGEST_BLOCK - len(block)) // len(no_length))
    started = time.monotonic()

    siemens_csa.csa_texts(block, WANTED)
    siemens_csa.Excerpts()(block)

    assert time.monotonic() - started < SOON_S


def test_a_key_that_comes_a_million_times_is_passed_soon() -> None:
    started = time.monotonic()

    siemens_phoenix.answers(b"### ASCCONV BEGIN ###\n" + b"\nalTI[0]\nucReadOutMode x" * 150_000)

    assert time.monotonic() - started < SOON_S


def test_blocks_beyond_any_real_size_are_left_alone() -> None:
    assert siemens_csa.csa_texts(csa(ENTRIES).ljust(siemens_csa.LARGEST_BLOCK + 1, b"\0"), WANTED) == {}


def test_a_number_longer_than_any_is_not_read_as_its_first_digits() -> None:
    text = protocol(alTI_at_0="9" * 400, sPat__lAccelFactPE="0x" + "F" * 17, sPat__ucPATMode="2")

    assert siemens_phoenix.whole(text, "alTI[0]") is None
    assert siemens_phoenix.whole(text, "sPat.lAccelFactPE") is None
    assert siemens_phoenix.whole(text, "sPat.ucPATMode") == 2
