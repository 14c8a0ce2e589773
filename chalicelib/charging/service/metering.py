"""MeterValues, in words of the business: one write per frame, and the watch over the driver's money."""

from __future__ import annotations

import hashlib

import msgspec

from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    ChargingSession,
    MeterReading,
    MeterSample,
    Occupancy,
    delivered_energy_wh,
    latest_sample,
)
from chalicelib.charging.service.watching import request_stop
from chalicelib.charging.store import METER_READINGS, charger_pk, session_pk
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs import rating

_FINGERPRINT_LENGTH = 8
_MAX_SAMPLES_BYTES = 100_000
"""A row takes 400 KB, and a frame of 128 KB can be more than that when it is normalised. Of what is longer the begin
and the end are kept: a stop that cannot be stored would be sent again for ever."""


def record_meter_values(
    uow: UnitOfWork, *, charger: Charger, evse_no: int, transaction_id: int | None, samples: list[MeterSample]
) -> None:
    """Keeps the samples with their session (or with the charger, when none can be found).

    The same frame sent again lands on the same row. When the energy so far costs what was reserved, the charger is
    told to stop: once, by the session's state.
    """
    latest = latest_sample(samples)
    if latest is None:
        return
    facts = _facts(uow.ctx, charger, evse_no, transaction_id)
    owner = session_pk(facts.session_id) if facts else charger_pk(charger_key(charger.charger_id))
    uow.put(METER_READINGS, reading_of(uow.ctx, owner, samples, latest))
    if facts is not None and latest.energy_wh is not None and _spends_the_hold(facts, latest):
        session = lookup.require_session(uow.ctx, facts.session_id)
        if session.state == "charging":
            _stop_if_possible(uow, session)


def _stop_if_possible(uow: UnitOfWork, session: ChargingSession) -> None:
    """A full queue of commands must not cost the readings; the next frame tries again."""
    try:
        request_stop(uow, session, requested_by="limit")
    except DomainError as error:
        if error.code != "command.queue_full":
            raise


def reading_of(ctx: Context, owner: str, samples: list[MeterSample], latest: MeterSample) -> MeterReading:
    content = msgspec.json.encode(samples)
    if len(content) > _MAX_SAMPLES_BYTES:
        samples = [samples[0], samples[-1]]
    return MeterReading(
        owner=owner,
        taken_at=latest.taken_at,
        received_at=ctx.now(),
        fingerprint=hashlib.sha256(content).hexdigest()[:_FINGERPRINT_LENGTH],
        energy_wh=latest.energy_wh,
        power_w=latest.power_w,
        soc_percent=latest.soc_percent,
        samples=samples,
    )


def _spends_the_hold(facts: SessionFacts, latest: MeterSample) -> bool:
    if facts.tariff is None or not facts.held:
        return False
    energy_wh = delivered_energy_wh(facts.meter_start_wh, latest.energy_wh)
    consumption = lookup.consumption(facts.session, energy_wh, latest.taken_at)
    return rating.total_cost(facts.tariff, consumption).amount >= facts.held


def _facts(ctx: Context, charger: Charger, evse_no: int, transaction_id: int | None) -> SessionFacts | None:
    """The session these values belong to: by transaction id, else the one that is delivering on the EVSE."""
    key = charger_key(charger.charger_id)
    cache = ctx.cache("charging.facts", size=4096)
    if transaction_id is not None:
        known: SessionFacts | None = cache.get((key, transaction_id))
        if known is not None:
            return known
    occupancy = lookup.find_occupancy(ctx, key, evse_no)
    session_id = None if transaction_id is None else _session_of(ctx, key, occupancy, transaction_id)
    wanted = session_id or (occupancy.session_id if occupancy else None)
    session = lookup.find_session(ctx, wanted) if wanted else None
    if session is None or session.meter_start_wh is None or (session_id is None and not session.is_open):
        return None
    facts = SessionFacts(
        session_id=session.session_id,
        operator_id=session.operator_id,
        meter_start_wh=session.meter_start_wh,
        held=session.held,
        tariff=lookup.tariff_of(ctx, session),
        session=session,
    )
    if session_id is not None:
        cache.put((key, transaction_id), facts)
    return facts


def _session_of(ctx: Context, key: str, occupancy: Occupancy | None, transaction_id: int) -> str | None:
    """On the connector that was named, else on any other: some firmware names connector 0, or a wrong one."""
    session_id = occupancy.session_of(transaction_id) if occupancy else None
    if session_id is not None:
        return session_id
    elsewhere = (other.session_of(transaction_id) for other in lookup.list_occupancies(ctx, key))
    return next((found for found in elsewhere if found is not None), None)
