"""Which price a charge gets: found when it begins, frozen into it, whoever changes what meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import ChargerGroup
from chalicelib.charging import lookup, service
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.drivers.model.groups import DriverGroup
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import AssignmentKind, PriceComponent, TariffElement, TariffVersion
from tests.site import CARD, Site
from tests.unit.charging.conftest import AfterRead
from tests.unit.charging.teller import Teller


def elements(price: str) -> tuple[TariffElement, ...]:
    return (TariffElement((PriceComponent("ENERGY", Decimal(price)),)),)


def priced(site: Site, price: str, kind: AssignmentKind, target_id: str, owner_id: str = "") -> TariffVersion:
    """A tariff of that price per kWh, assigned."""
    tariff = site.world.commit(
        lambda uow: tariffs.create_tariff(
            uow,
            operator_id=owner_id or site.operator.operator_id,
            name=price,
            currency="EUR",
            tax_included=True,
            elements=elements(price),
        )
    )
    site.world.commit(lambda uow: tariffs.assign_tariff(uow, tariff, kind=kind, target_id=target_id))
    return tariff


def driver_group(site: Site) -> DriverGroup:
    """With the site's driver in it."""
    new = DriverGroup(site.world.ctx.new_id("dgr"), site.operator.operator_id, "Staff", site.world.clock.now())
    site.world.commit(lambda uow: drivers.add_driver_group(uow, new))
    site.world.commit(lambda uow: drivers.add_group_member(uow, new, present(site)))
    return new


def present(site: Site) -> Driver:
    return drivers.require_driver(site.world.ctx, site.driver.driver_id)


def into_group(site: Site) -> tuple[str, str]:
    """The charger into a sub-group: the ids of the group above, and of its own."""
    world = site.world

    def add(name: str, parent: ChargerGroup | None) -> ChargerGroup:
        new = ChargerGroup(world.ctx.new_id("cgr"), site.operator.operator_id, name, world.clock.now())
        added: ChargerGroup = world.commit(lambda uow: chargers.add_group(uow, new, parent))
        return added

    upper = add("North", None)
    own = add("Yard", upper)
    charger = chargers.require_charger(world.ctx, site.charger.charger_id)
    site.charger = world.commit(lambda uow: chargers.change_charger(uow, charger, {"group_id": own.group_id}))
    return upper.group_id, own.group_id


def cost_of_ten_kwh(site: Site) -> int | None:
    """Of a charge by card."""
    outcome = site.start(meter_wh=0, message_id=f"start-{site.world.clock.now()}")
    site.stop(outcome.transaction_id, 10_000)
    return site.sessions()[-1].cost


def test_nearer_and_nearer(site: Site) -> None:
    """At the site 0.35 apply at the location."""
    upper, own = into_group(site)
    assert cost_of_ten_kwh(site) == 350
    steps: tuple[tuple[str, AssignmentKind, str, int], ...] = (
        ("0.09", "operator", site.operator.operator_id, 350),
        ("0.33", "charger_group", upper, 330),
        ("0.32", "charger_group", own, 320),
        ("0.31", "charger", site.charger.charger_id, 310),
        ("0.30", "driver_group", driver_group(site).group_id, 300),
    )
    for price, kind, target_id, cost in steps:
        priced(site, price, kind, target_id)
        assert cost_of_ten_kwh(site) == cost, kind


def test_the_platforms_price_where_the_operator_has_set_none(site: Site) -> None:
    priced(site, "0.50", "organization", PLATFORM_ID, PLATFORM_ID)
    assert cost_of_ten_kwh(site) == 350
    location_id, operator_id = site.location.location_id, site.operator.operator_id
    site.world.commit(
        lambda uow: tariffs.unassign_tariff(uow, operator_id=operator_id, kind="location", target_id=location_id)
    )
    assert cost_of_ten_kwh(site) == 500


def test_without_a_price_a_card_is_blocked_and_the_app_refused(site: Site) -> None:
    location_id, operator_id = site.location.location_id, site.operator.operator_id
    site.world.commit(
        lambda uow: tariffs.unassign_tariff(uow, operator_id=operator_id, kind="location", target_id=location_id)
    )
    assert site.start().authorization.status == "blocked"
    with pytest.raises(DomainError) as refused:
        site.request(evse_no=2)
    assert refused.value.code == "tariff.none"


def test_from_the_app_the_drivers_group_counts_too(site: Site) -> None:
    tariff = priced(site, "0.30", "driver_group", driver_group(site).group_id)
    assert site.request().tariff_id == tariff.tariff_id


def test_a_request_that_was_called_off_and_begins_all_the_same_has_the_drivers_price(site: Site) -> None:
    tariff = priced(site, "0.30", "driver_group", driver_group(site).group_id)
    requested = site.request()
    site.world.advance(600)
    site.world.commit(lambda uow: service.expire_request(uow, requested.session_id))
    site.start_from_app()
    began = [session for session in site.sessions() if session.session_id != requested.session_id]
    assert [session.tariff_id for session in began] == [tariff.tariff_id]


