"""Where a charger stands for those who ask for its price, and what a driver pays there.

Called by whatever begins a charging session, and by what shows prices before one. The tree above a charger never
changes where it hangs, so a warm process reads of it nothing twice.
"""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.charging.service.authorizing import operator_of
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PricePlace, TariffVersion
from chalicelib.tariffs.telling import is_free


def price_place(ctx: Context, charger: Charger) -> PricePlace:
    """The charger with all that it is within, nearest first. Raises organization.not_found."""
    operator = operator_of(ctx, charger.operator_id)
    lineage = chargers.group_lineage(ctx, charger.operator_id, charger.group_id) if charger.group_id else ()
    return PricePlace(
        charger_id=charger.charger_id,
        location_id=charger.location_id,
        charger_group_ids=lineage[::-1],
        operator_id=charger.operator_id,
        above=tuple(reversed(operator.path)),
        currency=operator.currency,
    )


def price_for(ctx: Context, charger: Charger, driver_groups: tuple[str, ...] = ()) -> TariffVersion:
    """What somebody of these groups pays there now. Raises tariff.none."""
    return tariffs.resolve_tariff(ctx, place=price_place(ctx, charger), driver_groups=driver_groups)


def find_price(ctx: Context, charger: Charger, driver_groups: tuple[str, ...] = ()) -> TariffVersion | None:
    """As `price_for`; None where no tariff applies."""
    return tariffs.find_applying(ctx, place=price_place(ctx, charger), driver_groups=driver_groups)


def check_can_be_paid(ctx: Context, tariff: TariffVersion) -> None:
    """Raises payment_provider.missing (409): what costs something is not sold from the phone where nobody could pay."""
    # Loaded for the app alone: no charger's first frame waits for what payments need.
    from chalicelib.payments import service as payments

    if not payments.is_configured(ctx) and not is_free(tariff):
        raise conflict("payment_provider.missing", "This platform takes no payments: charge with a card.")
