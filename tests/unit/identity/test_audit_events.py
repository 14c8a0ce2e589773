"""Reading the audit log: by whom, in which order, and what of it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.model.audit import AuditFilter
from tests.unit.identity.narrowed import narrowed_token
from tests.world import Operator, Reply, World

HOME_IP = "198.51.100.7"


def add_region(world: World, operator: Operator, name: str, **options: Any) -> str:
    world.advance(1)
    body = {"name": name, "operator_id": operator.operator_id}
    reply = world.rest.post("/v1/regions", body, **({"token": operator.access_token} | options))
    assert reply.status == 201, reply.body
    return str(reply.body["region_id"])


def rename(world: World, token: str, region_id: str, name: str) -> None:
    world.advance(1)
    assert world.rest.patch(f"/v1/regions/{region_id}", {"name": name}, token=token).status == 200


def ask(world: World, token: str, **query: Any) -> Reply:
    return world.rest.get("/v1/audit-events", token=token, query=query)


def events(world: World, token: str, **query: Any) -> list[dict[str, Any]]:
    reply = ask(world, token, **query)
    assert reply.status == 200, reply.body
    return list(reply.body["data"])


def names(world: World, token: str, **query: Any) -> list[str]:
    return [event["after"]["name"] for event in events(world, token, **query)]


def below(world: World, parent: Organization | None, kind: str, email: str) -> tuple[Organization, str]:
    """An organisation below `parent` and the access token of its administrator."""
    new = identity.NewOrganization(
        name=f"A {kind}",
        email=email,
        currency="EUR",
        time_zone="UTC",
        language="en",
        kind=kind,
        admin=identity.NewUser(email=email, full_name=f"Admin of {kind}"),
    )
    organization, _ = world.commit(lambda uow: identity.create_organization(uow, new, parent))
    return organization, world.access_token(email)


def test_a_change_tells_who_what_when_and_from_where(world: World) -> None:
    operator = world.operator("Volt & Söhne")
    region_id = add_region(world, operator, "Kenya", source_ip=HOME_IP)
    [event] = events(world, operator.access_token)
    assert event["actor"] == {
        "kind": "person",
        "id": operator.user.user_id,
        "name": "Ada Admin",
        "organization_id": operator.operator_id,
        "organization_name": "Volt & Söhne",
    }
    assert (event["action"], event["object_type"], event["object_id"]) == ("create_region", "region", region_id)
    assert (event["before"], event["after"]["name"]) == ({}, "Kenya")
    assert (event["source_ip"], event["organization_id"]) == (HOME_IP, operator.operator_id)
    assert event["request_id"].startswith("request-")
    one = world.rest.get(f"/v1/audit-events/{event['audit_id']}", token=operator.access_token)
    assert one.body == event


def test_newest_first_in_pages(world: World) -> None:
    operator = world.operator()
    for name in "ABCDE":
        add_region(world, operator, name)
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = ask(world, operator.access_token, **query).body
        seen += [event["after"]["name"] for event in page["data"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (list("EDCBA"), None)


def test_the_history_of_one_object(world: World) -> None:
    operator = world.operator()
    token = operator.access_token
    kenya = add_region(world, operator, "Kenya")
    add_region(world, operator, "Uganda")
    rename(world, token, kenya, "Kenia")
    rename(world, token, kenya, "Kenya")
    assert names(world, token, object_type="region", object_id=kenya) == ["Kenya", "Kenia", "Kenya"]
    page = ask(world, token, object_type="region", object_id=kenya, limit=2).body
    rest = ask(world, token, object_type="region", object_id=kenya, limit=2, cursor=page["next_cursor"]).body
    assert [event["after"]["name"] for event in page["data"] + rest["data"]] == ["Kenya", "Kenia", "Kenya"]
    assert names(world, token, object_id=kenya, action="update_region") == ["Kenya", "Kenia"]
    assert names(world, token, object_type="tariff", object_id=kenya) == []
    assert ask(world, token, cursor=page["next_cursor"]).status == 400, "a cursor of another list"


def test_filters(world: World) -> None:
    operator = world.operator()
    token = operator.access_token
    kenya = add_region(world, operator, "Kenya")
    middle = world.clock.now()
    rename(world, token, kenya, "Kenia")
    at = middle.isoformat().replace("+00:00", "Z")
    assert names(world, token, date_to=at) == [], "the end is not included"
    assert names(world, token, date_from=at) == ["Kenia", "Kenya"], "the beginning is"
    assert names(world, token, date_from=at, date_to="2999-01-01T00:00:00Z", action="update_region") == ["Kenia"]
    assert names(world, token, actor_id=operator.user.user_id, object_type="region") == ["Kenia", "Kenya"]
    assert names(world, token, actor_id="usr_other") == []
    assert names(world, token, api_key_id="key_1") == []


@pytest.mark.parametrize(
    "query", [{"date_from": "2026-03-02"}, {"date_from": "0001-01-01T00:00:00Z"}, {"object_id": ""}, {"nobody": "x"}]
)
def test_bad_queries_say_where(world: World, query: dict[str, str]) -> None:
    reply = ask(world, world.operator().access_token, **query)
    assert reply.status in (400, 422)
    assert [error["pointer"] for error in reply.body["errors"]] == [f"/{name}" for name in query]


def test_everybody_reads_their_own_subtree(world: World) -> None:
    maker, maker_token = below(world, None, "manufacturer", "m@maker.example")
    dealer, dealer_token = below(world, maker, "dealer", "d@dealer.example")
    owner, owner_token = below(world, dealer, "operator", "o@owner.example")
    _, agency_token = below(world, owner, "agency", "a@agency.example")
    stranger = world.operator()
    reply = world.rest.post("/v1/regions", {"name": "Kenya"}, token=owner_token, source_ip=HOME_IP)
    assert reply.status == 201
    audit_id = events(world, owner_token)[0]["audit_id"]
    asked = {"organization_id": owner.organization_id}
    for token in (maker_token, dealer_token, owner_token, world.platform_admin()):
        assert names(world, token, **asked) == ["Kenya"]
        one = world.rest.get(f"/v1/audit-events/{audit_id}", token=token, query=asked)
        assert one.body["source_ip"] == HOME_IP
    for token in (agency_token, stranger.access_token):
        assert ask(world, token, **asked).status == 404
        assert events(world, token) == []
        assert world.rest.get(f"/v1/audit-events/{audit_id}", token=token).status == 404
        assert world.rest.get(f"/v1/audit-events/{audit_id}", token=token, query=asked).status == 404
    assert ask(world, owner_token, organization_id=dealer.organization_id).status == 404


def test_the_log_shows_those_above_no_more_than_the_lists_do(world: World) -> None:
    """A dealer may not see its operators' drivers, cards, prices and money: not in their log either."""
    maker, maker_token = below(world, None, "manufacturer", "m@maker.example")
    dealer, dealer_token = below(world, maker, "dealer", "d@dealer.example")
    owner, owner_token = below(world, dealer, "operator", "o@owner.example")
    driver = world.rest.post("/v1/drivers", {"email": "a@driver.example", "full_name": "Anna"}, token=owner_token)
    driver_id = driver.body["driver_id"]
    world.rest.post("/v1/id-tokens", {"id_token": "CARD1", "driver_id": driver_id}, token=owner_token)
    cash = {"direction": "top_up", "amount": {"amount": 500, "currency": "EUR"}, "reason": "cash"}
    path = f"/v1/wallets/{driver_id}/adjustments"
    assert world.rest.post(path, cash, token=owner_token, headers={"Idempotency-Key": "k"}).status == 201
    price = {"price_components": [{"type": "ENERGY", "price": "0.45"}]}
    tariff = {"name": "T", "currency": "EUR", "elements": [price]}
    assert world.rest.post("/v1/tariffs", tariff, token=owner_token).status == 201
    made = world.rest.post("/v1/charger-groups", {"name": "Fleet"}, token=owner_token)
    assert made.status == 201

    asked = {"organization_id": owner.organization_id}
    everything = {event["object_type"]: event["audit_id"] for event in events(world, owner_token)}
    assert everything.keys() == {"driver", "id_token", "wallet", "tariff", "charger_group"}
    assert len(events(world, world.platform_admin(), **asked)) == len(everything)
    for token in (maker_token, dealer_token):
        assert [event["object_type"] for event in events(world, token, **asked)] == ["charger_group"]
        assert events(world, token, object_type="driver", object_id=driver_id, **asked) == []
        one = world.rest.get(f"/v1/audit-events/{everything['driver']}", token=token, query=asked)
        assert one.status == 404


