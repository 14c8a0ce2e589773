"""A prepaid charge ends when its money does, not at the reading after: with a charger that delivers on until it hears
of the stop, and tells its register once a minute."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import service
from chalicelib.charging.model import ChargingSession, Limits
from chalicelib.kernel.money import Money
from tests.integration.charging.test_session_workflow import Workflows, workflows
from tests.site import CHARGER_ID, Site

__all__ = ["workflows"]

SECONDS_TO_STOP = 2
"""Between the command and the contactor."""


@dataclass
class FastCharger:
    """Delivers `power_w` from the moment that it is started, and says that it delivers `told_w`."""

    site: Site
    workflows: Workflows
    power_w: int
    told_w: int | None = None
    register_wh: float = 1000.0
    slows_to_w: int | None = None

    def charge(self, most_s: int = 1800) -> ChargingSession:
        transaction_id = self.site.start_from_app(meter_wh=1000).transaction_id
        stops_in: int | None = None
        for second in range(1, most_s):
            self.workflows.advance(1)
            self.register_wh += self.power_w / 3600
            if second % 60 == 0:
                self.site.meter(transaction_id, int(self.register_wh), power_w=self.told_w or self.power_w)
                self.power_w = self.slows_to_w or self.power_w
            if stops_in is None and self._is_told_to_stop():
                stops_in = SECONDS_TO_STOP
            if stops_in == 0:
                break
            stops_in = None if stops_in is None else stops_in - 1
        self.site.stop(transaction_id, int(self.register_wh), reason="Remote")
        self.workflows.settle()
        return self.site.sessions()[-1]

    def _is_told_to_stop(self) -> bool:
        page = chargers.list_commands(self.site.world.ctx, CHARGER_ID, action="stop_session", limit=1, cursor=None)
        return bool(page.data)


def request(site: Site, amount: int | None, limits: Limits | None = None) -> None:
    site.advance_s(1)
    site.world.commit(
        lambda uow: service.request_session(
            uow,
            session_id=site.world.ctx.new_id("ses"),
            driver_id=site.driver.driver_id,
            charger_id=CHARGER_ID,
            evse_no=1,
            amount=None if amount is None else Money(amount, "EUR"),
            limits=limits,
        )
    )


@pytest.mark.parametrize("power_w", [7_000, 50_000, 150_000, 350_000])
def test_three_euros_are_three_euros(site: Site, workflows: Workflows, power_w: int) -> None:
    request(site, 300)
    session = FastCharger(site, workflows, power_w).charge(most_s=6000)
    assert (session.state, session.abnormal_cause) == ("settled", None)
    second_costs = power_w / 3600 * 0.035
    assert session.cost == pytest.approx(300, abs=3 * second_costs + 1)
    assert workflows.statuses() == ["SUCCEEDED"]


def test_five_kwh_are_five_kwh(site: Site, workflows: Workflows) -> None:
    request(site, 2000, Limits(energy_wh=5000))
    session = FastCharger(site, workflows, 150_000).charge()
    assert session.energy_wh == pytest.approx(5000, abs=3 * 150_000 / 3600)


def test_until_full_ends_with_the_wallet(site: Site, workflows: Workflows) -> None:
    request(site, None)
    session = FastCharger(site, workflows, 300_000).charge(most_s=3000)
    assert (session.state, session.captured, site.available()) == ("settled", 2000, 0)
    assert (session.cost or 0) - 2000 <= 3 * 300_000 / 3600 * 0.035 + 1


def test_a_charge_that_slows_down_is_not_cut_short(site: Site, workflows: Workflows) -> None:
    """At 150 kW its money would be gone 17 seconds after the second reading, which tells that it is not."""
    request(site, 200)
    session = FastCharger(site, workflows, 150_000, slows_to_w=20_000).charge()
    assert session.cost == pytest.approx(200, abs=2)


def test_a_charger_that_tells_its_power_in_another_unit_cuts_nobody_short(site: Site, workflows: Workflows) -> None:
    request(site, 300)
    session = FastCharger(site, workflows, 11_000, told_w=11_000_000).charge(most_s=6000)
    assert session.cost == pytest.approx(300, abs=2)