def test_who_presents_a_card_after_the_cable_pays_the_price_of_the_group(site: Site) -> None:
    """OCPP 2.x: the transaction begins with the plug, when nobody knows whose car it is."""
    tariff = priced(site, "0.30", "driver_group", driver_group(site).group_id)
    teller = Teller(site)
    teller.tell(teller.started(0, id_token=None, id_token_kind=None, charging_state="EVConnected", begin_wh=0))
    teller.tell(teller.updated(0, id_token=CARD, id_token_kind="ISO14443", trigger="Authorized"))
    assert teller.session().tariff_id == tariff.tariff_id
    teller.tell(teller.ended(10_000))
    assert teller.session().cost == 300


def test_who_presents_a_card_while_it_delivers_pays_the_price_of_the_group_for_all_of_it(site: Site) -> None:
    """It began at the price of everybody, when nobody was known: that was nobody's price yet."""
    tariff = priced(site, "0.30", "driver_group", driver_group(site).group_id)
    teller = Teller(site)
    teller.tell(teller.started(0, id_token=None, id_token_kind=None, charging_state="Charging", begin_wh=0))
    assert teller.session().tariff_id == site.tariff.tariff_id
    teller.tell(teller.updated(5000, id_token=CARD, id_token_kind="ISO14443", trigger="Authorized"))
    assert teller.session().tariff_id == tariff.tariff_id
    teller.tell(teller.ended(10_000))
    assert teller.session().cost == 300


def test_a_card_that_the_driver_adds_later_knows_the_group(site: Site) -> None:
    tariff = priced(site, "0.30", "driver_group", driver_group(site).group_id)
    site.world.commit(lambda uow: drivers.add_card(uow, id_token="NEW-1", operator_id=None, driver=present(site)))
    site.start("NEW-1")
    assert site.sessions()[-1].tariff_id == tariff.tariff_id


def test_who_leaves_the_group_pays_like_everybody_from_the_next_charge_on(site: Site) -> None:
    group = driver_group(site)
    priced(site, "0.30", "driver_group", group.group_id)
    outcome = site.start(meter_wh=0)
    site.world.commit(lambda uow: drivers.remove_group_member(uow, group, present(site)))
    site.stop(outcome.transaction_id, 10_000)
    assert site.sessions()[-1].cost == 300
    assert cost_of_ten_kwh(site) == 350


def test_another_operators_group_is_none_here(site: Site) -> None:
    other = site.world.operator()
    group = DriverGroup(site.world.ctx.new_id("dgr"), other.operator_id, "Staff", site.world.clock.now())
    site.world.commit(lambda uow: drivers.add_driver_group(uow, group))
    site.world.commit(lambda uow: drivers.add_group_member(uow, group, present(site)))
    priced(site, "0.01", "driver_group", group.group_id, other.operator_id)
    assert cost_of_ten_kwh(site) == 350


def test_a_running_session_keeps_its_price_whatever_is_changed(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    priced(site, "9.00", "charger", site.charger.charger_id)
    cheaper = site.tariff
    site.world.commit(
        lambda uow: tariffs.replace_tariff(uow, cheaper, name="N", tax_included=True, elements=elements("8.00"))
    )
    site.world.advance(60)
    site.meter(outcome.transaction_id, 5000)
    site.stop(outcome.transaction_id, 10_000)
    [session] = site.sessions()
    assert (session.tariff_id, session.tariff_version, session.cost) == (site.tariff.tariff_id, 1, 350)
    assert cost_of_ten_kwh(site) == 9000


def test_a_price_that_changes_while_a_charge_begins_is_the_old_or_the_new_one_whole(
    site: Site, after_read: AfterRead
) -> None:
    """The change comes between the reads of the start and its commit."""

    def change() -> None:
        site.world.commit(
            lambda uow: tariffs.replace_tariff(uow, site.tariff, name="N", tax_included=True, elements=elements("0.40"))
        )

    after_read(f"tariff#{site.tariff.tariff_id}", change)
    outcome = site.start(meter_wh=0)
    current = tariffs.get_tariff(site.world.ctx, site.tariff.tariff_id)
    assert current is not None
    assert current.version == 2
    site.stop(outcome.transaction_id, 10_000)
    [session] = site.sessions()
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert (cdr.tariff_version, cdr.total_cost.amount) == (1, 350)
    assert cost_of_ten_kwh(site) == 400


def test_an_assignment_that_is_taken_away_while_a_charge_begins(site: Site, after_read: AfterRead) -> None:
    location_id, operator_id = site.location.location_id, site.operator.operator_id

    def take_away() -> None:
        site.world.commit(
            lambda uow: tariffs.unassign_tariff(uow, operator_id=operator_id, kind="location", target_id=location_id)
        )

    after_read(f"tariff#{site.tariff.tariff_id}", take_away)
    assert site.start().authorization.status == "accepted"
    assert site.start(evse_no=2, message_id="start-2").authorization.status == "blocked"
