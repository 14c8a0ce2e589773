"""Why a driver could not start a charge from the phone at a charger, whatever its connectors do: told before they try.

The rules are those of `requesting`, asked in the same order; nothing is decided here.
"""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.charging.service.pricing import check_can_be_paid
from chalicelib.charging.service.reviewing import check_statement_due
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.tariffs.model import TariffVersion


def refusal_of_start(ctx: Context, charger: Charger, driver: Driver | None, price: TariffVersion | None) -> str | None:
    """The code of the error that a start would be answered; None: nothing is in the way. `price` is what applies."""
    if driver is None or drivers.standing(driver, charger.operator_id) == "inactive":
        return "driver.inactive"
    if not chargers.may_start(ctx, charger, driver.driver_id):
        return "charger.not_public"
    if price is None:
        return "tariff.none"
    try:
        check_statement_due(ctx, driver.driver_id)
        if charger.operator_id not in driver.enterprises:  # an enterprise pays by invoice
            check_can_be_paid(ctx, price)
    except DomainError as error:
        return error.code
    return None