def test_what_those_above_do_is_in_both_logs_and_their_address_is_not_shown(world: World) -> None:
    operator, root = world.operator(), world.platform_admin()
    add_region(world, operator, "Kenya", token=root, source_ip=HOME_IP)
    [seen] = events(world, operator.access_token)
    assert (seen["actor"]["name"], seen["actor"]["organization_name"]) == ("Platform administrator", "Platform")
    assert seen["source_ip"] is None
    [kept] = events(world, root)
    assert (kept["audit_id"], kept["source_ip"]) == (seen["audit_id"], HOME_IP)


def test_who_is_narrowed_reads_what_they_did(world: World) -> None:
    operator = world.operator()
    coast = add_region(world, operator, "Coast")
    token = narrowed_token(world, operator, region_ids=[coast])
    [made] = events(world, operator.access_token, action="create_region")
    rename(world, token, coast, "Pwani")
    assert names(world, token) == ["Pwani"]
    assert world.rest.get(f"/v1/audit-events/{made['audit_id']}", token=token).status == 404
    assert len(events(world, operator.access_token)) == 2


def test_a_name_is_the_one_that_people_have_now(world: World) -> None:
    operator = world.operator()
    add_region(world, operator, "Kenya")
    world.rest.patch("/v1/me", {"full_name": "Ada Lovelace"}, token=operator.access_token)
    [made] = events(world, operator.access_token, action="create_region")
    assert made["actor"]["name"] == "Ada Lovelace"


def test_a_machine_is_called_by_its_key(world: World) -> None:
    operator = world.operator()
    body = {"name": "Till", "permissions": ["regions:write"]}
    api_key = world.rest.post("/v1/api-keys", body, token=operator.access_token).body
    add_region(world, operator, "Kenya", token=api_key["api_key"])
    [event] = events(world, operator.access_token, api_key_id=api_key["api_key_id"])
    assert event["actor"] == {
        "kind": "api_key",
        "id": api_key["api_key_id"],
        "name": "Till",
        "organization_id": operator.operator_id,
        "organization_name": operator.organization.name,
    }
    assert api_key["api_key"] not in str(events(world, operator.access_token))


def test_all_of_it_can_be_walked(world: World) -> None:
    operator = world.operator()
    for number in range(120):
        add_region(world, operator, f"R{number}")
    walked = [event for event, _ in identity.walk_audit_events(world.ctx, operator.operator_id, AuditFilter())]
    assert [event.after["name"] for event in walked] == [f"R{number}" for number in reversed(range(120))]
