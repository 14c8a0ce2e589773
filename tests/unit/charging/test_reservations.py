"""Reservations: who gets an EVSE, for how long, and what remains when the charger says no, or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service
from chalicelib.charging.model import MAX_RESERVATION, RESERVATION_LIFECYCLE, Reservation
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.errors import DomainError
from tests.site import CARD, Site

HOUR = timedelta(hours=1)
OPEN = {
    "accepted": "active",
    "refused": "refused",
    "cancel_requested": "cancelling",
    "used": "used",
    "expired": "expired",
    "removed": "cancelled",
}
EXPECTED: dict[str, dict[str, str]] = {
    "requested": OPEN,
    "active": {event: after for event, after in OPEN.items() if event not in ("accepted", "refused")},
    "cancelling": {
        "cancel_requested": "cancelling",
        "refused": "cancelled",
        "removed": "cancelled",
        "cancel_failed": "active",
        "used": "used",
        "expired": "expired",
    },
    "refused": {},
    "used": {},
    "expired": {},
    "cancelled": {},
}


@pytest.mark.parametrize("state", sorted(EXPECTED))
@pytest.mark.parametrize("event", sorted(RESERVATION_LIFECYCLE.events))
def test_every_state_and_event(state: str, event: str) -> None:
    following = EXPECTED[state].get(event)
    if following is not None:
        assert RESERVATION_LIFECYCLE.next(state, event) == following
        return
    with pytest.raises(DomainError):
        RESERVATION_LIFECYCLE.next(state, event)


def reserve(site: Site, *, evse_no: int = 1, until: datetime | None = None, **more: Any) -> Reservation:
    site.advance_s(1)
    ends_at = until or site.world.clock.now() + HOUR
    values = {"id_token": drivers.app_token(site.driver.driver_id), "driver_id": site.driver.driver_id, **more}
    reservation: Reservation = site.world.commit(
        lambda uow: service.request_reservation(
            uow,
            reservation_id=site.world.ctx.new_id("res"),
            charger=site.charger,
            evse_no=evse_no,
            until=ends_at,
            requested_by="drv_test",
            **values,
        )
    )
    return reservation


def answer(site: Site, reservation: Reservation, accepted: bool = True, detail: str = "Accepted") -> None:
    site.world.commit(
        lambda uow: service.handle_reservation_answer(
            uow, charger_id="CP-001", number=reservation.number, accepted=accepted, detail=detail
        )
    )


def cancel(site: Site, reservation: Reservation) -> Reservation:
    site.advance_s(1)
    now: Reservation = site.world.commit(
        lambda uow: service.cancel_reservation(uow, fresh(site, reservation), requested_by="drv_test")
    )
    return now


def answer_cancellation(site: Site, reservation: Reservation, accepted: bool, detail: str) -> None:
    site.world.commit(
        lambda uow: service.handle_cancellation_answer(
            uow, charger_id="CP-001", number=reservation.number, accepted=accepted, detail=detail
        )
    )


def fresh(site: Site, reservation: Reservation) -> Reservation:
    found = lookup.find_reservation(site.world.ctx, reservation.reservation_id)
    assert found is not None
    return found


def state(site: Site, reservation: Reservation) -> str:
    return fresh(site, reservation).state_at(site.world.clock.now())


def asked(site: Site) -> list[tuple[str, dict[str, Any]]]:
    page = chargers.list_commands(site.world.ctx, "CP-001", limit=20, cursor=None)
    return [(command.action, command.payload) for command in page.data[::-1]]


def other_driver(site: Site) -> Driver:
    driver = Driver(site.world.ctx.new_id("drv"), "otto@driver.example", "Otto Other", site.world.clock.now())
    site.world.commit(lambda uow: drivers.create_driver(uow, driver))
    site.top_up(2000, driver.driver_id)
    return driver


def request_as(site: Site, driver_id: str) -> None:
    site.world.commit(
        lambda uow: service.request_session(
            uow,
            session_id=site.world.ctx.new_id("ses"),
            driver_id=driver_id,
            charger_id="CP-001",
            evse_no=1,
            amount=None,
        )
    )


def test_the_charger_is_asked_and_decides(site: Site) -> None:
    reservation = reserve(site, group_id="FAMILY")
    assert state(site, reservation) == "requested"
    [(action, payload)] = asked(site)
    assert action == "reserve"
    assert payload["number"] == reservation.number
    assert 0 < reservation.number < 2**31
    assert (payload["evse_no"], payload["group_id"]) == (1, "FAMILY")
    answer(site, reservation)
    assert state(site, reservation) == "active"
    answer(site, reservation, False, "late")
    assert state(site, reservation) == "active"


@pytest.mark.parametrize("detail", ["Occupied", "timed_out"])
def test_what_the_charger_refused_is_nobodys(site: Site, detail: str) -> None:
    reservation = reserve(site)
    answer(site, reservation, False, detail)
    assert (state(site, reservation), fresh(site, reservation).detail) == ("refused", detail)
    assert state(site, reserve(site)) == "requested"


def test_it_is_over_when_its_time_has_passed_whatever_the_charger_says(site: Site) -> None:
    reservation = reserve(site)
    answer(site, reservation)
    site.advance(61)
    assert state(site, reservation) == "expired"
    assert cancel(site, reservation).state == "active"
    assert [action for action, _ in asked(site)] == ["reserve"]
    request_as(site, other_driver(site).driver_id)


@pytest.mark.parametrize("minutes", [-1, 0, MAX_RESERVATION.total_seconds() / 60 + 1])
def test_a_reservation_ends_within_a_day(site: Site, minutes: float) -> None:
    with pytest.raises(DomainError) as refused:
        reserve(site, until=site.world.clock.now() + timedelta(minutes=minutes))
    assert refused.value.code == "reservation.until"
    assert asked(site) == []


def test_nobody_else_is_sent_to_a_reserved_evse(site: Site) -> None:
    reserve(site)
    with pytest.raises(DomainError) as refused:
        request_as(site, other_driver(site).driver_id)
    assert refused.value.code == "evse.reserved"
    with pytest.raises(DomainError) as again:
        reserve(site)
    assert again.value.code == "evse.reserved"
    assert state(site, reserve(site, evse_no=2)) == "requested"


@pytest.mark.parametrize(("status", "code"), [("Charging", "evse.busy"), ("Faulted", "evse.busy")])
def test_an_evse_that_is_not_free_is_not_reserved(site: Site, status: str, code: str) -> None:
    now = site.world.clock.now()
    site.world.commit(
        lambda uow: chargers.record_status(
            uow, site.charger.charger_id, 1, status=status, error_code="NoError", info="", at=now
        )
    )
    with pytest.raises(DomainError) as refused:
        reserve(site)
    assert refused.value.code == code


def test_an_evse_where_somebody_charges_is_not_reserved(site: Site) -> None:
    site.start()
    with pytest.raises(DomainError) as refused:
        reserve(site)
    assert refused.value.code == "evse.busy"


def test_whoever_reserved_by_card_is_let_in_by_the_app_under_that_card(site: Site) -> None:
    """The charger compares id tokens: it would refuse the app's own."""
    reservation = reserve(site, id_token=CARD)
    answer(site, reservation)
    now = site.world.clock.now()
    site.world.commit(
        lambda uow: chargers.record_status(
            uow, site.charger.charger_id, 1, status="Reserved", error_code="NoError", info="", at=now
        )
    )
    session = site.request(500)
    assert session.id_token == CARD
    assert asked(site)[-1][1]["id_token"] == CARD
    assert state(site, reservation) == "active"
    site.start(CARD)
    assert state(site, reservation) == "used"
    assert fresh(site, reservation).session_id == session.session_id
    assert site.session(session.session_id).state == "charging"


