"""Where a tariff applies: of all that reach a charger the nearest wins, and nobody prices what is another's."""

from __future__ import annotations

from itertools import combinations

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.tariffs import service, store
from chalicelib.tariffs.model import AssignmentKind, PricePlace, Purpose, TariffElement, TariffVersion
from tests.unit.tariffs.conftest import component
from tests.world import World

PLACE = PricePlace(
    charger_id="CP-1",
    location_id="loc_1",
    charger_group_ids=("cgr_sub", "cgr_top"),
    operator_id="org_1",
    above=("org_dealer", "org_platform"),
    currency="EUR",
)
DRIVER_GROUPS = ("dgr_1",)
NEAREST_FIRST: tuple[tuple[str, AssignmentKind, str], ...] = (
    ("org_1", "driver_group", "dgr_1"),
    ("org_1", "charger", "cp-1"),
    ("org_1", "charger_group", "cgr_sub"),
    ("org_1", "charger_group", "cgr_top"),
    ("org_1", "location", "loc_1"),
    ("org_1", "operator", "org_1"),
    ("org_dealer", "organization", "org_dealer"),
    ("org_platform", "organization", "org_platform"),
)
"""Who assigns, what kind of thing, which."""


def create(
    world: World, owner_id: str = "org_1", *, currency: str = "EUR", purpose: Purpose = "selling"
) -> TariffVersion:
    return world.commit(
        lambda uow: service.create_tariff(
            uow,
            operator_id=owner_id,
            name="T",
            currency=currency,
            tax_included=True,
            elements=(TariffElement((component("ENERGY", "0.35"),)),),
            purpose=purpose,
        )
    )


def assign(world: World, tariff: TariffVersion, kind: AssignmentKind, target_id: str) -> None:
    world.commit(lambda uow: service.assign_tariff(uow, tariff, kind=kind, target_id=target_id))


def unassign(world: World, owner_id: str, kind: AssignmentKind, target_id: str) -> None:
    world.commit(lambda uow: service.unassign_tariff(uow, operator_id=owner_id, kind=kind, target_id=target_id))


def applying(world: World, place: PricePlace = PLACE, groups: tuple[str, ...] = DRIVER_GROUPS) -> str | None:
    found = service.find_applying(world.ctx, place=place, driver_groups=groups)
    return None if found is None else found.tariff_id


def test_of_any_set_of_assignments_the_nearest_wins(world: World) -> None:
    """All 256 of them."""
    tariffs = [create(world, owner_id) for owner_id, _, _ in NEAREST_FIRST]
    every = range(len(NEAREST_FIRST))
    assigned: set[int] = set()
    for size in range(len(NEAREST_FIRST) + 1):
        for chosen in combinations(every, size):
            for number in assigned - set(chosen):
                unassign(world, *NEAREST_FIRST[number])
            for number in set(chosen) - assigned:
                assign(world, tariffs[number], *NEAREST_FIRST[number][1:])
            assigned = set(chosen)
            expected = tariffs[chosen[0]].tariff_id if chosen else None
            assert applying(world) == expected, [NEAREST_FIRST[number] for number in chosen]
            told = service.explain_tariff(world.ctx, place=PLACE, driver_groups=DRIVER_GROUPS)
            assert [found.assignment.tariff_id for found in told] == [tariffs[number].tariff_id for number in chosen]
            assert [found.verdict for found in told] == ["applies", *["farther"] * (size - 1)][:size]


@pytest.mark.parametrize(
    ("place", "groups", "left"),
    [
        (PLACE, (), NEAREST_FIRST[1:]),
        (PricePlace("CP-2", "loc_1", ("cgr_top",), "org_1"), (), NEAREST_FIRST[3:]),
        (PricePlace("CP-3", None, (), "org_1", above=("org_platform",), currency="EUR"), (), NEAREST_FIRST[5:]),
        (PricePlace("CP-1", "loc_1", (), "org_2", above=("org_platform",), currency="EUR"), (), NEAREST_FIRST[7:]),
        (PricePlace("CP-1", "loc_1", ("cgr_sub",), "org_3"), ("dgr_1",), ()),
    ],
    ids=["no group of drivers", "of the upper group", "nowhere", "another operator below", "a stranger"],
)
def test_what_does_not_reach_a_charger_does_not_count(
    world: World, place: PricePlace, groups: tuple[str, ...], left: tuple[tuple[str, AssignmentKind, str], ...]
) -> None:
    assigned = {}
    for owner_id, kind, target_id in NEAREST_FIRST:
        tariff = create(world, owner_id)
        assign(world, tariff, kind, target_id)
        assigned[kind, target_id] = tariff.tariff_id
    expected = assigned[left[0][1:]] if left else None
    assert applying(world, place, groups) == expected


def test_a_default_from_above_counts_only_in_the_operators_currency(world: World) -> None:
    assign(world, create(world, "org_dealer", currency="CHF"), "organization", "org_dealer")
    platform = create(world, "org_platform")
    assign(world, platform, "organization", "org_platform")
    assert applying(world) == platform.tariff_id
    told = service.explain_tariff(world.ctx, place=PLACE)
    assert [found.verdict for found in told] == ["other_currency", "applies"]


def test_an_operators_own_tariff_may_be_in_another_currency(world: World) -> None:
    own = create(world, currency="CHF")
    assign(world, own, "operator", "org_1")
    assert applying(world) == own.tariff_id


def test_the_price_of_energy_and_the_selling_price_do_not_meet(world: World) -> None:
    energy, selling = create(world, purpose="energy_cost"), create(world)
    assign(world, energy, "charger", "CP-1")
    assert applying(world) is None
    with pytest.raises(DomainError) as refused:
        service.resolve_tariff(world.ctx, place=PLACE)
    assert refused.value.code == "tariff.none"
    assign(world, selling, "operator", "org_1")
    assert applying(world) == selling.tariff_id
    found = service.find_applying(world.ctx, place=PLACE, driver_groups=DRIVER_GROUPS, purpose="energy_cost")
    assert found == energy
    unassign(world, "org_1", "operator", "org_1")
    assert applying(world) is None


@pytest.mark.parametrize(
    ("owner_id", "purpose", "kind", "target_id", "code"),
    [
        ("org_2", "selling", "operator", "org_1", "tariff.assignment"),
        ("org_2", "selling", "organization", "org_platform", "tariff.assignment"),
        ("org_1", "energy_cost", "driver_group", "dgr_1", "tariff.purpose"),
        ("org_1", "energy_cost", "organization", "org_1", "tariff.purpose"),
    ],
)
def test_what_cannot_be_assigned(
    world: World, owner_id: str, purpose: Purpose, kind: AssignmentKind, target_id: str, code: str
) -> None:
    tariff = create(world, owner_id, purpose=purpose)
    with pytest.raises(DomainError) as refused:
        assign(world, tariff, kind, target_id)
    assert refused.value.code == code


def test_a_place_costs_one_batch_read_however_many_reach_it(world: World) -> None:
    tariff = create(world)
    for owner_id, kind, target_id in NEAREST_FIRST:
        assign(world, tariff if owner_id == "org_1" else create(world, owner_id), kind, target_id)
    assert applying(world) == tariff.tariff_id  # its version is remembered from now on
    before = dict(world.engine.consumed)
    assert applying(world) == tariff.tariff_id
    read = {key: units - before.get(key, 0) for key, units in world.engine.consumed.items()}
    table = store.ASSIGNMENTS.name
    assert read[table, "read"] == len(NEAREST_FIRST) + 1  # the candidates, and the head of the one that applies
