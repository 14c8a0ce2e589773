"""What the energy of a delivery cost its operator: computed after the bill, never on the charger's time; and margins.

The invariant: a CDR has at most one energy cost, and what was computed stays, whatever the operator pays later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.lookup.readings import sightings_of_session
from chalicelib.charging.model import Cdr, CdrTotals, ChargingSession
from chalicelib.charging.model.margins import EnergyCost, MarginGroup, MarginSum
from chalicelib.charging.service.pricing import price_place
from chalicelib.charging.store.margins import ENERGY_COSTS, energy_cost_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs import rating
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PricePlace, TariffVersion

MOST_CDRS: Final = 100_000
"""That one question for margins looks at: what a REST call has time for."""
_CHUNK: Final = 100

MarginKey = tuple[str | None, str]
"""What was grouped by, and the currency."""


def cost_energy(uow: UnitOfWork, session: ChargingSession) -> None:
    """Adds what the energy of a session's CDRs cost, where that is not said yet. Nothing without a price of energy."""
    tariff = None if session.started_at is None else _price_of_energy(uow.ctx, session)
    if tariff is None:
        return
    billed = [cdr for cdr in lookup.list_cdrs_of_session(uow.ctx, session.session_id) if not cdr.is_credit]
    known = energy_costs_of(uow.ctx, billed)
    for cdr in (cdr for cdr in billed if cdr.cdr_id not in known):
        uow.create(ENERGY_COSTS, _cost_of(uow.ctx, session, cdr, tariff), on_conflict=StaleRead("The energy cost"))


def energy_costs_of(ctx: Context, cdrs: Iterable[Cdr | CdrTotals]) -> dict[str, EnergyCost]:
    """By the id of the CDR. Credit CDRs have the cost of what they take back (to be counted out)."""
    costed = {cdr.cdr_id: energy_cost_key(cdr.session_id, cdr.credit_reference_id or cdr.cdr_id) for cdr in cdrs}
    found = ENERGY_COSTS.batch_get(ctx, list(dict.fromkeys(costed.values())), consistent=False)
    by_key = {energy_cost_key(cost.session_id, cost.cdr_id): cost for cost in found}
    return {cdr_id: by_key[key] for cdr_id, key in costed.items() if key in by_key}


def sum_margins(
    ctx: Context,
    operator_id: str,
    days: Iterable[str],
    *,
    group_by: MarginGroup,
    is_seen: Callable[[str | None], bool] = lambda location_id: True,
    most: int = MOST_CDRS,
) -> dict[MarginKey, MarginSum]:
    """Sums the CDRs of business days (YYYY-MM-DD), at locations that `is_seen`; in memory that grows with the groups
    alone. A charger is counted in the group in which it is now. Raises margins.too_many (422) beyond `most` CDRs."""
    sums: dict[MarginKey, MarginSum] = {}
    group_of_charger: dict[str, str | None] = {}
    looked_at = 0
    for day in days:
        totals = lookup.cdr_totals_of_day(ctx, operator_id, day)
        while chunk := list(islice(totals, _CHUNK)):
            looked_at += len(chunk)
            if looked_at > most:
                raise invalid("margins.too_many", "These are too many sessions; ask for fewer days.", "/date_to")
            seen = [cdr for cdr in chunk if is_seen(cdr.location_id)]
            costs = energy_costs_of(ctx, seen)
            for cdr, key in _keyed(ctx, seen, day, group_by, group_of_charger):
                total = sums.setdefault((key, cdr.captured.currency), MarginSum())
                total.add(cdr, costs.get(cdr.cdr_id))
    return sums


def _keyed(
    ctx: Context, cdrs: list[CdrTotals], day: str, group_by: MarginGroup, group_of_charger: dict[str, str | None]
) -> Iterator[tuple[CdrTotals, str | None]]:
    if group_by == "day":
        yield from ((cdr, day) for cdr in cdrs)
        return
    if group_by == "location":
        yield from ((cdr, cdr.location_id) for cdr in cdrs)
        return
    sessions = lookup.sessions_by_id(ctx, dict.fromkeys(cdr.session_id for cdr in cdrs))
    for cdr in cdrs:
        session = sessions.get(cdr.session_id)
        charger_id = None if session is None else session.charger_id
        if group_by == "charger" or charger_id is None:
            yield cdr, charger_id if group_by == "charger" else None
            continue
        if charger_id not in group_of_charger:
            charger = chargers.get_charger(ctx, charger_id)
            group_of_charger[charger_id] = None if charger is None else charger.group_id
        yield cdr, group_of_charger[charger_id]


def _price_of_energy(ctx: Context, session: ChargingSession) -> TariffVersion | None:
    """What the operator paid for energy there when the delivery began. Most say it nowhere, which costs half a unit."""
    if not tariffs.assigns_any(ctx, session.operator_id, "energy_cost"):
        return None
    charger = chargers.get_charger(ctx, session.charger_id)
    if charger is not None and charger.operator_id == session.operator_id:
        place = replace(price_place(ctx, charger), location_id=session.location_id, above=())
    else:  # it has changed hands since
        place = PricePlace(session.charger_id, session.location_id, (), session.operator_id)
    tariff = tariffs.find_applying(ctx, place=place, purpose="energy_cost")
    return None if tariff is None else tariffs.version_at(ctx, tariff, session.started_at or session.created_at)


def _cost_of(ctx: Context, session: ChargingSession, cdr: Cdr, tariff: TariffVersion) -> EnergyCost:
    seen = sightings_of_session(ctx, session) if tariff.needs_readings else []
    cost = rating.rate(tariff, lookup.consumption(session, cdr.energy_wh, cdr.ended_at, seen))
    return EnergyCost(
        cdr_id=cdr.cdr_id,
        session_id=cdr.session_id,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff.version,
        energy_wh=cdr.energy_wh,
        cost=cost.total,
        tax=cost.tax,
        computed_at=ctx.now(),
    )
