"""Groups of drivers over REST: who is in one, what is refused, what their cards carry."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service
from chalicelib.drivers.model import Driver, app_token
from chalicelib.drivers.model.groups import DriverGroup
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.drivers.conftest import add_driver, reread, token
from tests.world import Operator, Reply, World

PATH = "/v1/driver-groups"


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


@pytest.fixture
def driver(world: World, operator: Operator) -> Driver:
    return add_driver(world, operator_id=operator.operator_id)


def add(world: World, operator: Operator, name: str = "Staff") -> dict[str, Any]:
    reply = world.rest.post(PATH, {"name": name}, token=operator.access_token)
    assert reply.status == 201, reply.body
    return dict(reply.body)


def put(world: World, operator: Operator, group: dict[str, Any], driver_id: str) -> Reply:
    return world.rest.put(f"{PATH}/{group['driver_group_id']}/drivers/{driver_id}", token=operator.access_token)


def take_out(world: World, operator: Operator, group: dict[str, Any], driver_id: str) -> Reply:
    return world.rest.delete(f"{PATH}/{group['driver_group_id']}/drivers/{driver_id}", token=operator.access_token)


def test_added_changed_found_and_removed(world: World, operator: Operator) -> None:
    rest, by = world.rest, operator.access_token
    group = add(world, operator)
    path = f"{PATH}/{group['driver_group_id']}"
    assert (group["name"], group["driver_count"]) == ("Staff", 0)
    assert rest.patch(path, {"name": "Fleet", "description": "Vans"}, token=by).body["name"] == "Fleet"
    assert [each["name"] for each in rest.get(PATH, token=by, query={"q": "flee"}).body["data"]] == ["Fleet"]
    assert rest.get(PATH, token=by, query={"q": "staff"}).body["data"] == []
    assert rest.delete(path, token=by).status == 204
    assert rest.get(path, token=by).status == 404
    assert rest.get(PATH, token=by).body["data"] == []
    add(world, operator, "Fleet")  # the name is free again


def test_a_name_is_taken_once(world: World, operator: Operator) -> None:
    add(world, operator)
    reply = world.rest.post(PATH, {"name": "staff"}, token=operator.access_token)
    assert (reply.status, reply.body["code"]) == (409, "name.taken")
    add(world, world.operator())


def test_who_looks_at_an_old_copy_changes_nothing(world: World, operator: Operator) -> None:
    group = add(world, operator)
    path, by = f"{PATH}/{group['driver_group_id']}", operator.access_token
    etag = world.rest.get(path, token=by).headers["etag"]
    assert world.rest.patch(path, {"name": "A"}, token=by, headers={"If-Match": etag}).status == 200
    assert world.rest.patch(path, {"name": "B"}, token=by, headers={"If-Match": etag}).status == 412


def test_all_of_the_drivers_tokens_know_the_group(world: World, operator: Operator, driver: Driver) -> None:
    service_of = operator.operator_id
    world.commit(lambda uow: service.add_card(uow, id_token="CARD-1", operator_id=service_of, driver=driver))
    group = add(world, operator)
    assert put(world, operator, group, driver.driver_id).status == 200
    expected = {service_of: group["driver_group_id"]}
    assert reread(world, driver).groups == expected
    shown = world.rest.get(f"/v1/drivers/{driver.driver_id}", token=operator.access_token).body
    assert shown["driver_group_id"] == group["driver_group_id"]
    for id_token in ("CARD-1", app_token(driver.driver_id)):
        assert token(world, id_token).driver_groups == expected
    assert take_out(world, operator, group, driver.driver_id).status == 204
    assert reread(world, driver).groups == {}
    for id_token in ("CARD-1", app_token(driver.driver_id)):
        assert token(world, id_token).driver_groups == {}


def test_a_card_that_goes_back_to_the_drawer_forgets_the_group(
    world: World, operator: Operator, driver: Driver
) -> None:
    put(world, operator, add(world, operator), driver.driver_id)
    operator_id = operator.operator_id
    world.commit(
        lambda uow: service.add_card(uow, id_token="CARD-1", operator_id=operator_id, driver=reread(world, driver))
    )
    assert token(world, "CARD-1").driver_groups
    assert world.rest.delete("/v1/id-tokens/CARD-1/driver", token=operator.access_token).status < 300
    assert token(world, "CARD-1").driver_groups == {}


def test_the_second_click_changes_nothing(world: World, operator: Operator, driver: Driver) -> None:
    group = add(world, operator)
    first = put(world, operator, group, driver.driver_id)
    world.advance(60)
    assert put(world, operator, group, driver.driver_id).body == first.body
    path = f"{PATH}/{group['driver_group_id']}"
    assert world.rest.get(path, token=operator.access_token).body["driver_count"] == 1
    [member] = world.rest.get(f"{path}/drivers", token=operator.access_token).body["data"]
    assert (member["driver_id"], member["full_name"]) == (driver.driver_id, driver.full_name)
    assert take_out(world, operator, group, driver.driver_id).status == 204
    assert take_out(world, operator, group, driver.driver_id).status == 404


def test_one_group_per_operator_and_another_at_another(world: World, operator: Operator, driver: Driver) -> None:
    put(world, operator, add(world, operator), driver.driver_id)
    reply = put(world, operator, add(world, operator, "Fleet"), driver.driver_id)
    assert (reply.status, reply.body["code"]) == (409, "driver_group.elsewhere")
    other = world.operator()
    world.commit(lambda uow: service.link_operator(uow, other.operator_id, driver.driver_id))
    assert put(world, other, add(world, other), driver.driver_id).status == 200
    assert set(reread(world, driver).groups) == {operator.operator_id, other.operator_id}


def test_a_group_with_drivers_stays(world: World, operator: Operator, driver: Driver) -> None:
    group = add(world, operator)
    put(world, operator, group, driver.driver_id)
    path = f"{PATH}/{group['driver_group_id']}"
    reply = world.rest.delete(path, token=operator.access_token)
    assert (reply.status, reply.body["code"]) == (409, "driver_group.in_use")


def test_a_driver_who_comes_while_the_group_goes(world: World, operator: Operator, driver: Driver) -> None:
    group_id = add(world, operator)["driver_group_id"]
    group = service.find_driver_group(world.ctx, group_id)
    assert isinstance(group, DriverGroup)
    late = UnitOfWork(world.ctx)
    service.remove_driver_group(late, group)
    world.commit(lambda uow: service.add_group_member(uow, group, driver))
    with pytest.raises(DomainError) as refused:
        late.commit()
    assert refused.value.code == "driver_group.in_use"


def test_a_group_that_goes_while_a_driver_comes(world: World, operator: Operator, driver: Driver) -> None:
    group = service.find_driver_group(world.ctx, add(world, operator)["driver_group_id"])
    assert group is not None
    late = UnitOfWork(world.ctx)
    service.add_group_member(late, group, driver)
    world.commit(lambda uow: service.remove_driver_group(uow, group))
    with pytest.raises(StaleRead):
        late.commit()
    assert reread(world, driver).groups == {}


def test_only_drivers_of_the_operators_list(world: World, operator: Operator) -> None:
    stranger = add_driver(world)
    assert put(world, operator, add(world, operator), stranger.driver_id).status == 404


def test_another_operators_group_is_not_there(world: World, operator: Operator, driver: Driver) -> None:
    group, other = add(world, operator), world.operator()
    world.commit(lambda uow: service.link_operator(uow, other.operator_id, driver.driver_id))
    assert put(world, other, group, driver.driver_id).status == 404
    assert world.rest.get(f"{PATH}/{group['driver_group_id']}", token=other.access_token).status == 404
    assert world.rest.get(PATH, token=other.access_token).body["data"] == []


def test_who_leaves_the_platform_leaves_the_group(world: World, operator: Operator, driver: Driver) -> None:
    group = add(world, operator)
    put(world, operator, group, driver.driver_id)
    world.commit(lambda uow: service.erase_driver(uow, reread(world, driver)))
    path = f"{PATH}/{group['driver_group_id']}"
    assert world.rest.get(f"{path}/drivers", token=operator.access_token).body["data"] == []
    assert world.rest.delete(path, token=operator.access_token).status == 204


def test_the_log_says_who_came_and_went(world: World, operator: Operator, driver: Driver) -> None:
    group = add(world, operator)
    put(world, operator, group, driver.driver_id)
    world.advance(1)
    take_out(world, operator, group, driver.driver_id)
    name = f"{group['driver_group_id']}/{driver.driver_id}"
    query = {"object_type": "driver_group_driver", "object_id": name}
    events = world.rest.get("/v1/audit-events", token=operator.access_token, query=query).body["data"]
    assert [event["action"] for event in events] == ["remove_driver_group_driver", "add_driver_group_driver"]
