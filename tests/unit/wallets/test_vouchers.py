"""Vouchers from the counter into a wallet, over REST: what operators make, and what drivers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model.vouchers import BATCH_LIFECYCLE, MAX_TRIES, parse_voucher_id
from tests.world import Operator, Reply, World, table_definitions

VALID_UNTIL = "2026-12-31T23:00:00Z"
DAY = "2026-03-02"


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


class Shop:
    """An operator that sells vouchers, and two drivers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = world.platform_admin()
        self.operator: Operator = world.operator()
        self.drivers = [self._add_driver(name) for name in ("dana", "dora")]
        self.count = 0

    def _add_driver(self, name: str) -> Driver:
        driver = Driver(self.world.ctx.new_id("drv"), f"{name}@driver.example", name, self.world.ctx.now())
        self.world.commit(lambda uow: drivers.create_driver(uow, driver))
        self.world.driver_token(driver.driver_id)
        return driver

    def token_of(self, driver: Driver) -> str:
        return self.world.access_token(f"{driver.driver_id.lower()}@driver.example")

    def post(self, path: str, body: Any = None, token: str | None = None, key: str | None = None) -> Reply:
        self.world.advance(1)
        self.count += 1
        sent = token or self.world.access_token(self.operator.user.email)
        return self.world.rest.post(path, body, token=sent, key=key or f"key-{self.count}")

    def get(self, path: str, token: str | None = None, **query: Any) -> Any:
        sent = token or self.world.access_token(self.operator.user.email)
        reply = self.world.rest.get(path, token=sent, query=query)
        assert reply.status == 200, reply.body
        return reply.body

    def make(self, *, count: int = 3, amount: int = 2000, token: str | None = None, **fields: Any) -> str:
        body = {"name": "Kiosk", "face_value": eur(amount), "count": count, "valid_until": VALID_UNTIL, **fields}
        reply = self.post("/v1/voucher-batches", body, token)
        assert reply.status == 201, reply.body
        return str(reply.body["voucher_batch_id"])

    def codes(self, batch_id: str, token: str | None = None) -> list[str]:
        reply = self.post(f"/v1/voucher-batches/{batch_id}/codes", token=token)
        assert reply.status == 200, reply.body
        return [voucher["code"] for voucher in reply.body["data"]]

    def activate(self, batch_id: str) -> Reply:
        return self.post(f"/v1/voucher-batches/{batch_id}/activate")

    def active(self, **fields: Any) -> tuple[str, list[str]]:
        batch_id = self.make(**fields)
        assert self.activate(batch_id).status == 200
        return batch_id, self.codes(batch_id)

    def redeem(self, code: str, driver_no: int = 0, key: str | None = None) -> Reply:
        token = self.token_of(self.drivers[driver_no])
        return self.post("/v1/driver/voucher-redemptions", {"code": code}, token, key)

    def batch(self, batch_id: str) -> Any:
        return self.get(f"/v1/voucher-batches/{batch_id}")

    def balance(self, driver_no: int = 0) -> int:
        return wallets.available(self.world.ctx, self.drivers[driver_no].driver_id, "EUR").amount


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_a_voucher_becomes_money_and_its_seller_owes_it(shop: Shop) -> None:
    batch_id, codes = shop.active()
    reply = shop.redeem(codes[1].lower())
    assert reply.status == 201, reply.body
    assert (reply.body["voucher_id"], reply.body["amount"]) == (f"{batch_id}-0002", eur(2000))
    assert shop.balance() == 2000
    cash = f"cash:{shop.operator.operator_id}:EUR"
    assert ledger.total_of_period(shop.world.ctx, cash, DAY).amount == -2000
    view = shop.batch(batch_id)
    assert (view["state"], view["redeemed"], view["voided"], view["outstanding"]) == ("active", 1, 0, 2)
    assert (view["redeemed_amount"], view["outstanding_amount"]) == (eur(2000), eur(4000))
    assert proving.prove_ledger(shop.world.ctx).faults == []


def test_the_driver_reads_it_as_a_voucher_that_came_in(shop: Shop) -> None:
    batch_id, codes = shop.active()
    shop.redeem(codes[0])
    token = shop.token_of(shop.drivers[0])
    for query in ({}, {"event_type": "voucher"}, {"event_type": "top_up"}, {"type": "income"}):
        (line,) = shop.get("/v1/driver/wallet/transactions", token, **query)["data"]
        assert (line["event_type"], line["label"], line["amount"]) == ("voucher", "Voucher", eur(2000))
        assert (line["voucher_id"], line["reason"]) == (f"{batch_id}-0001", "Kiosk")


