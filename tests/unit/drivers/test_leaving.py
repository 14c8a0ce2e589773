"""A driver leaves: what keeps them, what of them is gone afterwards, and what stays."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.charging import lookup, service
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import MAX_CARDS, Driver, app_token
from chalicelib.drivers.service.leaving import erase_driver
from chalicelib.identity import service as identity
from chalicelib.identity.model.logins import Device
from chalicelib.identity.service.access_tokens import encode_refresh_token
from chalicelib.identity.service.sign_ins import open_sign_in
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets
from tests.site import CARD, Site, build_site
from tests.unit.drivers.conftest import add_driver, reread
from tests.unit.identity.doors import BROWSER, sign_in, turn_on
from tests.world import PASSWORD, Reply, World, table_definitions

DORA = {
    "email": "Dora@driver.example",
    "password": PASSWORD,
    "full_name": "Dora Døring",
    "phone": "+49 40 123456",
    "street": "Uferweg",
    "city": "Altona",
}


def sign_up(world: World, **fields: Any) -> Reply:
    world.rest.post("/v1/auth/verification-codes", {"email": DORA["email"], "purpose": "sign_up"})
    world.run_events()
    [code] = re.findall(r"\b\d{6}\b", world.mails(to="dora@driver.example")[0].text or "")
    return world.rest.post("/v1/auth/sign-ups", {**DORA, "code": code, **fields})


@pytest.fixture
def dora(world: World) -> str:
    """The id of a driver who signed up."""
    made = sign_up(world)
    assert made.status == 201, made.body
    return str(made.body["driver_id"])


def leave(world: World, token: str, **fields: Any) -> Reply:
    return world.rest.post("/v1/driver/me/deletion", {"password": PASSWORD, **fields}, token=token)


PASSING = ("notifications", "outbox")
"""Tables whose rows expire by themselves within days: the farewell itself, and what told of it."""


def stored(world: World) -> list[dict[str, Any]]:
    """Every row that stays. A mailed code is kept under its address for a day, so that no more are mailed."""
    names = [definition["TableName"] for definition in table_definitions()]
    rows = [
        row
        for name in names
        if not any(word in name for word in PASSING)
        for row in world.engine.execute("Scan", {"TableName": name})["Items"]
    ]
    return [row for row in rows if not row["pk"]["S"].startswith("code#")]


def test_who_leaves_is_gone_and_told_by_mail(world: World, dora: str) -> None:
    token = world.sign_in("dora@driver.example")
    assert leave(world, token).status == 204
    assert sign_in(world, "dora@driver.example").body["code"] == "auth.failed"
    assert world.rest.get("/v1/driver/me", token=token).status == 401, "at once, not when the access token ends"
    world.run_events()
    mail = world.mails(to="dora@driver.example")[0]
    assert mail.subject == "Your account was deleted"
    assert "Dora Døring" in (mail.text or "")


def test_nothing_personal_is_left(world: World, dora: str) -> None:
    sign_in(world, "dora@driver.example", headers={"User-Agent": BROWSER}, source_ip="192.0.2.99")
    world.advance(1)
    token = world.sign_in("dora@driver.example")
    assert leave(world, token).status == 204
    assert world.rest.post("/v1/auth/refresh", {"refresh_token": "x.y.1.z"}).status == 401
    world.run_events()
    left = json.dumps(stored(world), ensure_ascii=False, default=str)
    for word in ("Døring", "123456", "Uferweg", "Altona", "192.0.2.99", "dora@driver.example"):
        assert word not in left.lower() + left, word
    erased = drivers.require_driver(world.ctx, dora)
    assert (erased.full_name, erased.email, erased.phone, erased.state) == ("Deleted driver", "", None, "inactive")


def test_it_takes_the_password_and_the_second_factor(world: World, dora: str) -> None:
    token = world.sign_in("dora@driver.example")
    assert leave(world, token, password="not the password").body["code"] == "auth.password_wrong"
    app, _ = turn_on(world, token)
    assert leave(world, token).body["code"] == "auth.totp_required"
    assert leave(world, token, totp_code=app.wrong_code()).body["code"] == "auth.totp_invalid"
    assert drivers.require_driver(world.ctx, dora).deleted_at is None
    assert leave(world, token, totp_code=app.next_code()).status == 204
    assert [row for row in stored(world) if row["sk"]["S"] == "totp"] == []


def test_money_in_the_wallet_keeps_the_account(world: World, dora: str) -> None:
    site = build_site(world, money=0)
    site.top_up(1234, dora)
    token = world.sign_in("dora@driver.example")
    assert wallets.available(world.ctx, dora, "EUR").amount == 1234
    refused = leave(world, token)
    assert (refused.status, refused.body["code"]) == (409, "driver.wallet_not_empty")
    assert "12.34 EUR" in refused.body["detail"]
    assert world.rest.get("/v1/driver/me", token=token).status == 200


def test_a_top_up_that_may_still_be_paid_keeps_it_too(world: World, dora: str) -> None:
    begin = {"topup_id": "top_1", "payment_id": "pay_1", "driver_id": dora, "amount": Money(1000, "EUR")}
    world.commit(lambda uow: wallets.begin_topup(uow, **begin))
    token = world.sign_in("dora@driver.example")
    assert leave(world, token).body["code"] == "driver.topping_up"
    world.commit(lambda uow: wallets.fail_topup(uow, "top_1", failure="expired"))
    assert leave(world, token).status == 204


def as_dora(site: Site) -> str:
    """The site's driver, with a login of their own. Returns an access token."""
    world = site.world
    world.commit(
        lambda uow: identity.create_driver_login(
            uow, email="dora@driver.example", password=PASSWORD, driver_id=site.driver.driver_id
        )
    )
    return world.sign_in("dora@driver.example")


