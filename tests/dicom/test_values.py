import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyrus.dicom.values import CONVERTERS


@pytest.mark.parametrize(
    ("kind", "written", "value", "flaw"),
    [
        ("number", ["1,5"], 1.5, ""),
        ("number", [" +1.5e+00\0"], 1.5, ""),
        ("number", ["1.5 mm"], None, "value_invalid"),
        ("number", ["1_000"], None, "value_invalid"),
        ("number", ["NaN"], None, "value_invalid"),
        ("number", [float("inf")], None, "value_invalid"),
        ("number", [""], None, ""),
        ("number", ["1.5\0\0"], 1.5, ""),
        ("number", ["0.123456789012345678901"], 0.12345678901234568, ""),
        ("number", ["1.234,5"], None, "value_invalid"),
        ("number", ["1,234,5"], None, "value_invalid"),
        ("number", ["."], None, "value_invalid"),
        ("number", ["1e999"], None, "value_invalid"),
        ("number", ["4.9", "7.4"], 4.9, "multi_valued"),
        ("integer", ["12.0"], 12, ""),
        ("integer", ["12.5"], None, "value_invalid"),
        ("integer", ["1e3"], 1000, ""),
        ("integer", ["99999999999999999999"], None, "value_invalid"),
        ("numbers", ["1", "x"], None, "value_invalid"),
        ("date", ["20200131"], "2020-01-31", ""),
        ("date", ["2020.01.31"], "2020-01-31", ""),
        ("date", ["2020-01-31"], "2020-01-31", ""),
        ("date", ["19000101"], None, "date_placeholder"),
        ("date", ["20200230"], None, "value_invalid"),
        ("date", ["20200100"], None, "value_invalid"),
        ("date", ["00000000"], None, "date_placeholder"),
        ("time", ["1015"], "10:15:00", ""),
        ("time", ["101530"], "10:15:30", ""),
        ("time", ["10:15:30"], "10:15:30", ""),
        ("time", ["101530.123456"], "10:15:30.123456", ""),
        ("time", ["240000"], None, "value_invalid"),
        ("date_time", ["20200131101530.5+0100"], "2020-01-31T10:15:30.5+0100", ""),
        ("age", ["006M"], 0.5, ""),
        ("age", ["45"], 45.0, ""),
        ("age", ["045Y"], 45.0, ""),
        ("age", ["6M"], 0.5, ""),
        ("age", ["450"], None, "value_invalid"),
        ("text", ["  T1 \0"], "  T1", ""),
        ("texts", ["A ", "", "B"], ["A", "", "B"], ""),
        ("uid", ["1.2.03\0"], "1.2.03", ""),
    ],
)
def test_a_written_value_becomes_a_plain_one(kind: str, written: list[Any], value: Any, flaw: str) -> None:
    assert CONVERTERS[kind](written) == (value, flaw)


@given(st.sampled_from(sorted(CONVERTERS)), st.lists(st.text(max_size=30) | st.floats() | st.integers(), max_size=4))
def test_no_value_makes_a_conversion_fail(kind: str, written: list[Any]) -> None:
    value, flaw = CONVERTERS[kind](written)

    assert flaw in ("", "value_invalid", "multi_valued", "date_placeholder")
    assert not isinstance(value, float) or math.isfinite(value)
