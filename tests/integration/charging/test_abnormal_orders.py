"""An abnormal order over REST: the driver says what happened, the operator decides, both read what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.charging import service
from tests.site import CHARGER_ID, Site
from tests.world import Reply

OWN_WORDS = {"what_happened": "charged_more", "text": "It went on for hours.", "claimed_energy_wh": 8000}


@pytest.fixture
def lost(site: Site) -> str:
    """The id of a card charge of 1.00 kWh whose end was never told."""
    outcome = site.start(meter_wh=0)
    site.advance(10)
    site.meter(outcome.transaction_id, 1000)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    site.world.driver_token(site.driver.driver_id)
    site.world.run_events()
    return session.session_id


def as_operator(site: Site, method: str, path: str, body: Any = None, **options: Any) -> Reply:
    token = site.world.access_token(site.operator.user.email)
    return site.world.rest.request(method, path, body, token=token, **options)


def as_driver(site: Site, method: str, path: str, body: Any = None, **options: Any) -> Reply:
    token = site.world.access_token(f"{site.driver.driver_id.lower()}@driver.example")
    return site.world.rest.request(method, path, body, token=token, **options)


def start(site: Site, key: str) -> Reply:
    body = {"charger_id": CHARGER_ID, "evse_no": 1, "amount": {"amount": 500, "currency": "EUR"}}
    return as_driver(site, "POST", "/v1/driver/sessions", body, key=key)


def resolve(site: Site, session_id: str, key: str, **wish: Any) -> Reply:
    return as_operator(site, "POST", f"/v1/sessions/{session_id}/resolution", wish, key=key)


def test_from_the_lost_stop_to_the_closed_order(site: Site, lost: str) -> None:
    [mine] = as_driver(site, "GET", "/v1/driver/abnormal-orders", query={"statement_due": "true"}).body["data"]
    assert (mine["session_id"], mine["state"], mine["causes"][0]["code"]) == (lost, "open", "stop_missing")
    refused = start(site, "start-1")
    assert (refused.status, refused.body["code"]) == (409, "order.statement_due")
    assert mine["order_no"] in refused.body["detail"]
    stated = as_driver(site, "POST", f"/v1/driver/sessions/{lost}/statement", OWN_WORDS)
    assert (stated.status, stated.body["state"], stated.body["statement_due"]) == (200, "stated", False)
    assert start(site, "start-2").status == 201

    [shown] = as_operator(site, "GET", "/v1/abnormal-orders", query={"order_no": mine["order_no"]}).body["data"]
    assert (shown["session_id"], shown["driver_id"]) == (lost, site.driver.driver_id)
    resolved = resolve(site, lost, "resolve-1", kind="order_fee", energy_wh=8000, reason="As the driver says")
    assert resolved.status == 201, resolved.body
    assert (resolved.body["state"], resolved.body["resolution"]["deducted"]["amount"]) == ("closed", 245)
    again = resolve(site, lost, "resolve-1", kind="order_fee", energy_wh=8000, reason="As the driver says")
    assert again.body == resolved.body
    other = resolve(site, lost, "resolve-2", kind="as_billed")
    assert (other.status, other.body["code"]) == (409, "order.resolved")

    detail = as_operator(site, "GET", f"/v1/abnormal-orders/{lost}").body
    assert detail["statement"]["claimed_energy_wh"] == 8000
    assert [cdr["credit_reference_id"] is not None for cdr in detail["cdrs"]] == [False, True, False]
    assert (detail["session"]["cost"]["amount"], len(detail["readings"])) == (280, 1)
    [transaction, *_] = as_driver(
        site, "GET", "/v1/driver/wallet/transactions", query={"event_type": "correction"}
    ).body["data"]
    assert (transaction["amount"]["amount"], transaction["charging_session_id"]) == (-245, lost)


def test_the_operators_decision_is_in_the_audit_log(site: Site, lost: str) -> None:
    resolve(site, lost, "resolve-1", kind="as_billed", reason="The meter is right")
    [event] = as_operator(site, "GET", "/v1/audit-events", query={"action": "resolve_abnormal_order"}).body["data"]
    assert (event["object_type"], event["object_id"]) == ("abnormal_order", lost)


def test_the_group_of_sessions_and_the_list_of_orders_agree(site: Site, lost: str) -> None:
    good = site.start(meter_wh=2000, message_id="good")
    site.stop(good.transaction_id, 3000)
    sessions = as_operator(site, "GET", "/v1/sessions", query={"group": "abnormal"}).body["data"]
    orders = as_operator(site, "GET", "/v1/abnormal-orders").body["data"]
    assert [session["session_id"] for session in sessions] == [order["session_id"] for order in orders] == [lost]


def test_what_may_be_the_missing_end_is_shown_with_the_order(site: Site, lost: str) -> None:
    site.stop(4711, 90_000)
    [stop] = as_operator(site, "GET", f"/v1/abnormal-orders/{lost}").body["orphan_stops"]
    assert (stop["transaction_id"], stop["meter_stop_wh"]) == ("4711", 90_000)


def test_a_session_as_it_should_be_is_no_order_but_may_be_corrected(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    site.advance(5)
    site.stop(outcome.transaction_id, 10_000)
    [session] = site.sessions()
    assert as_operator(site, "GET", f"/v1/abnormal-orders/{session.session_id}").status == 404
    assert resolve(site, session.session_id, "resolve-1", kind="as_billed").status == 404
    body = {"amount": {"amount": 100, "currency": "EUR"}, "reason": "The connector was loose"}
    path = f"/v1/sessions/{session.session_id}/corrections"
    corrected = as_operator(site, "POST", path, body, key="correct-1")
    assert corrected.status == 201, corrected.body
    assert (corrected.body["given_back"]["amount"], corrected.body["cdr"]["total_cost"]["amount"]) == (250, 100)
    assert as_operator(site, "POST", path, body, key="correct-1").body == corrected.body
    assert as_operator(site, "POST", path, body, key="correct-2").body["code"] == "correction.not_lower"
    assert site.available() == 1900
    cdr = as_operator(site, "GET", f"/v1/sessions/{session.session_id}/cdr").body
    assert (cdr["cdr_id"], cdr["captured"]) == (corrected.body["cdr"]["cdr_id"], corrected.body["cdr"]["captured"])


def test_an_order_that_waits_is_resolved_not_corrected(site: Site, lost: str) -> None:
    body = {"amount": {"amount": 0, "currency": "EUR"}, "reason": "Sorry"}
    reply = as_operator(site, "POST", f"/v1/sessions/{lost}/corrections", body, key="correct-1")
    assert (reply.status, reply.body["code"]) == (409, "order.unresolved")


def test_who_only_looks_does_not_decide(site: Site, lost: str) -> None:
    body = {"name": "Screen", "permissions": ["sessions:read"]}
    secret = as_operator(site, "POST", "/v1/api-keys", body).body["api_key"]
    rest = site.world.rest
    assert rest.get("/v1/abnormal-orders", token=secret).status == 200
    reply = rest.post(f"/v1/sessions/{lost}/resolution", {"kind": "as_billed"}, token=secret, key="key-1")
    assert reply.status == 403


def test_the_list_leaves_as_a_file(site: Site, lost: str) -> None:
    body = {"kind": "abnormal_orders", "filters": {"state": "open"}}
    queued = as_operator(site, "POST", "/v1/exports", body, key="export-1")
    assert queued.status < 300, queued.body
    site.world.run_events()
    path = f"/v1/exports/{queued.body['export_id']}"
    assert as_operator(site, "GET", path).body["state"] == "done"
    text = str(as_operator(site, "GET", f"{path}/file").body)
    assert lost in text
    assert "stop_missing" in text
