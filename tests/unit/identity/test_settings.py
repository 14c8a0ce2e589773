"""Settings: their defaults, what each of them changes, and who may set them."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from tests.site import Site
from tests.unit.identity.trees import planted
from tests.world import Operator, World

BRAND = {
    "display_name": "Volt ⚡ Kiel",
    "primary_color": "#00aa55",
    "support_email": "help@volt.example",
    "support_phone": "+49 431 1",
    "website": "https://volt.example",
}

EURO = {"currency": "EUR", "min_amount": 500, "max_amount": 5000}


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator("Volt & Söhne")


INVOICING = ("legal_name", "tax_number", "registration", "address", "city", "postal_code", "country", "prefix", "note")


def test_settings_have_defaults_and_are_replaced_as_a_whole(world: World, operator: Operator) -> None:
    token = operator.access_token
    assert world.rest.get("/v1/settings", token=token).body == {
        "brand": dict.fromkeys(BRAND),
        "regional": {"languages": []},
        "rounding": {"mode": "half_up", "step": 1},
        "payments": {"topup_limits": [], "min_balance_until_full": None},
        "invoicing": dict.fromkeys(INVOICING) | {"prefix": ""},
        "credit": {"limit": None},
        "guests": {"least": None, "hold": None, "most": None, "keep_days": 90},
    }
    assert world.rest.put("/v1/settings/brand", BRAND, token=token).body == BRAND
    assert world.rest.get("/v1/settings", token=token).body["brand"] == BRAND
    only = world.rest.put("/v1/settings/brand", {"website": "https://x.example"}, token=token).body
    assert only == {**dict.fromkeys(BRAND), "website": "https://x.example"}
    assert world.rest.get("/v1/settings/brand", token=token).body == only


def test_two_who_edit_at_once_do_not_overwrite_each_other(world: World, operator: Operator) -> None:
    token = operator.access_token
    etag = world.rest.get("/v1/settings/brand", token=token).headers["etag"]
    first = world.rest.put("/v1/settings/brand", BRAND, token=token, headers={"If-Match": etag})
    assert first.status == 200
    late = world.rest.put("/v1/settings/brand", {}, token=token, headers={"If-Match": etag})
    assert (late.status, late.body["code"]) == (412, "setting.changed")
    now = first.headers["etag"]
    assert world.rest.get("/v1/settings/brand", token=token).headers["etag"] == now
    assert world.rest.put("/v1/settings/brand", {}, token=token, headers={"If-Match": now}).status == 200


@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        ("brand", {"primary_color": "green"}, "/primary_color"),
        ("brand", {"primary_color": "#12345g"}, "/primary_color"),
        ("brand", {"website": "javascript:alert(1)"}, "/website"),
        ("brand", {"website": "http://volt.example"}, "/website"),
        ("brand", {"support_email": "help"}, "/support_email"),
        ("brand", {"display_name": ""}, "/display_name"),
        ("brand", {"colour": "#000000"}, "/colour"),
        ("regional", {"languages": ["de", "fr"]}, "/languages"),
        ("regional", {"languages": ["deutsch"]}, "/languages/0"),
        ("payments", {"topup_limits": [EURO, {**EURO, "min_amount": 0}]}, "/topup_limits/1/min_amount"),
        ("payments", {"topup_limits": [EURO, EURO]}, "/topup_limits/1/currency"),
        ("payments", {"topup_limits": [{**EURO, "currency": "XXX"}]}, "/topup_limits/0/currency"),
        ("payments", {"topup_limits": [{**EURO, "max_amount": 499}]}, "/topup_limits/0/max_amount"),
    ],
)
def test_settings_that_cannot_be(
    world: World, operator: Operator, name: str, body: dict[str, Any], pointer: str
) -> None:
    reply = world.rest.put(f"/v1/settings/{name}", body, token=operator.access_token)
    assert reply.status == 422, reply.body
    assert reply.body["errors"][0]["pointer"].replace("/*", "/0") == pointer


def test_everybody_sees_the_brand(world: World, operator: Operator) -> None:
    path = f"/v1/organizations/{operator.operator_id}/brand"
    plain = world.rest.get(path)
    assert (plain.status, plain.body["display_name"], plain.body["logo_url"]) == (200, "Volt & Söhne", None)
    world.rest.put("/v1/settings/brand", BRAND, token=operator.access_token)
    world.rest.put("/v1/settings/regional", {"languages": ["en", "de"]}, token=operator.access_token)
    shown = world.rest.get(path).body
    assert {name: shown[name] for name in BRAND} == BRAND
    assert (shown["language"], shown["languages"]) == ("en", ["de", "en"])
    assert "bank_account" not in shown
    assert world.rest.get("/v1/organizations/org_none/brand").status == 404


def test_a_language_that_is_not_offered_is_nobody_s(world: World, operator: Operator) -> None:
    token = operator.access_token
    world.rest.put("/v1/settings/regional", {"languages": ["de", "en", "en"]}, token=token)
    new = {"email": "bob@x.example", "full_name": "Bob", "language": "fr"}
    refused = world.rest.post("/v1/users", new, token=token)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/language")
    assert world.rest.post("/v1/users", {**new, "language": "de"}, token=token).status == 201
    path = f"/v1/organizations/{operator.operator_id}"
    assert world.rest.patch(path, {"language": "fr"}, token=token).status == 422
    assert world.rest.patch("/v1/me", {"language": "fr"}, token=token).status == 422
    assert world.rest.patch("/v1/me", {"language": "de"}, token=token).status == 200


def invited(world: World, operator: Operator, email: str) -> Any:
    world.rest.post("/v1/users", {"email": email, "full_name": "Bob"}, token=operator.access_token)
    world.run_events()
    (mail,) = world.mails(to=email)
    return mail


def test_mails_go_out_in_the_organisation_s_name(world: World, operator: Operator) -> None:
    plain = invited(world, operator, "bob@x.example")
    address = parseaddr(world.ctx.settings.mail_from)[1]
    assert parseaddr(plain.sender)[1] == address
    assert "-- " not in (plain.text or "")
    world.rest.put("/v1/settings/brand", BRAND, token=operator.access_token)
    branded = invited(world, operator, "cem@x.example")
    assert parseaddr(branded.sender)[1] == address, "only this address is known to the mail service"
    assert branded.sender != plain.sender
    assert branded.sender.isascii()
    for line in ("Volt ⚡ Kiel", "help@volt.example", "+49 431 1", "https://volt.example"):
        assert line in (branded.text or "")
        assert line in (branded.html or "")


def test_a_name_is_no_header(world: World, operator: Operator) -> None:
    name = "Volt\r\nBcc: eve@x.example"
    path = f"/v1/organizations/{operator.operator_id}"
    world.rest.patch(path, {"name": name}, token=operator.access_token)
    sender = invited(world, operator, "bob@x.example").sender
    assert "\n" not in sender
    assert "\r" not in sender


def test_those_above_set_them_for_those_below_and_others_do_not(world: World) -> None:
    tree = planted(world)
    query = {"organization_id": tree.operator.organization_id}
    assert world.rest.put("/v1/settings/brand", BRAND, token=tree.dealer.token, query=query).status == 200
    assert world.rest.get("/v1/settings/brand", token=tree.operator.token).body == BRAND
    assert world.rest.put("/v1/settings/brand", BRAND, token=tree.agency.token, query=query).status == 404
    assert world.rest.get("/v1/settings", token=world.operator().access_token, query=query).status == 404


def test_the_sender_of_an_organisation_without_a_brand_is_its_name(world: World, operator: Operator) -> None:
    sender = identity.mail_sender(world.ctx, operator.organization)
    assert sender == {"name": "Volt & Söhne", "reply_to": "", "footer": ""}


def put_in(world: World, site: Site, amount: int, currency: str = "EUR", direction: str = "top_up") -> Any:
    """At the operator's till, where the driver is known."""
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    body = {"direction": direction, "amount": {"amount": amount, "currency": currency}, "reason": "cash"}
    path = f"/v1/wallets/{site.driver.driver_id}/adjustments"
    return world.rest.post(path, body, token=site.operator.access_token, key=f"{amount}{currency}{direction}")


