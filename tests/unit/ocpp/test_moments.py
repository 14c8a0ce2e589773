from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.ocpp.moments import moment_or_receipt, read_moment

RECEIVED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02T07:00:00Z", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02T09:00:00+02", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02T09:00:00+02:00", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02T07:00:00", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02T07:00Z", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        (" 2026-03-02T07:00:00.123456Z ", datetime(2026, 3, 2, 7, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02t07:00:00z", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02 07:00:00", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-03-02T09:00:00+0200", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026-3-2 7:00:00 UTC", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2026/03/02 07:00:00", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("1772434800", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("1772434800123", datetime(2026, 3, 2, 7, 0, 0, 123000, tzinfo=UTC)),
        ("2025-11-02T07:00:00Z", datetime(2025, 11, 2, 7, tzinfo=UTC)),
    ],
)
def test_readable(text: str, moment: datetime) -> None:
    assert read_moment(text, RECEIVED) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        None,
        5,
        "1970-01-01T00:00:00Z",
        "2026-03-03T08:00:01Z",
        "9999-12-31T23:59:59-14:00",
        "2026-13-01T00:00:00Z",
        "2026/13/01 00:00:00",
        "9999999999",
        "0000000000",
    ],
)
def test_of_no_use(text: object) -> None:
    assert read_moment(text, RECEIVED) is None
    assert moment_or_receipt(text, RECEIVED) == RECEIVED


def test_a_day_ahead_is_still_believed() -> None:
    assert read_moment("2026-03-03T08:00:00Z", RECEIVED) == RECEIVED + timedelta(days=1)
