"""The region tree: from the country down, each name once among its siblings, nothing removed that is in use."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity import service as identity
from chalicelib.identity.model import LEVELS, Region, name_key, shown_name
from chalicelib.identity.model.regions import is_within_regions, level_below
from chalicelib.identity.store import USERS
from chalicelib.kernel.errors import DomainError
from tests.unit.identity.narrowed import narrowed_token
from tests.world import Operator, Reply, World


def add(world: World, operator: Operator, name: str, parent: str | None = None, **fields: Any) -> Reply:
    world.advance(0.001)  # ids of one millisecond have no order
    return world.rest.post("/v1/regions", {"name": name, "parent_id": parent, **fields}, token=operator.access_token)


def region(world: World, operator: Operator, name: str, parent: str | None = None) -> str:
    reply = add(world, operator, name, parent)
    assert reply.status == 201, reply.body
    return str(reply.body["region_id"])


def remove(world: World, operator: Operator, region_id: str) -> Reply:
    return world.rest.delete(f"/v1/regions/{region_id}", token=operator.access_token)


def restore(world: World, operator: Operator, region_id: str) -> Reply:
    return world.rest.post(f"/v1/regions/{region_id}/restore", token=operator.access_token)


def names(world: World, operator: Operator, **query: Any) -> list[str]:
    listed = world.rest.get("/v1/regions", token=operator.access_token, query=query).body["data"]
    return [one["name"] for one in listed]


def test_a_tree_grows_from_the_country_down(world: World) -> None:
    operator = world.operator()
    kenya = add(world, operator, "Kenya", country_code="KE").body
    coast = add(world, operator, "Coast", kenya["region_id"]).body
    town = add(world, operator, "Mombasa", coast["region_id"], level="city").body
    assert [one["level"] for one in (kenya, coast, town)] == ["country", "province", "city"]
    assert town["path"] == [kenya["region_id"], coast["region_id"]]
    assert (kenya["country_code"], kenya["parent_id"]) == ("KE", None)
    assert names(world, operator) == ["Kenya", "Coast", "Mombasa"]
    assert names(world, operator, parent_id=kenya["region_id"]) == ["Coast"]
    assert names(world, operator, level="city") == ["Mombasa"]
    seen = world.rest.get(f"/v1/regions/{kenya['region_id']}", token=operator.access_token).body
    assert seen["in_use"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "Mombasa", "level": "city"}, "region.parent_missing", "/parent_id"),
        ({"name": "Coast", "level": "province"}, "region.parent_missing", "/parent_id"),
        ({"name": "Coast", "parent_id": "reg_nowhere"}, "region.parent_missing", "/parent_id"),
        ({"name": "Below", "parent_id": "{city}"}, "region.too_deep", "/parent_id"),
        ({"name": "Coast", "parent_id": "{country}", "level": "city"}, "region.level", "/level"),
        ({"name": "Coast", "parent_id": "{country}", "country_code": "KE"}, "region.country_code", "/country_code"),
        ({"name": "Kenya", "country_code": "ke"}, "validation", "/country_code"),
        ({"name": " \t "}, "name.empty", "/name"),
        ({"name": ""}, "validation", "/name"),
    ],
)
def test_bad_regions_are_refused_with_a_pointer_and_leave_nothing(
    world: World, body: dict[str, Any], code: str, pointer: str
) -> None:
    operator = world.operator()
    country = region(world, operator, "Uganda")
    city = region(world, operator, "Kampala", region(world, operator, "Central", country))
    sent = {key: value.format(country=country, city=city) for key, value in body.items()}
    reply = world.rest.post("/v1/regions", sent, token=operator.access_token)
    assert reply.status == 422
    [error] = reply.body["errors"]
    assert error["pointer"] == pointer
    if code != "validation":
        assert error["code"] == code
    assert names(world, operator) == ["Uganda", "Central", "Kampala"]


@pytest.mark.parametrize("again", ["Kenya", "KENYA", "  kenya ", "\uff2b\uff45nya"])
def test_a_name_stands_once_among_its_siblings(world: World, again: str) -> None:
    operator = world.operator()
    kenya = region(world, operator, "Kenya")
    refused = add(world, operator, again)
    assert (refused.status, refused.body["code"]) == (409, "name.taken")
    assert add(world, operator, again, kenya).status == 201, "below another it is another"
    assert add(world, world.operator(), again).status == 201, "another operator's tree is another"


def test_names_of_any_script(world: World) -> None:
    operator = world.operator()
    for name in ("中国", "Côte d’Ivoire", "الأردن", "Россия", "भारत", "🇰🇪"):
        assert add(world, operator, name).body["name"] == name
    assert add(world, operator, "РОССИЯ").status == 409


def test_a_region_is_renamed_and_frees_its_name(world: World) -> None:
    operator = world.operator()
    region_id = region(world, operator, "Zaire")
    path = f"/v1/regions/{region_id}"
    renamed = world.rest.patch(path, {"name": "DR Congo", "country_code": "CD"}, token=operator.access_token)
    assert (renamed.body["name"], renamed.body["country_code"]) == ("DR Congo", "CD")
    assert world.rest.get(path, token=operator.access_token).body == renamed.body
    assert world.rest.patch(path, {"name": "dr congo"}, token=operator.access_token).body["name"] == "dr congo"
    assert world.rest.patch(path, {"country_code": None}, token=operator.access_token).body["country_code"] is None
    region(world, operator, "Zaire")
    assert world.rest.patch(path, {"name": "ZAIRE"}, token=operator.access_token).status == 409
    assert world.rest.patch(path, {"parent_id": "x"}, token=operator.access_token).status == 422


def test_what_is_in_use_stays(world: World) -> None:
    operator = world.operator()
    country = region(world, operator, "Kenya")
    province = region(world, operator, "Coast", country)
    assert remove(world, operator, country).body["code"] == "region.in_use"
    assert remove(world, operator, province).status == 204
    assert remove(world, operator, province).status == 204, "the second click"
    assert remove(world, operator, country).status == 204
    assert names(world, operator) == []
    assert names(world, operator, state="inactive") == ["Kenya", "Coast"]


def test_a_region_that_users_work_in_stays(world: World) -> None:
    operator = world.operator()
    region_id = region(world, operator, "Kenya")
    world.commit(lambda uow: uow.put(USERS, replace(operator.user, region_ids=[region_id])))
    assert remove(world, operator, region_id).body["code"] == "region.in_use"


def test_what_was_removed_keeps_its_place_and_is_restored(world: World) -> None:
    operator = world.operator()
    country = region(world, operator, "Kenya")
    province = region(world, operator, "Coast", country)
    remove(world, operator, province)
    ctx, operator_id = world.ctx, operator.operator_id
    assert identity.get_region(ctx, operator_id, province) is None
    assert identity.region_lineage(ctx, operator_id, province) == (country, province)
    assert identity.region_lineage(ctx, "org_other", province) == ()
    assert world.rest.get(f"/v1/regions/{province}", token=operator.access_token).body["state"] == "inactive"
    remove(world, operator, country)
    assert restore(world, operator, province).body["code"] == "region.parent_removed"
    assert restore(world, operator, country).status == 200
    assert restore(world, operator, province).body["state"] == "active"
    assert remove(world, operator, country).status == 409, "it counts again"


def test_a_name_that_was_taken_meanwhile_is_not_taken_back(world: World) -> None:
    operator = world.operator()
    first = region(world, operator, "Kenya")
    remove(world, operator, first)
    region(world, operator, "Kenya")
    assert restore(world, operator, first).body["code"] == "name.taken"


def test_nothing_is_put_below_what_is_removed_at_that_moment(world: World) -> None:
    """Both decided on what they had read; the second to commit decides again."""
    operator = world.operator()
    country = region(world, operator, "Kenya")
    read = identity.existing_region(world.ctx, country)
    region(world, operator, "Coast", country)
    with pytest.raises(DomainError) as caught:
        world.commit(lambda uow: identity.remove_region(uow, read))
    assert caught.value.code == "concurrent_change"


def test_another_operator_s_regions_are_not_there(world: World) -> None:
    mine, other = world.operator(), world.operator()
    region_id = region(world, mine, "Kenya")
    assert add(world, other, "Coast", region_id).body["code"] == "region.parent_missing"
    assert world.rest.get("/v1/regions", token=other.access_token, query={"parent_id": region_id}).status == 404


def test_the_platform_names_the_operator(world: World) -> None:
    operator, root = world.operator(), world.platform_admin()
    sent = {"name": "Kenya", "operator_id": operator.operator_id}
    made = world.rest.post("/v1/regions", sent, token=root)
    assert made.status == 201
    assert world.rest.post("/v1/regions", {"name": "Kenya"}, token=root).body["code"] == "operator_id.missing"
    listed = world.rest.get("/v1/regions", token=root, query={"operator_id": operator.operator_id}).body["data"]
    assert [one["region_id"] for one in listed] == [made.body["region_id"]]


def test_who_works_in_some_regions_sees_those_above_and_changes_only_those(world: World) -> None:
    operator = world.operator()
    kenya = region(world, operator, "Kenya")
    coast = region(world, operator, "Coast", kenya)
    region(world, operator, "Mombasa", coast)
    rift = region(world, operator, "Rift Valley", kenya)
    token = narrowed_token(world, operator, region_ids=[coast])
    listed = world.rest.get("/v1/regions", token=token).body["data"]
    assert [one["name"] for one in listed] == ["Kenya", "Coast", "Mombasa"]
    assert world.rest.get(f"/v1/regions/{kenya}", token=token).status == 200
    assert world.rest.get(f"/v1/regions/{rift}", token=token).status == 404
    assert world.rest.patch(f"/v1/regions/{kenya}", {"name": "Mine"}, token=token).status == 404
    assert world.rest.patch(f"/v1/regions/{coast}", {"name": "Pwani"}, token=token).status == 200
    assert world.rest.post("/v1/regions", {"name": "Uganda"}, token=token).status == 403
    assert world.rest.post("/v1/regions", {"name": "Nakuru", "parent_id": rift}, token=token).status == 404
    assert world.rest.post("/v1/regions", {"name": "Malindi", "parent_id": coast}, token=token).status == 201


@given(st.text(min_size=1, max_size=100))
def test_names_that_read_the_same_have_one_key(name: str) -> None:
    if all(unicodedata.category(sign)[0] in "CZ" for sign in name):
        with pytest.raises(DomainError):
            shown_name(name)
        return
    shown = shown_name(name)
    assert shown_name(shown) == shown
    assert name_key(f" {name}  ") == name_key(name) == name_key(shown)
    assert len(name_key(name)) == 64


@given(st.sampled_from([None, *LEVELS]), st.sampled_from([None, *LEVELS]))
def test_a_level_is_right_below_its_parent_s(above: Any, wanted: Any) -> None:
    parent = None if above is None else Region("reg_1", "org_1", above, "R", None, holds=1)  # type: ignore[arg-type]
    expected = {None: "country", "country": "province", "province": "city", "city": None}[above]
    if expected is not None and wanted in (None, expected):
        assert level_below(parent, wanted) == expected
    else:
        with pytest.raises(DomainError):
            level_below(parent, wanted)


@given(st.lists(st.sampled_from("abc")), st.none() | st.frozensets(st.sampled_from("abcd")))
def test_who_is_not_narrowed_works_everywhere_and_who_is_only_there(
    lineage: list[str], region_ids: frozenset[str] | None
) -> None:
    assert is_within_regions(lineage, region_ids) == (region_ids is None or bool(set(lineage) & region_ids))


def test_a_taken_name_is_pointed_at(world: World) -> None:
    token = world.operator().access_token
    for _ in range(2):
        reply = world.rest.post("/v1/regions", {"name": "Kenya", "country_code": "KE"}, token=token)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (409, "name.taken", "/name")


def test_the_country_of_a_region_must_exist(world: World) -> None:
    token = world.operator().access_token
    reply = world.rest.post("/v1/regions", {"name": "Nowhere", "country_code": "ZZ"}, token=token)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (
        422,
        "country.unknown",
        "/country_code",
    )
