"""What every session of the third-party clients must have come to, whatever protocol it was told in."""

from __future__ import annotations

from tests.e2e.people import CARD, Site
from tests.e2e.stack import Stack


async def assert_charged_for_200_wh(stack: Stack, site: Site, session_id: str) -> None:
    """200 Wh at 0.35 EUR/kWh by card: the CDR, the operator's income, the driver's wallet."""
    await stack.settle()
    cdr = await site.operator.cdr(session_id)
    assert (cdr["energy_wh"], cdr["captured"]["amount"], cdr["id_token"]) == (200, 7, CARD)
    assert await site.operator.income(cdr["business_day"]) == 7
    assert await site.driver.balance() == 1993
    assert await site.driver.lines() == [("Top-up", 2000), ("Consumption", -2000), ("Refunded", 1993)]
    assert (await stack.execution(session_id))["status"] == "SUCCEEDED"