def test_the_records_of_topups_list_it_for_its_seller_and_the_platform(shop: Shop) -> None:
    batch_id, codes = shop.active()
    shop.redeem(codes[0])
    for token in (None, shop.root):
        (record,) = shop.get("/v1/topups", token, source="voucher")["data"]
        assert (record["voucher_id"], record["amount"], record["entered_by"]) == (f"{batch_id}-0001", eur(2000), None)
        assert record["operator_id"] == shop.operator.operator_id
    (line,) = shop.get("/v1/wallet-transactions", state="voucher", date_from=DAY, date_to=DAY)["data"]
    assert (line["type"], line["amount"], line["driver_id"]) == ("income", eur(2000), shop.drivers[0].driver_id)


def test_who_redeems_an_operators_voucher_is_its_customer(shop: Shop) -> None:
    _, codes = shop.active()
    driver_id = shop.drivers[0].driver_id
    assert not drivers.is_linked(shop.world.ctx, shop.operator.operator_id, driver_id)
    shop.redeem(codes[0])
    assert drivers.is_linked(shop.world.ctx, shop.operator.operator_id, driver_id)


def test_a_second_click_is_answered_as_the_first_and_pays_nothing(shop: Shop) -> None:
    _, codes = shop.active()
    first = shop.redeem(codes[0])
    assert shop.redeem(codes[0]).body == first.body
    refused = shop.redeem(codes[0], driver_no=1)
    assert (refused.status, refused.body["code"]) == (409, "voucher.redeemed")
    assert (shop.balance(0), shop.balance(1)) == (2000, 0)


def test_the_codes_can_be_listed_again_and_each_time_is_kept(shop: Shop) -> None:
    batch_id = shop.make()
    assert shop.codes(batch_id) == shop.codes(batch_id)
    assert shop.batch(batch_id)["codes_listed"] == 2
    events = shop.get("/v1/audit-events", action="list_voucher_codes")["data"]
    assert [event["object_id"] for event in events] == [batch_id, batch_id]


def test_codes_are_for_those_whose_vouchers_they_are(shop: Shop) -> None:
    """Not even for the platform: who has a code has the money."""
    batch_id, codes = shop.active()
    assert shop.post(f"/v1/voucher-batches/{batch_id}/codes", token=shop.root).status == 403
    assert shop.get(f"/v1/voucher-batches/{batch_id}", shop.root)["count"] == 3
    tables = [definition["TableName"] for definition in table_definitions()]
    stored = str([shop.world.engine.execute("Scan", {"TableName": name}) for name in tables])
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


def test_vouchers_are_listed_with_what_became_of_them(shop: Shop) -> None:
    batch_id, codes = shop.active()
    path = f"/v1/voucher-batches/{batch_id}/vouchers"
    shop.redeem(codes[0])
    shop.post(f"/v1/vouchers/{batch_id}-0003/void", {"reason": "lost"})
    shown = shop.get(path)["data"]
    assert [(one["state"], one["ends_with"]) for one in shown] == [
        ("redeemed", codes[0][-4:]),
        ("active", codes[1][-4:]),
        ("void", codes[2][-4:]),
    ]
    assert (shown[0]["driver_id"], shown[2]["reason"]) == (shop.drivers[0].driver_id, "lost")
    first = shop.get(path, limit=2)
    assert [one["voucher_id"] for one in first["data"]] == [f"{batch_id}-0001", f"{batch_id}-0002"]
    rest = shop.get(path, limit=2, cursor=first["next_cursor"])
    assert ([one["voucher_id"] for one in rest["data"]], rest["has_more"]) == ([f"{batch_id}-0003"], False)
    assert [one["voucher_id"] for one in shop.get(path, state="active")["data"]] == [f"{batch_id}-0002"]


# -- what is not redeemed ---------------------------------------------------------------------------------------------


def refused_code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["code"]


def test_a_draft_is_not_redeemed(shop: Shop) -> None:
    codes = shop.codes(shop.make())
    assert refused_code(shop.redeem(codes[0])) == (409, "voucher.not_active")
    assert shop.balance() == 0


def test_a_blocked_batch_is_not_redeemed_until_it_is_active_again(shop: Shop) -> None:
    batch_id, codes = shop.active()
    assert shop.post(f"/v1/voucher-batches/{batch_id}/block").body["state"] == "blocked"
    assert refused_code(shop.redeem(codes[0])) == (409, "voucher.blocked")
    assert shop.activate(batch_id).body["state"] == "active"
    assert shop.redeem(codes[0]).status == 201