def test_a_card_that_begins_under_the_number_uses_it(site: Site) -> None:
    reservation = reserve(site, id_token=CARD)
    answer(site, reservation)
    at = site.world.clock.now()
    outcome = site.world.commit(
        lambda uow: service.start_by_charger(
            uow,
            charger=site.charger,
            evse_no=1,
            id_token=CARD,
            meter_start_wh=1000,
            started_at=at,
            message_id="m",
            reservation_number=reservation.number,
        )
    )
    assert outcome.authorization.status == "accepted"
    assert state(site, reservation) == "used"


def test_a_number_that_nobody_gave_changes_nothing(site: Site) -> None:
    at = site.world.clock.now()
    site.world.commit(
        lambda uow: service.start_by_charger(
            uow,
            charger=site.charger,
            evse_no=1,
            id_token=CARD,
            meter_start_wh=1000,
            started_at=at,
            message_id="m",
            reservation_number=4711,
        )
    )
    assert [session.state for session in site.sessions()] == ["charging"]


@pytest.mark.parametrize(
    ("accepted", "detail", "expected"),
    [
        (True, "Accepted", "cancelled"),
        (False, "Rejected", "cancelled"),  # the charger knows of no such reservation
        (False, "timed_out", "active"),  # it may be kept still
    ],
)
def test_cancelling(site: Site, accepted: bool, detail: str, expected: str) -> None:
    reservation = reserve(site)
    answer(site, reservation)
    assert cancel(site, reservation).state == "cancelling"
    assert cancel(site, reservation).state == "cancelling"  # the second click
    assert [action for action, _ in asked(site)] == ["reserve", "cancel_reservation"]
    answer_cancellation(site, reservation, accepted, detail)
    assert state(site, reservation) == expected