def pay_in(world: World, token: str, amount: int) -> Any:
    body = {"amount": {"amount": amount, "currency": "EUR"}}
    return world.rest.post("/v1/driver/topups", body, token=token, key=f"paying-{amount}")


def test_an_operator_says_what_a_charge_until_full_takes(world: World, site: Site) -> None:
    value = {"topup_limits": [], "min_balance_until_full": 1500}
    reply = world.rest.put("/v1/settings/payments", value, token=world.platform_admin())
    assert (reply.status, reply.body["code"]) == (422, "setting.not_for_kind")
    assert world.rest.put("/v1/settings/payments", value, token=site.operator.access_token).body == value
    assert world.rest.get("/v1/settings/payments", token=site.operator.access_token).body == value


def test_an_operator_bounds_what_its_people_take_in_cash(world: World, site: Site) -> None:
    limits = {"topup_limits": [EURO], "min_balance_until_full": None}
    assert world.rest.put("/v1/settings/payments", limits, token=site.operator.access_token).body == limits
    for amount in (499, 5001):
        refused = put_in(world, site, amount)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/amount/amount")
        assert "5.00 EUR to 50.00 EUR" in refused.body["detail"]
    for amount in (500, 5000):
        assert put_in(world, site, amount).status == 201
    francs = put_in(world, site, 1, "CHF")
    assert (francs.status, francs.body["code"]) == (422, "adjustment.currency"), "of francs it may owe nothing"
    assert put_in(world, site, 1, direction="deduct").status == 201, "taking out is not topping up"
    token = world.driver_token(site.driver.driver_id)
    assert pay_in(world, token, 499).status != 422, "what drivers pay in is the platform's"


