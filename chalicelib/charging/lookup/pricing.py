"""What a session costs: its tariff, and what of it is to be paid for. The bill, and the cost so far.

Both are the same pure function over the same meter values. Only what the cost so far is made of may come from the
memory of a warm process (`sightings_so_far`); a bill reads everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.charging.lookup.readings import sightings_of_session, sightings_so_far
from chalicelib.charging.model import LONGEST_DELIVERY, ChargingSession, MeterReading
from chalicelib.charging.model.sightings import Sighting, delivered_readings, sightings_of
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.tariffs import rating
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Consumption, RatedCost, TariffVersion


@dataclass(frozen=True)
class SessionFacts:
    """What hardly changes while a session delivers: safe to keep in a warm process, as long as nothing is decided
    by it that the session itself does not confirm."""

    session: ChargingSession
    tariff: TariffVersion | None


def tariff_of(ctx: Context, session: ChargingSession) -> TariffVersion | None:
    if session.tariff_id is None or session.tariff_version is None:
        return None
    return tariffs.get_version(ctx, session.tariff_id, session.tariff_version)


def bill(
    ctx: Context, session: ChargingSession, energy_wh: int, ended_at: datetime, unsaved: MeterReading | None = None
) -> RatedCost | None:
    """The final cost of a delivery by the tariff frozen into the session; None where there is no price. `unsaved` is
    the frame that is being taken, which is not in the store yet."""
    tariff = tariff_of(ctx, session)
    if tariff is None or session.started_at is None:
        return None
    seen = [*sightings_of_session(ctx, session), *_of(unsaved)] if tariff.needs_readings else []
    return rating.rate(tariff, consumption(session, energy_wh, ended_at, seen))


def cost_so_far(
    ctx: Context, facts: SessionFacts, energy_wh: int, until: datetime, unsaved: MeterReading | None = None
) -> Money:
    """What a running delivery has cost up to `until`; nothing where there is no price."""
    session, tariff = facts.session, facts.tariff
    if tariff is None or session.started_at is None:
        return Money.zero(session.currency)
    seen = [*sightings_so_far(ctx, session), *_of(unsaved)] if tariff.needs_readings else []
    return rating.total_cost(tariff, consumption(session, energy_wh, until, seen))


def consumption(
    session: ChargingSession, energy_wh: int, until: datetime, seen: Iterable[Sighting] = ()
) -> Consumption:
    """What the tariff is applied to; a charger whose clock jumped back has used no time.

    More time than a delivery can take means that the charger's clock was set on the way: then it began when we were
    told, and told of afterwards it took no time that anybody knows of. The cause is on the CDR (`clock_fault`).
    """
    started_at = session.started_at or session.created_at
    if until - started_at > LONGEST_DELIVERY:
        started_at = min(session.created_at, until)
    whole = Consumption(
        started_at=started_at,
        ended_at=max(started_at, until),
        energy_wh=energy_wh,
        time_zone=session.time_zone,
    )
    readings = delivered_readings(seen, session.meter_start_wh, whole)
    return replace(whole, readings=readings) if readings else whole


def _of(reading: MeterReading | None) -> tuple[Sighting, ...]:
    return () if reading is None else sightings_of(reading)