def test_a_void_voucher_is_not_redeemed_and_a_redeemed_one_not_voided(shop: Shop) -> None:
    batch_id, codes = shop.active()
    path = f"/v1/vouchers/{batch_id}-0001/void"
    assert shop.post(path, {"reason": "stolen"}).body["state"] == "void"
    assert shop.post(path, {"reason": "again"}).body["reason"] == "stolen"
    assert refused_code(shop.redeem(codes[0])) == (409, "voucher.void")
    shop.redeem(codes[1])
    assert refused_code(shop.post(f"/v1/vouchers/{batch_id}-0002/void", {"reason": "no"})) == (409, "voucher.redeemed")
    view = shop.batch(batch_id)
    assert (view["redeemed"], view["voided"], view["outstanding"]) == (1, 1, 1)


def test_an_expired_voucher_is_not_redeemed(shop: Shop) -> None:
    until = shop.world.ctx.now() + timedelta(days=30)
    batch_id, codes = shop.active(valid_until=until.isoformat())
    shop.world.clock.advance((until - shop.world.ctx.now()).total_seconds() - 1.5)
    assert shop.redeem(codes[0]).status == 201  # half a second before
    assert refused_code(shop.redeem(codes[1])) == (409, "voucher.expired")
    assert shop.batch(batch_id)["state"] == "expired"
    assert shop.post(f"/v1/voucher-batches/{batch_id}/block").status == 200
    assert refused_code(shop.activate(batch_id)) == (409, "voucher_batch.over")


def test_wrong_codes_are_all_answered_alike(shop: Shop) -> None:
    """Mistyped, made up with a right check character, or nothing at all."""
    _, codes = shop.active()
    mistyped = codes[0][:-1] + ("0" if codes[0][-1] != "0" else "1")
    made_up = "0000-0000-0000-0000"
    replies = [shop.redeem(code) for code in (mistyped, made_up, "hello")]
    assert {refused_code(reply) for reply in replies} == {(422, "voucher.code_invalid")}
    assert len({str(reply.body["detail"]) for reply in replies}) == 1


def test_who_guesses_is_stopped_and_who_mistypes_is_not(shop: Shop) -> None:
    _, codes = shop.active()
    for _ in range(MAX_TRIES + 5):
        assert shop.redeem("hello").status == 422
    for _ in range(MAX_TRIES):
        assert shop.redeem("0000-0000-0000-0000").status == 422
    assert refused_code(shop.redeem("0000-0000-0000-0000")) == (429, "auth.too_many_attempts")
    assert shop.redeem(codes[0]).status == 429
    assert shop.redeem(codes[0], driver_no=1).status == 201


def test_a_right_code_forgets_the_wrong_ones(shop: Shop) -> None:
    _, codes = shop.active(count=5)
    for code in codes[:4]:
        for _ in range(MAX_TRIES - 1):
            assert shop.redeem("0000-0000-0000-0000").status == 422
        assert shop.redeem(code).status == 201


def test_an_address_that_guesses_is_stopped_whoever_it_says_it_is(shop: Shop) -> None:
    _, codes = shop.active()
    for number in range(5):
        guesser = shop._add_driver(f"guesser{number}")
        token = shop.token_of(guesser)
        for _ in range(MAX_TRIES):
            shop.post("/v1/driver/voucher-redemptions", {"code": "0000-0000-0000-0000"}, token)
    assert shop.redeem(codes[0]).status == 429


# -- what operators may do --------------------------------------------------------------------------------------------


def test_at_the_counter_one_redeems_ones_own_vouchers(shop: Shop) -> None:
    batch_id, codes = shop.active()
    other = shop.world.operator("Somebody else")
    driver_id = shop.drivers[0].driver_id
    shop.world.commit(lambda uow: drivers.link_operator(uow, shop.operator.operator_id, driver_id))
    shop.world.commit(lambda uow: drivers.link_operator(uow, other.operator_id, driver_id))
    path = f"/v1/wallets/{driver_id}/voucher-redemptions"
    assert refused_code(shop.post(path, {"code": codes[0]}, other.access_token)) == (422, "voucher.code_invalid")
    reply = shop.post(path, {"code": codes[0]})
    assert (reply.status, reply.body["amount"]) == (201, eur(2000))
    (record,) = shop.get("/v1/topups")["data"]
    assert record["entered_by"] == shop.operator.user.user_id
    assert shop.get(f"/v1/voucher-batches/{batch_id}/vouchers")["data"][0]["used_by"] == shop.operator.user.user_id
    assert shop.redeem(codes[0]).status == 201  # the driver's own click finds it done
    assert shop.balance() == 2000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"face_value": {"amount": 2000, "currency": "USD"}}, "voucher_batch.currency"),
        ({"face_value": eur(0)}, "wallet.amount_invalid"),
        ({"valid_until": "2026-03-01T00:00:00Z"}, "voucher_batch.valid_until"),
        ({"valid_until": "2046-03-01T00:00:00Z"}, "voucher_batch.valid_until"),
        ({"count": 0}, "request_body.invalid"),
        ({"count": 5001}, "request_body.invalid"),
    ],
)
def test_what_is_no_batch_is_refused(shop: Shop, fields: dict[str, Any], code: str) -> None:
    body = {"name": "Kiosk", "face_value": eur(2000), "count": 3, "valid_until": VALID_UNTIL, **fields}
    reply = shop.post("/v1/voucher-batches", body)
    assert (reply.status, reply.body["code"]) == (422, code)
    assert shop.get("/v1/voucher-batches")["data"] == []


