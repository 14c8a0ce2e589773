"""The tree of organisations: each level opens and manages what is below it, and sees nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.identity.trees import Tree, opened, planted
from tests.world import World

RIGHTS_AGE_S = 31
PLACE = {"currency": "EUR", "time_zone": "Europe/Berlin"}


@pytest.fixture
def tree(world: World) -> Tree:
    return planted(world)


def test_each_level_opens_the_one_below(world: World, tree: Tree) -> None:
    kinds = {}
    for kind, node in tree.nodes.items():
        view = world.rest.get(f"/v1/organizations/{node.organization_id}", token=tree.platform).body
        kinds[kind] = view["kind"]
        assert world.rest.get("/v1/me", token=node.token).body["organization"]["kind"] == kind
    assert kinds == {kind: kind for kind in tree.nodes}
    agency = world.rest.get(f"/v1/organizations/{tree.agency.organization_id}", token=tree.agency.token).body
    assert agency["parent_id"] == tree.operator.organization_id
    assert (agency["currency"], agency["time_zone"]) == ("EUR", "Europe/Berlin")


def test_everybody_sees_their_own_subtree_and_nothing_else(world: World, tree: Tree) -> None:
    other = planted(world, "other-")
    kinds = list(tree.nodes)
    for asking, node in tree.nodes.items():
        for asked, found in tree.nodes.items():
            reply = world.rest.get(f"/v1/organizations/{found.organization_id}", token=node.token)
            assert reply.status == (200 if kinds.index(asked) >= kinds.index(asking) else 404), (asking, asked)
        for found in other.nodes.values():
            path = f"/v1/organizations/{found.organization_id}"
            assert world.rest.get(path, token=node.token).status == 404
            assert world.rest.patch(path, {"name": "Mine"}, token=node.token).status == 404
            assert world.rest.delete(path, token=node.token).status == 404
            assert world.rest.get("/v1/users", query={"organization_id": found.organization_id},
                                  token=node.token).status == 404  # fmt: skip


def test_a_list_is_one_level_below(world: World, tree: Tree) -> None:
    def listed(token: str, **query: str) -> list[str]:
        return [o["kind"] for o in world.rest.get("/v1/organizations", token=token, query=query).body["data"]]

    assert listed(tree.platform) == ["manufacturer"]
    assert listed(tree.manufacturer.token) == ["dealer"]
    assert listed(tree.manufacturer.token, parent_id=tree.dealer.organization_id) == ["operator"]
    assert listed(tree.manufacturer.token, parent_id=tree.operator.organization_id) == ["agency"]
    assert listed(tree.agency.token) == []
    above = world.rest.get("/v1/organizations", token=tree.dealer.token,
                           query={"parent_id": tree.manufacturer.organization_id})  # fmt: skip
    assert above.status == 404


def test_a_list_is_filtered(world: World, tree: Tree) -> None:
    second = opened(world, tree.dealer.token, "zwei", phone="+49 30 4711", **PLACE)
    world.rest.delete(f"/v1/organizations/{second.organization_id}", token=tree.dealer.token)

    def found(**query: str) -> list[str]:
        data = world.rest.get("/v1/organizations", token=tree.dealer.token, query=query).body["data"]
        return [o["name"] for o in data]

    assert found(q="ZWEI 4711") == ["zwei"]
    assert found(q="zwei 0815") == []
    assert found(state="active") == ["operator"]
    assert found(state="inactive") == ["zwei"]
    assert found(kind="agency") == []


@pytest.mark.parametrize(
    ("by", "fields", "pointer"),
    [
        ("operator", {"kind": "operator", **PLACE}, "/kind"),
        ("operator", {"kind": "dealer", **PLACE}, "/kind"),
        ("dealer", {"kind": "agency"}, "/kind"),
        ("dealer", {"kind": "manufacturer", **PLACE}, "/kind"),
        ("manufacturer", {"kind": "operator", **PLACE}, "/kind"),
        ("operator", {"currency": "USD"}, "/currency"),
        ("dealer", {"time_zone": "Europe/Berlin"}, "/currency"),
        ("dealer", {"currency": "EUR"}, "/time_zone"),
        ("operator", {"admin": {"email": "x@y.example", "full_name": "X", "user_name": "a b c"}}, "/admin/user_name"),
        ("operator", {"bank_account": {"holder": "X", "number": "DE00370400440532013000"}}, "/bank_account/number"),
        ("operator", {"bank_account": {"holder": " ", "number": "12345"}}, "/bank_account/holder"),
        ("operator", {"name": "  "}, "/name"),
    ],
)  # fmt: skip
def test_what_does_not_fit_there_is_refused(
    world: World, tree: Tree, by: str, fields: dict[str, Any], pointer: str
) -> None:
    new = {"name": "New", "email": "new@tree.example", "admin": {"email": "new@tree.example", "full_name": "N"}}
    reply = world.rest.post("/v1/organizations", {**new, **fields}, token=tree.nodes[by].token)
    assert reply.status == 422, reply.body
    assert [error["pointer"] for error in reply.body["errors"]] == [pointer]


def test_an_agency_opens_nothing_and_nobody_opens_beside_or_above(world: World, tree: Tree) -> None:
    new = {"name": "New", "email": "new@tree.example", "admin": {"email": "new@tree.example", "full_name": "N"}}
    assert world.rest.post("/v1/organizations", new, token=tree.agency.token).status == 403
    for parent in (tree.dealer, tree.manufacturer):
        body = {**new, "parent_id": parent.organization_id, **PLACE}
        assert world.rest.post("/v1/organizations", body, token=tree.operator.token).status == 404
    below = {**new, "parent_id": tree.operator.organization_id}
    assert world.rest.post("/v1/organizations", below, token=tree.manufacturer.token).body["kind"] == "agency"


def may_work(world: World, token: str) -> bool:
    return world.rest.get("/v1/organizations", token=token).status == 200


def test_a_deactivated_organisation_s_people_have_no_rights_until_it_is_restored(world: World, tree: Tree) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    assert world.rest.delete(path, token=tree.dealer.token).status == 204
    assert world.rest.delete(path, token=tree.dealer.token).status == 204
    world.advance(RIGHTS_AGE_S)
    assert not may_work(world, tree.operator.token)
    assert not may_work(world, tree.agency.token), "an agency works for its operator"
    assert world.rest.get(path, token=tree.dealer.token).body["state"] == "inactive"
    new = {"name": "N", "email": "n@tree.example", "admin": {"email": "n@tree.example", "full_name": "N"}}
    refused = world.rest.post("/v1/organizations", {**new, "parent_id": tree.operator.organization_id},
                              token=tree.dealer.token)  # fmt: skip
    assert (refused.status, refused.body["code"]) == (409, "organization.inactive")
    restored = world.rest.post(f"{path}/restore", token=tree.dealer.token)
    assert (restored.status, restored.body["state"]) == (200, "active")
    world.advance(RIGHTS_AGE_S)
    assert may_work(world, tree.operator.token)
    assert may_work(world, tree.agency.token)


def test_an_operator_goes_on_without_its_dealer(world: World, tree: Tree) -> None:
    world.rest.delete(f"/v1/organizations/{tree.dealer.organization_id}", token=tree.manufacturer.token)
    world.advance(RIGHTS_AGE_S)
    assert not may_work(world, tree.dealer.token)
    assert may_work(world, tree.operator.token)
    assert may_work(world, tree.agency.token)


def test_nobody_deactivates_themselves_and_the_platform_stays(world: World, tree: Tree) -> None:
    platform_id = world.rest.get("/v1/me", token=tree.platform).body["organization"]["organization_id"]
    for organization_id, token in (
        (tree.operator.organization_id, tree.operator.token),
        (platform_id, tree.platform),
    ):
        path = f"/v1/organizations/{organization_id}"
        assert world.rest.delete(path, token=token).status == 403
        assert world.rest.patch(path, {"state": "inactive"}, token=token).status == 403
        assert world.rest.post(f"{path}/restore", token=token).status == 403
    path = f"/v1/organizations/{tree.agency.organization_id}"
    assert world.rest.patch(path, {"state": "inactive"}, token=tree.manufacturer.token).body["state"] == "inactive"


IBAN = "DE89 3704 0044 0532 0130 00"


def test_an_account_number_is_shown_whole_only_to_who_keeps_the_settings(world: World, tree: Tree) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    account = {"holder": "Volt & Söhne", "number": IBAN, "bic": "cobadeff", "bank_name": "Bank"}
    view = world.rest.patch(path, {"bank_account": account, "address": "Nordweg 1"}, token=tree.operator.token).body
    assert view["bank_account"]["number"] == "DE89370400440532013000"
    assert view["bank_account"]["bic"] == "COBADEFF"
    assert view["address"] == "Nordweg 1"
    auditor = {"email": "aud@tree.example", "full_name": "Aud", "groups": ["auditor"]}
    world.rest.post("/v1/users", auditor, token=tree.operator.token)
    seen = world.rest.get(path, token=world.access_token("aud@tree.example")).body["bank_account"]
    assert seen["number"] == "•" * 18 + "3000"
    masked = {**account, "number": seen["number"]}
    assert world.rest.patch(path, {"bank_account": masked}, token=tree.operator.token).status == 422
    world.advance(60)
    again = world.rest.patch(path, {"bank_account": account}, token=tree.operator.token).body
    assert again["bank_account"] == view["bank_account"], "the same account is no change"
    assert world.rest.patch(path, {"bank_account": None}, token=tree.operator.token).body["bank_account"] is None
    assert world.rest.get(path, token=tree.operator.token).body["bank_account"] is None


@pytest.mark.parametrize("number", ["GB82 WEST 1234 5698 7654 32", "021000021-12345", "4711", "NO93 8601 1117 947"])
def test_account_numbers_of_many_countries_are_taken(world: World, tree: Tree, number: str) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    body = {"bank_account": {"holder": "H", "number": number}}
    assert world.rest.patch(path, body, token=tree.operator.token).status == 200


@pytest.mark.parametrize("number", ["GB83 WEST 1234 5698 7654 32", "12", "x" * 41, "<script>", "47•••11"])
def test_account_numbers_that_cannot_be_are_not(world: World, tree: Tree, number: str) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    body = {"bank_account": {"holder": "H", "number": number}}
    reply = world.rest.patch(path, body, token=tree.operator.token)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/bank_account/number")


def test_the_audit_log_tells_that_an_account_changed_and_not_its_number(world: World, tree: Tree) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    numbers = ("4711 4711 0815", "1234 5678 0815")
    for number in numbers:
        world.advance(1)
        account = {"bank_account": {"holder": "H", "number": number}}
        assert world.rest.patch(path, account, token=tree.operator.token).status == 200
    query = {"action": "update_organization"}
    events = world.rest.get("/v1/audit-events", token=tree.operator.token, query=query).body["data"]
    assert len(events) == len(numbers), "also where both end alike"
    assert not any(number in str(events) for number in numbers)


def test_what_is_opened_and_changed_from_above_is_in_both_logs(world: World, tree: Tree) -> None:
    path = f"/v1/organizations/{tree.operator.organization_id}"
    world.rest.patch(path, {"phone": "+49 1"}, token=tree.dealer.token)
    for node, actions in (
        (tree.operator, ["create_organization", "update_organization"]),
        (tree.dealer, ["create_organization", "create_organization", "update_organization"]),
    ):
        events = world.rest.get("/v1/audit-events", token=node.token).body["data"]
        told = sorted(event["action"] for event in events if event["actor"]["id"] != tree.operator.admin_id)
        assert told == actions, node


def test_nobody_in_between_moves_the_account_that_money_is_paid_to(world: World, tree: Tree) -> None:
    """A dealer gives it when it opens an operator; from then on it is the operator's own, and the platform's."""
    path = f"/v1/organizations/{tree.operator.organization_id}"
    account = {"holder": "Volt & Söhne", "number": IBAN}
    world.rest.patch(path, {"bank_account": account}, token=tree.operator.token)
    for above in (tree.dealer, tree.manufacturer):
        reply = world.rest.patch(path, {"bank_account": {**account, "number": "4711"}}, token=above.token)
        assert reply.status == 403
        assert world.rest.get(path, token=above.token).body["bank_account"]["number"].endswith("•3000")
    assert world.rest.get(path, token=tree.operator.token).body["bank_account"]["number"] == IBAN.replace(" ", "")
    moved = world.rest.patch(path, {"bank_account": {**account, "number": "4711"}}, token=tree.platform)
    assert moved.body["bank_account"]["number"] == "4711"