def test_a_charge_keeps_the_account_though_nothing_is_in_the_wallet(world: World) -> None:
    site = build_site(world, money=500)
    outcome = site.start(CARD)
    assert site.available() == 0, "all of it is held"
    token = as_dora(site)
    assert leave(world, token).body["code"] == "driver.charging"
    site.stop(outcome.transaction_id, 1000 + 2000)
    assert leave(world, token).body["code"] == "driver.wallet_not_empty"


def test_a_reservation_keeps_it_too(world: World) -> None:
    site = build_site(world, money=0)
    token = as_dora(site)
    reservation = world.commit(
        lambda uow: service.request_reservation(
            uow,
            reservation_id=world.ctx.new_id("res"),
            charger=site.charger,
            evse_no=1,
            id_token=app_token(site.driver.driver_id),
            until=world.clock.now() + timedelta(minutes=5),
            requested_by="test",
            driver_id=site.driver.driver_id,
        )
    )
    assert leave(world, token).body["code"] == "driver.reserved"
    assert lookup.find_reservation(world.ctx, reservation.reservation_id) is not None
    world.advance(301)
    assert leave(world, token).status == 204


def test_cards_go_back_to_the_drawer_or_are_forgotten(world: World) -> None:
    site = build_site(world, money=0)
    token = as_dora(site)
    assert world.rest.post("/v1/driver/id-tokens", {"id_token": "OWN-1"}, token=token).status == 201
    known = len(world.pending_events())
    assert leave(world, token).status == 204
    drawn = drivers.find_id_token(world.ctx, CARD, consistent=True)
    assert drawn is not None
    assert (drawn.driver_id, drawn.operator_id) == (None, site.operator.operator_id)
    for gone in ("OWN-1", app_token(site.driver.driver_id)):
        assert drivers.find_id_token(world.ctx, gone, consistent=True) is None
    changed = [event.payload for event in world.pending_events()[known:] if event.type == "id_tokens.changed"]
    assert {"operator_id": site.operator.operator_id} in changed
    assert {"driver_id": site.driver.driver_id} in changed
    assert drawn.verdict(site.operator.operator_id, world.clock.now()) == "invalid"


def test_a_past_charge_stays_and_names_nobody(world: World) -> None:
    site = build_site(world, money=70)
    token = as_dora(site)
    outcome = site.start(CARD)
    site.stop(outcome.transaction_id, 1000 + 2000)
    assert site.available() == 0
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    world.run_events()
    assert leave(world, token).status == 204
    cash = {"direction": "top_up", "amount": {"amount": 100, "currency": "EUR"}, "reason": "cash"}
    path = f"/v1/wallets/{site.driver.driver_id}/adjustments"
    late = world.rest.post(path, cash, token=site.operator.access_token, key="late-1")
    assert (late.status, late.body["code"]) == (409, "driver.deleted")
    [session] = site.sessions()
    assert (session.driver_id, session.cost) == (site.driver.driver_id, 70)
    path = f"/v1/drivers/{site.driver.driver_id}"
    shown = world.rest.get(path, token=site.operator.access_token).body
    assert (shown["full_name"], shown["email"]) == ("Deleted driver", "")
    for restore in (world.platform_admin(), site.operator.access_token):
        answer = world.rest.post(f"{path}/restore", token=restore)
        assert answer.body["code"] == "driver.deleted" if answer.status >= 400 else answer.status == 200
    assert drivers.require_driver(world.ctx, site.driver.driver_id).state == "inactive"


