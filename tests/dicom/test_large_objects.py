"""Very many frames, or very much to say: stored in few bytes, or refused before they fill memory or a document."""

from pathlib import Path
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom.headers import a_dataset, a_file
from dicom.large_objects import a_diffusion_frame, a_large_object, sequence, text
from gyrus.dicom import Header, read
from gyrus.dicom.elements import MOST_ITEMS
from gyrus.dicom.weight import stored_bytes
from gyrus.extractor.files import said
from gyrus.extractor.settle import settle

FRAMES = 10_000
NAMES = st.sampled_from(["a", "echo_time", "frames", "ü"])
PLAIN = st.none() | st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.floats() | st.text(max_size=9) | st.binary(max_size=9)
VALUES = PLAIN | st.lists(PLAIN, max_size=12) | st.dictionaries(NAMES, PLAIN)


def reason(path: Path) -> tuple[str, str]:
    answer = read(path)
    assert not isinstance(answer, Header)
    return answer.reason, answer.detail


def test_ten_thousand_frames_are_a_document_of_less_than_a_megabyte_and_all_are_counted(tmp_path: Path) -> None:
    header = read(a_large_object(tmp_path, [a_diffusion_frame(number) for number in range(FRAMES)]))
    assert isinstance(header, Header)
    document = said(header, "c", b"a secret for tests only")
    block = document.header
    assert block is not None

    settled = settle([{"_id": "one", **document.content}], {block["_id"]: block["fields"]})
    (stack,) = settled.stacks.values()

    assert len(bson.encode(document.content)) < 1_000_000
    assert len(bson.encode(stack)) < 20_000
    assert (stack["n_files"], stack["n_images"], stack["n_volumes"]) == (1, FRAMES, FRAMES // 50)
    assert stack["completeness"]["verdict"] == "complete"


def test_more_frames_than_can_be_read_are_refused_before_their_groups_are(tmp_path: Path) -> None:
    path = a_large_object(tmp_path, [a_diffusion_frame(0)], announced=200_000)

    assert reason(path) == ("too_large", f"The object has 200000 frames, at most {MOST_ITEMS}.")


def test_frames_that_were_not_announced_are_refused_too_and_never_left_out(tmp_path: Path) -> None:
    path = a_large_object(tmp_path, [b""] * (MOST_ITEMS + 1), announced=2)

    assert reason(path) == ("too_large", f"A sequence has more than {MOST_ITEMS} items.")


def test_frames_that_say_more_than_a_document_holds_are_refused(tmp_path: Path) -> None:
    word = "x" * 8000
    frames = [sequence(0x00189226, text(0x00089209, "CS", f"{word}{number}")) for number in range(2000)]

    code, detail = reason(a_large_object(tmp_path, frames))

    assert code == "too_large"
    assert detail.endswith("bytes of values, at most 12582912 can be stored.")


def test_long_texts_of_a_series_are_refused(tmp_path: Path) -> None:
    dataset = a_dataset()
    for tag in (0x0008103E, 0x00181030):  # series description, protocol name
        dataset.add_new(tag, "UT", "x" * 900_000)

    assert reason(a_file(tmp_path, dataset))[0] == "too_large"


@pytest.mark.parametrize("protocol", [0, 200_000])
def test_a_large_header_that_says_little_is_taken(tmp_path: Path, protocol: int) -> None:
    dataset = a_dataset()
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x99, "OB", b"p" * (protocol * 10))

    assert isinstance(read(a_file(tmp_path, dataset)), Header)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.dictionaries(NAMES, VALUES))
def test_weight_is_never_less_than_what_is_stored(document: dict[str, Any]) -> None:
    assert len(bson.encode(document)) <= stored_bytes(document)
