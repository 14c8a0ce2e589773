"""Versions, assignments, and which tariff applies."""

from __future__ import annotations

import pytest

from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs import service
from chalicelib.tariffs.model import AssignmentKind, PricePlace, TariffElement, TariffVersion
from tests.unit.tariffs.conftest import component
from tests.world import World


def elements(price: str) -> tuple[TariffElement, ...]:
    return (TariffElement((component("ENERGY", price, vat="19"),)),)


def create(world: World, price: str = "0.35", operator_id: str = "org_1") -> TariffVersion:
    return world.commit(
        lambda uow: service.create_tariff(
            uow, operator_id=operator_id, name="T", currency="EUR", tax_included=True, elements=elements(price)
        )
    )


def change(world: World, tariff: TariffVersion, price: str) -> TariffVersion:
    return world.commit(
        lambda uow: service.replace_tariff(uow, tariff, name="T", tax_included=True, elements=elements(price))
    )


def assign(world: World, tariff: TariffVersion, kind: AssignmentKind, target_id: str) -> None:
    world.commit(lambda uow: service.assign_tariff(uow, tariff, kind=kind, target_id=target_id))


def resolve(
    world: World, charger_id: str = "CP-1", location_id: str | None = "loc_1", operator_id: str = "org_1"
) -> str:
    place = PricePlace(charger_id, location_id, (), operator_id)
    return service.resolve_tariff(world.ctx, place=place).tariff_id


def test_what_was_written_is_read(world: World) -> None:
    tariff = create(world)
    world.ctx.cache("tariffs.versions").forget((tariff.tariff_id, 1))
    assert service.get_tariff(world.ctx, tariff.tariff_id) == tariff


def test_a_change_is_a_new_version_and_the_old_one_stays(world: World) -> None:
    first = create(world, "0.35")
    second = change(world, first, "0.40")
    assert second.version == 2
    assert service.get_tariff(world.ctx, first.tariff_id) == second
    assert service.get_version(world.ctx, first.tariff_id, 1) == first


def test_the_same_content_is_no_new_version(world: World) -> None:
    first = create(world, "0.35")
    assert change(world, first, "0.35").version == 1


def test_two_changes_at_once_do_not_share_a_version(world: World) -> None:
    first = create(world)
    late = UnitOfWork(world.ctx)
    service.replace_tariff(late, first, name="Late", tax_included=True, elements=elements("9.99"))
    change(world, first, "0.40")
    with pytest.raises(StaleRead):
        late.commit()
    current = service.get_tariff(world.ctx, first.tariff_id)
    assert current is not None
    assert current.name == "T"


def test_the_nearest_assignment_wins(world: World) -> None:
    at_operator, at_location, at_charger = create(world), create(world), create(world)
    with pytest.raises(DomainError) as refused:
        resolve(world)
    assert refused.value.code == "tariff.none"
    assign(world, at_operator, "operator", "org_1")
    assert resolve(world) == at_operator.tariff_id
    assign(world, at_location, "location", "loc_1")
    assert resolve(world) == at_location.tariff_id
    assign(world, at_charger, "charger", "cp-1")
    assert resolve(world, "CP-1") == at_charger.tariff_id
    assert resolve(world, "CP-2") == at_location.tariff_id
    assert resolve(world, "CP-2", None) == at_operator.tariff_id
    world.commit(lambda uow: service.unassign_tariff(uow, operator_id="org_1", kind="charger", target_id="CP-1"))
    assert resolve(world) == at_location.tariff_id


def test_a_new_version_applies_where_the_tariff_does(world: World) -> None:
    tariff = create(world)
    assign(world, tariff, "operator", "org_1")
    change(world, tariff, "0.40")
    found = service.resolve_tariff(world.ctx, place=PricePlace("CP-1", None, (), "org_1"))
    assert found.version == 2


def test_nobody_prices_another_operators_charger(world: World) -> None:
    mine, theirs = create(world), create(world, "99", "org_2")
    assign(world, mine, "charger", "CP-1")
    assign(world, theirs, "charger", "CP-1")
    assert resolve(world) == mine.tariff_id
    with pytest.raises(DomainError):
        assign(world, theirs, "operator", "org_1")


def test_an_assignment_is_replaced_not_doubled(world: World) -> None:
    first, second = create(world), create(world)
    assign(world, first, "charger", "CP-1")
    assign(world, second, "charger", "cp-1")
    page = service.list_assignments(world.ctx, "org_1", limit=10, cursor=None)
    assert [entry.tariff_id for entry in page.data] == [second.tariff_id]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ((), "tariff.elements"),
        ((TariffElement(()),), "tariff.no_component"),
        ((TariffElement((component("FLAT", "1"), component("FLAT", "2"))),), "tariff.dimension_twice"),
        ((TariffElement((component("FLAT", "1"),)),) * 51, "tariff.elements"),
    ],
)
def test_tariffs_that_price_nothing_or_twice(world: World, bad: tuple[TariffElement, ...], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        world.commit(
            lambda uow: service.create_tariff(
                uow, operator_id="org_1", name="T", currency="EUR", tax_included=True, elements=bad
            )
        )
    assert refused.value.code == code
    assert service.list_tariffs(world.ctx, "org_1", limit=10, cursor=None).data == []
