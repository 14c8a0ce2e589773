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
