"""Packages over REST: the owner's switch, the driver's choice, the bonus in the books; and who pays for it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.wallets import jobs as wallets_jobs
from tests.integration.money.conftest import StripeDesk
from tests.world import Operator, Reply, World

CONSUMERS = {
    "payment.succeeded": (wallets_jobs.on_payment_succeeded,),
    "payment.failed": (wallets_jobs.on_payment_failed,),
}
DAY = "2026-03-02"
PATH = "/v1/topup-packages"


def euro(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def operator(world: World) -> Operator:
    world.platform_admin()
    return world.operator("Nordstrom")


@pytest.fixture
def driver_id(world: World, operator: Operator) -> str:
    """A driver on the operator's list."""
    driver = Driver(world.ctx.new_id("drv"), "d@driver.example", "Dora", world.ctx.now())
    world.commit(lambda uow: drivers.create_driver(uow, driver))
    world.commit(lambda uow: drivers.link_operator(uow, operator.operator_id, driver.driver_id))
    return driver.driver_id


@pytest.fixture
def driver(world: World, driver_id: str) -> str:
    return world.driver_token(driver_id)


def make(world: World, token: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "Fifty", "amount": euro(5000), "bonus": euro(500), "state": "on", **fields}
    reply = world.rest.post(PATH, body, token=token)
    assert reply.status == 201, reply.body
    made: dict[str, Any] = reply.body
    return made


