"""TransactionEvent in 2.1: as in 2.0.1, and the answer tells the charger what to stop at (OCPP 2.1 E16, E17: limits by
cost, energy, time and state of charge)."""

from __future__ import annotations

from chalicelib.charging.model import Limits
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.actions.transaction_event import answer_of, major_units, record
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    outcome = record(uow, call)
    answer = answer_of(outcome)
    limit = {} if outcome.limits is None else transaction_limit(outcome.limits)
    if limit:
        answer["transactionLimit"] = limit
    return answer


def transaction_limit(limits: Limits) -> Payload:
    """`maxCost` in the currency of the tariff, `maxEnergy` in Wh, `maxTime` in seconds, `maxSoC` in percent."""
    limit: Payload = {}
    if limits.cost is not None:
        limit["maxCost"] = major_units(limits.cost)
    if limits.energy_wh is not None:
        limit["maxEnergy"] = limits.energy_wh
    if limits.duration_s is not None:
        limit["maxTime"] = limits.duration_s
    if limits.soc_percent is not None:
        limit["maxSoC"] = limits.soc_percent
    return limit