def test_the_platform_bounds_what_drivers_pay_in(world: World, site: Site) -> None:
    limits = {"topup_limits": [EURO]}
    assert world.rest.put("/v1/settings/payments", limits, token=world.platform_admin()).status == 200
    token = world.driver_token(site.driver.driver_id)
    refused = pay_in(world, token, 499)
    assert (refused.status, refused.body["code"]) == (422, "wallet.amount_out_of_bounds")
    assert pay_in(world, token, 500).status != 422
    assert put_in(world, site, 499).status == 201, "its cash is the operator's"


def test_who_may_not_touch_prices_and_cash_does_not_by_settings(world: World) -> None:
    tree = planted(world)
    query = {"organization_id": tree.operator.organization_id}
    bodies = {
        "payments": {"topup_limits": [EURO]},
        "rounding": {"mode": "up"},
        "invoicing": {"tax_number": "X1"},
        "guests": {"hold": 4000},
    }
    for name, body in bodies.items():
        path = f"/v1/settings/{name}"
        before = world.rest.get(path, token=tree.operator.token).body
        for node in (tree.manufacturer, tree.dealer):
            assert world.rest.put(path, body, token=node.token, query=query).status == 403
        assert world.rest.get(path, token=tree.operator.token).body == before
        assert world.rest.put(path, body, token=tree.platform, query=query).status == 200


def test_a_setting_without_effect_is_not_made(world: World) -> None:
    tree = planted(world)
    for node in (tree.dealer, tree.agency):
        for name, body in (("payments", {"topup_limits": [EURO]}), ("rounding", {"step": 5})):
            reply = world.rest.put(f"/v1/settings/{name}", body, token=node.token)
            assert (reply.status, reply.body["code"]) == (422, "setting.not_for_kind")


def test_blanks_are_no_name_to_show(world: World, operator: Operator) -> None:
    blank = {"display_name": "  ", "support_phone": " \u200b  ", "website": None}
    body = world.rest.put("/v1/settings/brand", blank, token=operator.access_token).body
    assert body == dict.fromkeys(BRAND)
    named = world.rest.put("/v1/settings/brand", {"display_name": " Volt  Kiel "}, token=operator.access_token).body
    assert named["display_name"] == "Volt Kiel"
