"""Byte ranges, as RFC 9110 reads them."""

import pytest

from dashboard.caregiver.ranges import Part, part_asked


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", Part(0, 100)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=10-19", Part(10, 10)),
        ("bytes=90-500", Part(90, 10)),
        ("bytes=-10", Part(90, 10)),
        ("bytes=-500", Part(0, 100)),
        ("bytes=99-", Part(99, 1)),
        ("bytes=100-", Part(0, 0)),
        ("bytes=-0", Part(100, 0)),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-5", None),
        ("bytes=٣-", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_what_is_asked_for(header: str, part: Part | None) -> None:
    assert part_asked(header, 100) == part


def test_what_is_told() -> None:
    assert Part(10, 10).told(100) == "bytes 10-19/100"
    assert Part(0, 0).told(100) == "bytes */100"
