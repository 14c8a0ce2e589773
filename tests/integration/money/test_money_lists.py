"""What people read of money: lines with their orders, months, top-up records, an operator's own business."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.ledger import proving
from tests.integration.money.paying import found_fleet
from tests.site import CHARGER_ID, Site, build_site
from tests.world import World

DAY_S = 86_400


@pytest.fixture
def site(world: World) -> Site:
    site = build_site(world)
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    return site


def adjust(site: Site, amount: int, key: str, reason: str = "cash") -> None:
    direction = "top_up" if amount > 0 else "deduct"
    body = {"direction": direction, "amount": {"amount": abs(amount), "currency": "EUR"}, "reason": reason}
    path = f"/v1/wallets/{site.driver.driver_id}/adjustments"
    token = site.world.access_token(site.operator.user.email)
    assert site.world.rest.post(path, body, token=token, key=key).status == 201
    site.advance_s(1)


def charge(site: Site, wh: int = 200, number: int = 1) -> Any:
    session = site.request(500)
    outcome = site.start_from_app(meter_wh=1000, message_id=f"start-{number}")
    site.stop(outcome.transaction_id, 1000 + wh)
    site.world.run_events()
    site.advance_s(1)  # what happens in one millisecond has no order
    return site.session(session.session_id)


def ask(site: Site, path: str, token: str = "", **query: Any) -> Any:
    token = token or site.world.access_token(site.operator.user.email)
    reply = site.world.rest.get(path, token=token, query=query)
    assert reply.status == 200, reply.body
    return reply.body


def test_lines_name_their_order_and_charger(site: Site) -> None:
    session = charge(site)
    token = site.world.driver_token(site.driver.driver_id)
    refund, hold, _ = ask(site, "/v1/driver/wallet/transactions", token)["data"]
    for line in (refund, hold):
        assert (line["order_no"], line["charger_id"]) == (session.order_no, CHARGER_ID)
    seen = ask(site, f"/v1/wallets/{site.driver.driver_id}/transactions")["data"]
    assert [line["order_no"] for line in seen] == [session.order_no, session.order_no, None]


def test_another_operator_is_not_told_where_its_driver_charged(site: Site) -> None:
    charge(site)
    other = site.world.operator()
    site.world.commit(lambda uow: drivers.link_operator(uow, other.operator_id, site.driver.driver_id))
    seen = ask(site, f"/v1/wallets/{site.driver.driver_id}/transactions", other.access_token)["data"]
    assert [(line["label"], line["order_no"], line["charger_id"]) for line in seen] == [
        ("Refunded", None, None),
        ("Consumption", None, None),
        ("Top-up", None, None),
    ]


def test_what_an_operator_writes_into_a_wallet_no_other_one_reads(site: Site) -> None:
    other = site.world.operator("Other")
    site.world.commit(lambda uow: drivers.link_operator(uow, other.operator_id, site.driver.driver_id))
    site.advance_s(1)  # after the money that the site's driver begins with
    adjust(site, 100, "k1", "Owes us a favour")
    session = charge(site)
    lower = {"amount": {"amount": 0, "currency": "EUR"}, "reason": "Complained about the cable"}
    own, path = site.world.access_token(site.operator.user.email), f"/v1/sessions/{session.session_id}/corrections"
    assert site.world.rest.post(path, lower, token=own, key="k2").status == 201

    def read(token: str) -> list[tuple[Any, ...]]:
        lines = ask(site, f"/v1/wallets/{site.driver.driver_id}/transactions", token)["data"]
        return [(line["label"], line["reason"], line["charging_session_id"]) for line in lines][:-1]

    told = read(own)
    assert [reason for _, reason, _ in told] == ["Complained about the cable", None, None, "Owes us a favour"]
    assert [told_of for _, _, told_of in told] == [session.session_id] * 3 + [None]
    assert read(other.access_token) == [(label, None, None) for label, _, _ in told]


def test_months_of_a_wallet(site: Site) -> None:
    adjust(site, 1000, "k1")
    site.advance_s(31 * DAY_S)
    charge(site)
    token = site.world.driver_token(site.driver.driver_id)
    months = ask(site, "/v1/driver/wallet/months", token, time_zone="Europe/Berlin")
    assert [(each["month"], each["income"]["amount"], each["expenditure"]["amount"]) for each in months["data"]] == [
        ("2026-04", 493, -500),
        ("2026-03", 3000, 0),
    ]
    assert sum(each["net"]["amount"] for each in months["data"]) == site.available()
    assert ask(site, f"/v1/wallets/{site.driver.driver_id}/months", time_zone="Europe/Berlin") == months
    only_march = ask(site, "/v1/driver/wallet/months", token, until="2026-03", months=1)
    assert [each["month"] for each in only_march["data"]] == ["2026-03"]
    (line,) = ask(site, "/v1/driver/wallet/transactions", token, month="2026-03", event_type="manual_entry")["data"]
    assert line["amount"]["amount"] == 1000


def test_an_operators_own_business(site: Site) -> None:
    adjust(site, 1000, "k1", "cash at the desk")
    first = charge(site)
    adjust(site, -100, "k2", "too much")
    second = charge(site, 400, 2)
    read = lambda **query: [  # noqa: E731
        (line["type"], line["state"], line["amount"]["amount"], line["order_no"], line["reason"])
        for line in ask(site, "/v1/wallet-transactions", **query)["data"]
    ]
    everything = [
        ("expense", "consumption", -14, second.order_no, None),
        ("expense", "manual_entry", -100, None, "too much"),
        ("expense", "consumption", -7, first.order_no, None),
        ("income", "manual_entry", 1000, None, "cash at the desk"),
    ]
    assert read() == everything
    assert read(type="income") == everything[3:]
    assert read(state="manual_entry") == [everything[1], everything[3]]
    assert read(driver_id="drv_other") == []
    assert read(date_from="2026-02-01", date_to="2026-03-01") == []
    assert read(date_from="2026-02-20", date_to="2026-03-02") == everything
    (line, *_) = ask(site, "/v1/wallet-transactions")["data"]
    assert (line["paid_by"], line["driver_id"], line["charger_id"]) == ("wallet", site.driver.driver_id, CHARGER_ID)
    names = (site.driver.full_name, site.operator.user.user_id, site.operator.user.full_name)
    said = [
        tuple(line[name] for name in ("driver_name", "entered_by", "entered_by_name"))
        for line in ask(site, "/v1/wallet-transactions")["data"]
    ]
    assert said == [(names[0], None, None), names, (names[0], None, None), names]


def test_an_operators_business_in_pages_over_days(site: Site) -> None:
    amounts = []
    for number in range(7):
        adjust(site, number + 1, f"k{number}")
        amounts.append(number + 1)
        if number % 3 == 2:
            site.advance_s(DAY_S)
    last = site.world.clock.now().date().isoformat()
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2, "date_from": "2026-03-01", "date_to": last}
    for _ in range(len(amounts)):
        page = ask(site, "/v1/wallet-transactions", **query)
        seen += [line["amount"]["amount"] for line in page["data"]]
        query["cursor"] = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == amounts[::-1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"date_from": "2026-01-01", "date_to": "2026-03-01"}, "period.too_long"),
        ({"date_from": "2026-03-02", "date_to": "2026-03-01"}, "period.reversed"),
        ({"date_to": "0001-01-01"}, "date.distant"),
        ({"cursor": "eyJwayI6eyJTIjoiMSJ9fQ"}, "cursor.invalid"),
        ({"currency": "EURO"}, "currency.invalid"),
    ],
)
def test_periods_beyond_reason_are_refused(site: Site, query: dict[str, str], code: str) -> None:
    token = site.operator.access_token
    refused = site.world.rest.get("/v1/wallet-transactions", token=token, query=query)
    assert refused.body["code"] == code
    assert refused.status in (400, 422)


def test_what_an_enterprise_paid_is_business_too_and_no_drivers(site: Site) -> None:
    fleet = found_fleet(site)
    site.start(meter_wh=1000)
    [running] = [session for session in site.sessions() if session.is_open]
    assert running.enterprise_id == fleet.enterprise_id
    site.stop(running.transaction_id, 2000)
    (line,) = ask(site, "/v1/wallet-transactions")["data"]
    assert (line["paid_by"], line["driver_id"], line["amount"]["amount"]) == ("enterprise", None, -35)


def test_topup_records_by_filter(site: Site) -> None:
    adjust(site, 300, "k1")
    site.advance_s(31 * DAY_S)
    adjust(site, -100, "k2")
    path = "/v1/topups"
    read = lambda **query: [line["amount"]["amount"] for line in ask(site, path, **query)["data"]]  # noqa: E731
    assert read() == [-100, 300]
    assert read(month="2026-03", time_zone="Europe/Berlin") == [300]
    assert read(source="online") == []
    assert read(source="manual", driver_id=site.driver.driver_id) == [-100, 300]
    assert read(driver_id="drv_x") == []
    assert read(currency="USD") == []
    (latest, _) = ask(site, path)["data"]
    assert (latest["reason"], latest["entered_by"]) == ("cash", site.operator.user.user_id)


def test_a_start_without_the_money_says_how_much_is_missing(site: Site) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    body = {"charger_id": CHARGER_ID, "evse_no": 1, "amount": {"amount": 2345, "currency": "EUR"}}
    refused = site.world.rest.post("/v1/driver/sessions", body, token=token, key="k1")
    assert (refused.status, refused.body["code"]) == (409, "ledger.insufficient_funds")
    assert refused.body["shortfall"] == {"amount": 345, "currency": "EUR"}
    assert "3.45 EUR" in refused.body["detail"]
    assert proving.prove_ledger(site.world.ctx).fault_count == 0