def test_five_thousand_vouchers_are_made_at_once(shop: Shop) -> None:
    batch_id = shop.make(count=5000, amount=1)
    codes = shop.codes(batch_id)
    assert len(set(codes)) == 5000
    shop.activate(batch_id)
    assert shop.redeem(codes[4999]).body["voucher_id"] == f"{batch_id}-5000"


def test_the_platform_sells_vouchers_of_its_own(shop: Shop) -> None:
    batch_id = shop.make(token=shop.root)
    assert shop.get(f"/v1/voucher-batches/{batch_id}", shop.root)["operator_id"] is None
    code = shop.codes(batch_id, shop.root)[0]
    shop.post(f"/v1/voucher-batches/{batch_id}/activate", token=shop.root)
    assert shop.redeem(code).status == 201
    assert shop.world.rest.get(f"/v1/voucher-batches/{batch_id}", token=shop.operator.access_token).status in (401, 404)


# -- what an operator may owe -----------------------------------------------------------------------------------------


def put_limit(shop: Shop, limit: int) -> None:
    query = {"organization_id": shop.operator.operator_id}
    reply = shop.world.rest.put("/v1/settings/credit", {"limit": limit}, token=shop.root, query=query)
    assert reply.status == 200, reply.body


def test_no_more_is_handed_out_than_the_operator_may_owe(shop: Shop) -> None:
    put_limit(shop, 10_000)
    first, second = shop.make(count=3), shop.make(count=3)
    assert shop.activate(first).status == 200
    assert refused_code(shop.activate(second)) == (409, "operator.credit_exhausted")
    shop.post(f"/v1/vouchers/{first}-0001/void", {"reason": "lost"})
    assert shop.activate(second).status == 200


def test_a_driver_whose_voucher_is_not_covered_loses_nothing(shop: Shop) -> None:
    _, codes = shop.active()
    put_limit(shop, 1_999)
    assert refused_code(shop.redeem(codes[0])) == (409, "voucher.not_covered")
    put_limit(shop, 2_000)
    assert shop.redeem(codes[0]).status == 201
    assert refused_code(shop.redeem(codes[1])) == (409, "voucher.not_covered")
    assert shop.balance() == 2000


# -- the key ----------------------------------------------------------------------------------------------------------


def test_cards_that_were_sold_stay_good_when_the_key_is_changed(shop: Shop) -> None:
    old_batch, old_codes = shop.active()
    secrets = shop.world.ctx._secrets
    former = secrets["voucher-key"]
    secrets["voucher-key"] = f"a-new-key {former}"
    assert shop.redeem(old_codes[0]).status == 201
    assert shop.codes(old_batch) == old_codes
    _, codes = shop.active()
    assert shop.redeem(codes[0]).status == 201
    secrets["voucher-key"] = "a-new-key"  # the old one has leaked: its cards are worth nothing
    assert refused_code(shop.redeem(old_codes[1])) == (422, "voucher.code_invalid")
    assert refused_code(shop.post(f"/v1/voucher-batches/{old_batch}/codes")) == (409, "voucher_batch.key_gone")
    assert shop.get(f"/v1/voucher-batches/{old_batch}/vouchers")["data"][0]["ends_with"] is None
    assert shop.redeem(codes[1]).status == 201


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(BATCH_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(BATCH_LIFECYCLE.events))
def test_every_state_takes_what_it_takes(state: Any, event: str) -> None:
    expected = {("draft", "activate"), ("draft", "block"), ("active", "block"), ("blocked", "activate")}
    assert BATCH_LIFECYCLE.allows(state, event) == ((state, event) in expected)


@pytest.mark.parametrize("text", ["", "vcb_1", "vcb_1-1", "vcb_1-0000", "-0001", "vcb_1-00١1", "vcb_1-00001"])
def test_what_is_no_vouchers_id_names_none(text: str) -> None:
    assert parse_voucher_id(text) is None


def test_a_vouchers_id_names_batch_and_number(shop: Shop) -> None:
    assert parse_voucher_id("vcb_1-0017") == ("vcb_1", 17)
    batch_id, _ = shop.active()
    assert shop.post(f"/v1/vouchers/{batch_id}-0004/void", {"reason": "no"}).status == 404