def test_the_address_may_sign_up_again_as_somebody_new(world: World, dora: str) -> None:
    token = world.sign_in("dora@driver.example")
    stale = sign_in(world, "dora@driver.example").body["refresh_token"]
    assert leave(world, token).status == 204
    world.advance(61)
    again = sign_up(world)
    assert again.status == 201, again.body
    assert again.body["driver_id"] != dora
    assert world.rest.get("/v1/driver/id-tokens", token=world.sign_in("dora@driver.example")).body["data"] == []
    assert world.rest.post("/v1/auth/refresh", {"refresh_token": stale}).status == 401


def test_a_sign_in_of_the_moment_of_leaving_opens_nobody_who_comes_after(world: World, dora: str) -> None:
    """It was opened while the account went, so that nothing ended it; the new login has the same address."""
    gone = identity.find_login(world.ctx, "dora@driver.example")
    assert gone is not None
    assert leave(world, world.sign_in("dora@driver.example")).status == 204
    late = world.commit(lambda uow: open_sign_in(uow, gone, Device()))
    world.advance(61)
    assert sign_up(world).status == 201
    refused = world.rest.post("/v1/auth/refresh", {"refresh_token": encode_refresh_token(world.ctx, late)})
    assert (refused.status, refused.body["code"]) == (401, "auth.refresh_invalid")


def test_who_works_for_an_organisation_keeps_that_sign_in(world: World, dora: str) -> None:
    operator = world.operator()
    made = world.rest.post(
        "/v1/users", {"email": "dora@driver.example", "full_name": "Dora"}, token=operator.access_token
    )
    assert made.status == 201, made.body
    token = world.sign_in("dora@driver.example")
    assert leave(world, token).status == 204
    again = world.sign_in("dora@driver.example")
    me = world.rest.get("/v1/me", token=again).body
    assert (me["user_id"], me["driver_id"]) == (made.body["user_id"], None)
    assert world.rest.get("/v1/driver/me", token=again).status == 403
    world.advance(61)
    assert sign_up(world).status == 201, "and may be a driver again"


def test_the_second_click_finds_nobody(world: World, dora: str) -> None:
    token = world.sign_in("dora@driver.example")
    assert leave(world, token).status == 204
    assert leave(world, token).status == 401
    erased = drivers.require_driver(world.ctx, dora)
    with pytest.raises(DomainError, match=r"driver\.deleted"):
        world.commit(lambda uow: erase_driver(uow, erased))


def test_nothing_brings_a_deleted_driver_back(world: World, dora: str) -> None:
    assert leave(world, world.sign_in("dora@driver.example")).status == 204
    erased = drivers.require_driver(world.ctx, dora)
    for change in (
        lambda uow: drivers.change_driver(uow, erased, {"full_name": "Dora"}),
        lambda uow: drivers.set_driver_state(uow, erased, "active", operator_id=None),
        lambda uow: drivers.add_card(uow, id_token="AA11", operator_id=None, driver=erased),
    ):
        with pytest.raises(DomainError, match=r"driver\.deleted"):
            world.commit(change)
    assert drivers.require_driver(world.ctx, dora) == erased


def test_as_many_cards_as_one_may_have_go_in_one_transaction(world: World) -> None:
    driver: Driver = add_driver(world)
    for number in range(MAX_CARDS):
        present = reread(world, driver)
        world.commit(
            lambda uow, n=number, d=present: drivers.add_card(uow, id_token=f"C{n}", operator_id=None, driver=d)
        )
    world.commit(
        lambda uow: identity.create_driver_login(
            uow, email="dora@driver.example", password=PASSWORD, driver_id=driver.driver_id
        )
    )
    for _ in range(31):
        token = world.sign_in("dora@driver.example")
    assert leave(world, token).status == 204
    assert reread(world, driver).id_tokens == []


def test_a_card_that_is_added_at_the_same_moment_is_not_left_behind(world: World) -> None:
    driver = add_driver(world)
    seen: list[int] = []

    def decide(uow: Any) -> None:
        known = reread(world, driver)
        if not seen:
            world.commit(lambda other: drivers.add_card(other, id_token="LATE", operator_id=None, driver=known))
        seen.append(len(known.id_tokens))
        erase_driver(uow, known)

    world.commit(decide)
    assert seen == [0, 1]
    assert drivers.find_id_token(world.ctx, "LATE", consistent=True) is None
