"""NotifyEVChargingNeeds in 2.1: as in 2.0.1, with a word of its own for "no schedule will come"."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.actions.notify_ev_charging_needs import grant
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    return {"status": "Accepted" if grant(uow, call) else "NoChargingProfile"}
