"""MeterValues, in words of the business: one write per frame; what they mean for its limits, `limiting` knows."""

from __future__ import annotations

import hashlib

import msgspec

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    MeterReading,
    MeterSample,
    Occupancy,
    TransactionId,
    latest_sample,
)
from chalicelib.charging.service.limiting import watch_limits
from chalicelib.charging.store import charger_pk
from chalicelib.charging.store.transactions import METER_READINGS
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork

_FINGERPRINT_LENGTH = 8
_MAX_SAMPLES_BYTES = 100_000
"""A row takes 400 KB, and a frame of 128 KB can be more than that when it is normalised. Of what is longer the begin
and the end are kept: a stop that cannot be stored would be sent again for ever."""


def record_meter_values(
    uow: UnitOfWork,
    *,
    charger: Charger,
    evse_no: int,
    transaction_id: TransactionId | None,
    samples: list[MeterSample],
) -> None:
    """Keeps the samples with their session (or with the charger, when none can be found).

    The same frame sent again lands on the same row. When the energy so far costs what was reserved, when a limit of
    the driver's is reached, or when a charger delivers that was told not to, it is told to stop.
    """
    latest = latest_sample(samples)
    if latest is None:
        return
    facts = _facts(uow.ctx, charger, evse_no, transaction_id)
    key = charger.charger_key
    owner = lookup.readings_owner(facts.session) if facts else charger_pk(key)
    reading = reading_of(uow.ctx, owner, samples, latest)
    uow.put(METER_READINGS, reading)
    if facts is not None:
        watch_limits(uow, facts, reading)


def reading_of(
    ctx: Context,
    owner: str,
    samples: list[MeterSample],
    latest: MeterSample,
    *,
    seq_no: int | None = None,
    charging_state: str | None = None,
) -> MeterReading:
    content = msgspec.json.encode(samples if seq_no is None else [samples, seq_no, charging_state])
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
        seq_no=seq_no,
        charging_state=charging_state,
    )


def _facts(ctx: Context, charger: Charger, evse_no: int, transaction_id: TransactionId | None) -> SessionFacts | None:
    """The session these values belong to: by transaction id, else the one that is delivering on the EVSE."""
    key = charger.charger_key
    cache = ctx.cache("charging.facts", size=4096)
    if transaction_id is not None:
        known: SessionFacts | None = cache.get((key, transaction_id))
        if known is not None:
            return known
    occupancy = lookup.find_occupancy(ctx, key, evse_no)
    session_id = None if transaction_id is None else _session_of(ctx, key, occupancy, transaction_id)
    wanted = session_id or (occupancy.session_id if occupancy else None)
    session = lookup.find_session(ctx, wanted) if wanted else None
    if session is None or session.started_at is None:
        return None
    if session_id is None and (not session.has_evse or session.evse_no != evse_no):
        return None
    facts = SessionFacts(session, lookup.tariff_of(ctx, session))
    if session_id is not None and session.meter_start_wh is not None:
        cache.put((key, transaction_id), facts)
    return facts


def _session_of(ctx: Context, key: str, occupancy: Occupancy | None, transaction_id: TransactionId) -> str | None:
    """On the connector that was named, else on any other: some firmware names connector 0, or a wrong one."""
    session_id = occupancy.session_of(transaction_id) if occupancy else None
    if session_id is not None:
        return session_id
    elsewhere = (other.session_of(transaction_id) for other in lookup.list_occupancies(ctx, key))
    return next((found for found in elsewhere if found is not None), None)