def test_cancelled_before_the_charger_was_asked(site: Site) -> None:
    """It is not asked any more; that nothing was sent answers both."""
    reservation = reserve(site)
    cancel(site, reservation)
    assert not service.is_reservation_wanted(site.world.ctx, charger_id="CP-001", number=reservation.number)
    answer(site, reservation, False, "it was called off before it was sent")
    assert state(site, reservation) == "cancelled"


@pytest.mark.parametrize(("status", "expected"), [("Expired", "expired"), ("Removed", "cancelled")])
def test_the_charger_gives_it_up(site: Site, status: Any, expected: str) -> None:
    reservation = reserve(site)
    answer(site, reservation)
    for _ in range(2):
        site.world.commit(lambda uow: service.handle_reservation_update(uow, site.charger, reservation.number, status))
    assert state(site, reservation) == expected


def test_lists_by_operator_and_by_driver(site: Site) -> None:
    mine = reserve(site)
    by_card = reserve(site, evse_no=2, id_token="OPERATORS", driver_id=None)
    ctx = site.world.ctx
    of_operator = lookup.list_reservations(ctx, operator_id=site.charger.operator_id, limit=1, cursor=None)
    assert [r.reservation_id for r in of_operator.data] == [by_card.reservation_id]
    rest = lookup.list_reservations(ctx, operator_id=site.charger.operator_id, limit=5, cursor=of_operator.next_cursor)
    assert [r.reservation_id for r in rest.data] == [mine.reservation_id]
    of_driver = lookup.list_reservations(ctx, driver_id=site.driver.driver_id, limit=5, cursor=None)
    assert [r.reservation_id for r in of_driver.data] == [mine.reservation_id]


def test_a_reservation_of_any_evse_is_for_its_driver_and_keeps_nobody_else_from_this_one(site: Site) -> None:
    reservation = reserve(site, evse_no=0, id_token=CARD)
    answer(site, reservation)
    request_as(site, other_driver(site).driver_id)
    assert site.request(500, evse_no=2).reservation_id == reservation.reservation_id


def test_one_driver_keeps_a_few_connectors_at_most(site: Site) -> None:
    for evse_no in (0, 1, 2):
        service.check_open_reservations(site.world.ctx, site.driver.driver_id)
        last = reserve(site, evse_no=evse_no)
    with pytest.raises(DomainError) as refused:
        service.check_open_reservations(site.world.ctx, site.driver.driver_id)
    assert refused.value.code == "reservation.too_many"
    answer(site, last, False, "Occupied")
    service.check_open_reservations(site.world.ctx, site.driver.driver_id)
