"""Boot and status reports: kept in the charger's words, at the price of one write each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.conftest import Site


def test_a_status_report_keeps_the_code_of_the_evse(site: Site) -> None:
    before = chargers.list_evses(site.world.ctx, "CP-1")[0]
    at = site.world.ctx.now() - timedelta(seconds=3)
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Faulted", "GroundFailure", "F1", at, "77"))
    evse = chargers.list_evses(site.world.ctx, "CP-1")[0]
    assert evse.code == before.code
    assert (evse.status, evse.error_code, evse.info, evse.vendor_error_code) == (
        "Faulted",
        "GroundFailure",
        "F1",
        "77",
    )
    assert (evse.reported_at, evse.received_at) == (at, site.world.ctx.now())


def test_the_last_report_received_wins_whatever_its_clock_says(site: Site) -> None:
    now = site.world.ctx.now()
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Charging", "NoError", None, now))
    year_1970 = now - timedelta(days=20_000)
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Available", "NoError", None, year_1970))
    assert chargers.list_evses(site.world.ctx, "CP-1")[0].status == "Available"


def test_a_report_is_one_write(site: Site) -> None:
    uow = UnitOfWork(site.world.ctx)
    chargers.record_status(uow, "CP-1", 1, "Available", "NoError")
    assert [write.operation for write in uow.writes] == ["Update"]


def test_the_charger_itself_is_no_connector(site: Site) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 0, "Unavailable", "NoError"))
    assert [evse.evse_no for evse in chargers.list_evses(site.world.ctx, "CP-1")] == [1, 2]
    facts = chargers.get_facts(site.world.ctx, site.charger)
    assert [(evse.evse_no, evse.status) for evse in facts.evses] == [(0, "Unavailable"), (1, None), (2, None)]


def test_a_connector_that_nobody_registered_appears_without_a_code(site: Site) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 3, "Available", "NoError"))
    evse = chargers.list_evses(site.world.ctx, "CP-1")[2]
    assert (evse.evse_no, evse.letter, evse.code) == (3, "C", None)


def test_further_connectors_of_an_evse_are_kept_beside_it(site: Site) -> None:
    """OCPP 2.x: one EVSE, two cables. The EVSE shows the last word about any of them."""
    for connector_no, status in ((1, "Available"), (2, "Available"), (2, "Occupied")):
        site.world.commit(
            lambda uow, connector_no=connector_no, status=status: chargers.record_status(
                uow, "CP-1", 1, status, "NoError", connector_no=connector_no
            )
        )
    evses = chargers.list_evses(site.world.ctx, "CP-1")
    assert [(evse.evse_no, evse.status) for evse in evses] == [(1, "Occupied"), (2, None)]
    facts = chargers.get_facts(site.world.ctx, site.charger)
    assert [evse.evse_no for evse in facts.evses] == [1, 2]
    further = [(evse.evse_no, evse.connector_no, evse.status) for evse in facts.further_connectors]
    assert further == [(1, 2, "Occupied")]


def test_a_connector_that_no_evse_has_leaves_no_row_of_its_own(site: Site) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Available", "NoError", connector_no=17))
    assert chargers.get_facts(site.world.ctx, site.charger).further_connectors == ()


@pytest.mark.parametrize("evse_no", [-1, 65, 2**31])
def test_numbers_that_no_charger_has_make_no_row(site: Site, evse_no: int) -> None:
    with pytest.raises(DomainError) as refused:
        site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", evse_no, "Available", "NoError"))
    assert refused.value.code == "evse.invalid"
    assert len(chargers.list_evses(site.world.ctx, "CP-1")) == 2


def test_endless_words_are_shortened(site: Site) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Available", "NoError", "x" * 10_000))
    assert len(chargers.list_evses(site.world.ctx, "CP-1")[0].info) == 255


def test_a_boot_is_kept_and_the_next_one_replaces_it(site: Site) -> None:
    site.world.commit(
        lambda uow: chargers.record_boot(
            uow, site.charger, vendor="Vendor", model="Model", firmware_version="1.0", serial_number="SN"
        )
    )
    site.world.commit(lambda uow: chargers.record_boot(uow, site.charger, vendor="Vendor", model="Model 2"))
    charger = chargers.require_charger(site.world.ctx, "cp-1")
    assert (charger.vendor, charger.model, charger.firmware_version) == ("Vendor", "Model 2", None)
    assert charger.reported_serial_number is None
    assert charger.booted_at == site.world.ctx.now()
    assert charger.password_hash == site.charger.password_hash
