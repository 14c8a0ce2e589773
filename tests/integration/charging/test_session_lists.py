"""The operator's list of sessions, narrowed down, and what a request for a charge may wish."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.clock import to_rfc3339
from tests.site import Site


@pytest.fixture
def moments(site: Site) -> list[str]:
    """Three charges an hour apart, the last one still running, on connectors 1, 1, 2; when each began."""
    began = []
    for number, evse_no in enumerate((1, 1, 2)):
        began.append(to_rfc3339(site.world.clock.now()))
        outcome = site.start(evse_no=evse_no, meter_wh=1000 * number, message_id=f"start-{number}")
        if number < 2:
            site.stop(outcome.transaction_id, 1000 * number + 200)
        site.advance(15)
    return began


def listed(site: Site, **query: Any) -> Any:
    token = site.world.access_token(site.operator.user.email)
    reply = site.world.rest.get("/v1/sessions", token=token, query=query)
    assert reply.status == 200, reply.body
    return reply.body


def test_by_state_charger_and_time(site: Site, moments: list[str]) -> None:
    assert len(listed(site)["data"]) == 3
    assert [s["state"] for s in listed(site, state="charging")["data"]] == ["charging"]
    assert len(listed(site, charger_id="cp-001")["data"]) == 3
    assert listed(site, charger_id="CP-002")["data"] == []
    assert len(listed(site, date_from=moments[1])["data"]) == 2
    assert len(listed(site, date_to=moments[1])["data"]) == 1
    assert len(listed(site, date_from=moments[1], date_to=moments[2], state="settled")["data"]) == 1


def test_page_by_page_nothing_is_left_out(site: Site, moments: list[str]) -> None:
    found, cursor = [], None
    while True:
        page = listed(site, limit=1, state="settled", **({"cursor": cursor} if cursor else {}))
        found += [session["session_id"] for session in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    settled = [s.session_id for s in site.sessions() if s.state == "settled"]
    assert found == settled[::-1]


@pytest.mark.parametrize(
    "limits", [{"energy_wh": 0}, {"duration_s": 59}, {"soc_percent": 101}, {"energy_wh": "much"}, {"cost": 5}]
)
def test_wishes_that_nobody_can_have(site: Site, limits: dict[str, Any]) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    body = {"charger_id": site.charger.charger_id, "evse_no": 1, "limits": limits}
    reply = site.world.rest.post("/v1/driver/sessions", body, token=token, key="start-1")
    assert reply.status in (400, 422), reply.body
    assert site.sessions() == []
    assert site.available() == 2000


def test_by_place_connector_payer_and_number(site: Site, moments: list[str]) -> None:
    sessions = {session.session_id: session for session in site.sessions()}
    running = next(session for session in sessions.values() if session.is_open)
    location_id, driver_id = site.location.location_id, site.driver.driver_id
    assert [s["evse_no"] for s in listed(site, evse_no=2)["data"]] == [2]
    assert len(listed(site, location_id=location_id)["data"]) == 3
    assert listed(site, agency_id="org_agency")["data"] == []
    assert len(listed(site, driver_id=driver_id)["data"]) == 3
    assert len(listed(site, id_token="04a2b3c4d5")["data"]) == 3
    assert [s["session_id"] for s in listed(site, order_no=running.order_no.lower())["data"]] == [running.session_id]
    assert [s["payment_status"] for s in listed(site, group="history")["data"]] == ["paid", "paid"]
    assert [s["state"] for s in listed(site, group="live", payment_status="held")["data"]] == ["charging"]
    nothing: list[dict[str, Any]] = [
        {"location_id": "loc_other"},
        {"driver_id": "drv_other"},
        {"id_token": "04A2"},
        {"order_no": "260302-XXXXXX"},
        {"group": "abnormal"},
        {"payment_status": "uncollected"},
    ]
    assert [listed(site, **query)["data"] for query in nothing] == [[]] * len(nothing)


@pytest.mark.parametrize(
    "query",
    [{"state": "sleeping"}, {"group": "all"}, {"payment_status": "?"}, {"evse_no": -1}, {"evse_no": "x"}],
)
def test_a_filter_that_cannot_be_is_refused(site: Site, query: dict[str, Any]) -> None:
    reply = site.world.rest.get("/v1/sessions", token=site.operator.access_token, query=query)
    assert reply.status == 422, reply.body


def test_a_driver_of_two_operators_is_seen_at_the_own_chargers_alone(site: Site, moments: list[str]) -> None:
    stranger = site.world.operator("Somebody else")
    query = {"driver_id": site.driver.driver_id}
    assert site.world.rest.get("/v1/sessions", token=stranger.access_token, query=query).body["data"] == []


def test_a_drivers_month_is_that_of_the_drivers_calendar(site: Site) -> None:
    """A charge at 23:30 UTC of the last day of March is April's in Berlin."""
    site.world.advance(29 * 24 * 3600 + 15.5 * 3600)
    site.stop(site.start(meter_wh=0).transaction_id, 200)
    token = site.world.driver_token(site.driver.driver_id)

    def count(**query: str) -> int:
        reply = site.world.rest.get("/v1/driver/sessions", token=token, query=query)
        assert reply.status == 200, reply.body
        return len(reply.body["data"])

    assert count() == count(month="2026-03") == count(month="2026-04", time_zone="Europe/Berlin") == 1
    assert count(month="2026-04") == count(month="2026-03", time_zone="Europe/Berlin") == 0
    wrong = site.world.rest.get("/v1/driver/sessions", token=token, query={"month": "2026-13"})
    assert wrong.status == 422
    zone = site.world.rest.get("/v1/driver/sessions", token=token, query={"time_zone": "Mars/Olympus"})
    assert (zone.status, zone.body["code"]) == (422, "time_zone.unknown")


def test_a_wallets_month_is_what_moved_it_then(site: Site) -> None:
    site.stop(site.start(meter_wh=0).transaction_id, 10_000)
    token = site.world.driver_token(site.driver.driver_id)

    def kinds(**query: str) -> list[str]:
        reply = site.world.rest.get("/v1/driver/wallet/transactions", token=token, query=query)
        assert reply.status == 200, reply.body
        return [line["event_type"] for line in reply.body["data"]]

    assert kinds(month="2026-03", type="income") == ["refund", "top_up"]
    assert kinds(month="2026-03", type="expenditure", time_zone="Asia/Tokyo") == ["consumption"]
    assert kinds(month="2026-04") == []
