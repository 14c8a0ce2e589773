"""Before a certificate ends its charger is asked for a new one, a few times and no more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.maintenance import jobs
from chalicelib.maintenance.model.certificates import (
    next_renewal_on,
)
from tests.unit.maintenance.asking import fresh_csr, install, journal
from tests.unit.maintenance.conftest import Told

DAY_S = 86400


def triggers(told: Told) -> list[Any]:
    """Runs the day's job; what the charger was asked."""
    told.world.run_job(jobs.renew_certificates)
    return [(command[1], command[3]) for command in told.send_queued() if command[2] == "ExtendedTriggerMessage"]


def until_days_before_the_end(told: Told, days: int) -> None:
    told.world.advance((365 - days) * DAY_S)
    told.wire.connect()


def test_a_charger_is_asked_before_its_certificate_ends(told: Told) -> None:
    install(told)
    until_days_before_the_end(told, 31)
    assert triggers(told) == []
    told.world.advance(DAY_S)
    [(command_id, payload)] = triggers(told)
    assert payload == {"requestedMessage": "SignChargePointCertificate"}
    told.wire.reply([2, command_id], {"status": "Accepted"})
    assert triggers(told) == [], "once a day is enough, however often the job runs"
    assert journal(told)[0].startswith("Certificate ends at 2027-03-02T08:00:00.000Z")


def test_and_again_until_it_renews(told: Told) -> None:
    install(told)
    until_days_before_the_end(told, 31)
    asked_on = []
    for days_left in range(30, -3, -1):
        told.world.advance(DAY_S)
        for command_id, _ in triggers(told):
            asked_on.append(days_left)
            told.wire.reply([2, command_id], {"status": "Rejected"})
    assert asked_on == [30, 14, 7, 3, 1]
    assert not [row for row in told.rows() if row["pk"]["S"].startswith("renewals#")]


def test_who_has_renewed_is_asked_no_more(told: Told) -> None:
    install(told)
    until_days_before_the_end(told, 40)
    install(told, fresh_csr())
    told.world.advance(10 * DAY_S)
    assert triggers(told) == []


def test_days_without_the_job_are_made_up_for(told: Told) -> None:
    install(told)
    until_days_before_the_end(told, 26)
    assert len(triggers(told)) == 1


def test_one_chargers_trouble_is_not_anothers(told: Told) -> None:
    """A full queue: it is asked another day, and the job goes on."""
    install(told)
    until_days_before_the_end(told, 30)
    told.wire.close()
    for _ in range(20):
        told.wire.queue("ClearCache", {})
    assert told.world.run_job(jobs.renew_certificates) == {"asked": 0, "failed": 1}
    assert [row for row in told.rows() if row["pk"]["S"].startswith("renewals#")]


@pytest.mark.parametrize(
    ("after", "due"),
    [("2026-01-01", "2026-05-02"), ("2026-05-02", "2026-05-18"), ("2026-05-30", "2026-05-31"), ("2026-05-31", None)],
)
def test_the_days_of_renewal(after: str, due: str | None) -> None:
    found = next_renewal_on(date(2026, 6, 1), date.fromisoformat(after))
    assert found == (None if due is None else date.fromisoformat(due))