def offers(world: World, driver: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = world.rest.get("/v1/driver/topup-packages", token=driver).body["data"]
    return data


def choose(world: World, driver: str, package_id: str, key: str = "k1") -> Reply:
    return world.rest.post("/v1/driver/topups", {"package_id": package_id}, token=driver, key=key)


def balance(world: World, driver: str) -> int:
    (euros,) = world.rest.get("/v1/driver/wallet", token=driver).body["balances"]
    return int(euros["amount"])


def settle_events(world: World) -> None:
    world.run_events(CONSUMERS)
    assert proving.prove_ledger(world.ctx).faults == []


def test_a_package_is_offered_while_it_is_on(world: World, operator: Operator, driver: str) -> None:
    token = operator.access_token
    package = make(world, token, state="off")
    assert offers(world, driver) == []
    path = f"{PATH}/{package['package_id']}"
    assert world.rest.patch(path, {"state": "on"}, token=token).body["state"] == "on"
    assert offers(world, driver) == [
        {
            "package_id": package["package_id"],
            "name": "Fifty",
            "amount": euro(5000),
            "bonus": euro(500),
            "credited": euro(5500),
            "offered_by": "Nordstrom",
        }
    ]
    world.rest.patch(path, {"state": "off"}, token=token)
    assert offers(world, driver) == []
    refused = choose(world, driver, package["package_id"])
    assert (refused.status, refused.body["code"]) == (409, "topup_package.off")


def test_the_bonus_of_an_operators_package_is_owed_by_the_operator(
    world: World, desk: StripeDesk, operator: Operator, driver: str, driver_id: str
) -> None:
    package = make(world, operator.access_token)
    status, topup = choose(world, driver, package["package_id"])
    assert (status, topup["amount"], topup["bonus"], topup["package"]) == (201, euro(5000), euro(500), "Fifty")
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    assert balance(world, driver) == 5500
    (line,) = world.rest.get("/v1/driver/wallet/transactions", token=driver).body["data"]
    assert (line["label"], line["amount"], line["bonus"], line["package"]) == (
        "Top-up",
        euro(5500),
        euro(500),
        "Fifty",
    )
    promotion = f"promotion:{operator.operator_id}:EUR"
    assert ledger.total_of_period(world.ctx, promotion, DAY).amount == -500
    for token in (operator.access_token, world.platform_admin()):
        (record,) = world.rest.get("/v1/topups", token=token).body["data"]
        assert (record["amount"], record["bonus"], record["package_id"], record["driver_id"]) == (
            euro(5000),
            euro(500),
            package["package_id"],
            driver_id,
        )
    assert world.rest.get("/v1/topups", token=world.operator().access_token).body["data"] == []


def test_the_bonus_comes_once_however_often_it_is_told(world: World, desk: StripeDesk, driver: str) -> None:
    package = make(world, world.platform_admin())
    topup = choose(world, driver, package["package_id"]).body
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    for body, headers in desk.deliveries * 3:
        assert desk.post_event(body, headers) == 200
    settle_events(world)
    world._sequence = 0  # the outbox delivers everything once more
    settle_events(world)
    assert balance(world, driver) == 5500
    records = world.rest.get("/v1/topups", token=world.platform_admin()).body["data"]
    assert [record["bonus"] for record in records] == [euro(500)]


@pytest.mark.parametrize("what", ["switched off", "changed", "deleted"])
def test_who_paid_gets_what_was_chosen(
    world: World, desk: StripeDesk, operator: Operator, driver: str, what: str
) -> None:
    token = operator.access_token
    package = make(world, token)
    topup = choose(world, driver, package["package_id"]).body
    path = f"{PATH}/{package['package_id']}"
    if what == "deleted":
        assert world.rest.delete(path, token=token).status == 204
    else:
        body = {"state": "off"} if what == "switched off" else {"bonus": None, "amount": euro(100)}
        assert world.rest.patch(path, body, token=token).status == 200
    assert choose(world, driver, package["package_id"]).body == topup, "the same request again is answered as before"
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    assert balance(world, driver) == 5500


def test_a_try_that_the_provider_did_not_answer_goes_on_with_what_it_froze(
    world: World, desk: StripeDesk, operator: Operator, driver: str
) -> None:
    package = make(world, operator.access_token)
    desk.break_next(work_done=False)
    assert choose(world, driver, package["package_id"]).status == 503
    path = f"{PATH}/{package['package_id']}"
    world.rest.patch(path, {"state": "off"}, token=operator.access_token)
    again = choose(world, driver, package["package_id"])
    assert (again.status, again.body["bonus"]) == (201, euro(500))


def test_an_amount_or_a_package(world: World, desk: StripeDesk, driver: str) -> None:
    package = make(world, world.platform_admin())
    for body in ({}, {"amount": euro(100), "package_id": package["package_id"]}):
        refused = world.rest.post("/v1/driver/topups", body, token=driver, key="k1")
        assert (refused.status, refused.body["code"]) == (422, "topup.amount_or_package")
    refused = choose(world, driver, "tpk_unknown", "k2")
    assert (refused.status, refused.body["code"]) == (404, "topup_package.not_found")


def test_a_package_of_an_operator_that_the_driver_does_not_know_is_not_there(
    world: World, desk: StripeDesk, driver: str
) -> None:
    package = make(world, world.operator().access_token)
    assert offers(world, driver) == []
    assert choose(world, driver, package["package_id"]).status == 404


def test_the_platforms_bounds_are_those_of_packages_too(world: World, operator: Operator) -> None:
    limits = {"topup_limits": [{"currency": "EUR", "min_amount": 1000, "max_amount": 4000}]}
    world.rest.put("/v1/settings/payments", limits, token=world.platform_admin())
    body = {"name": "Fifty", "amount": euro(5000)}
    refused = world.rest.post(PATH, body, token=operator.access_token)
    assert (refused.status, refused.body["code"]) == (422, "wallet.amount_out_of_bounds")


def test_an_edit_names_what_was_read(world: World, operator: Operator) -> None:
    token = operator.access_token
    package = make(world, token)
    path = f"{PATH}/{package['package_id']}"
    etag = world.rest.get(path, token=token).headers["etag"]
    named = {"If-Match": etag}
    assert world.rest.patch(path, {"name": "One"}, token=token, headers=named).status == 200
    stale = world.rest.patch(path, {"name": "Two"}, token=token, headers=named)
    assert (stale.status, stale.body["code"]) == (412, "topup_package.changed")
    assert world.rest.get(path, token=token).body["name"] == "One"


def test_a_deleted_package_comes_back_off(world: World, operator: Operator, driver: str) -> None:
    token = operator.access_token
    package = make(world, token)
    path = f"{PATH}/{package['package_id']}"
    for _ in range(2):
        assert world.rest.delete(path, token=token).status == 204
    listed = world.rest.get(PATH, token=token).body["data"]
    gone = world.rest.get(PATH, token=token, query={"state": "deleted"}).body["data"]
    assert (listed, [each["package_id"] for each in gone]) == ([], [package["package_id"]])
    for _ in range(2):
        assert world.rest.post(f"{path}/restore", token=token).body["state"] == "off"
    assert offers(world, driver) == []


def test_packages_are_their_owners(world: World, operator: Operator) -> None:
    root, token = world.platform_admin(), operator.access_token
    own, platforms = make(world, token), make(world, root)
    assert (own["operator_id"], platforms["operator_id"]) == (operator.operator_id, None)
    stranger = world.operator().access_token
    for who, package, status in ((stranger, own, 404), (token, platforms, 404), (root, own, 200)):
        path = f"{PATH}/{package['package_id']}"
        assert world.rest.get(path, token=who).status == status
        assert world.rest.patch(path, {"name": "Mine"}, token=who).status == status
    assert [each["package_id"] for each in world.rest.get(PATH, token=root).body["data"]] == [platforms["package_id"]]
    query = {"operator_id": operator.operator_id}
    assert len(world.rest.get(PATH, token=root, query=query).body["data"]) == 1
    assert world.rest.get(PATH, token=stranger, query=query).status == 404
