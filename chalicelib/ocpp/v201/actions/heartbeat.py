"""Heartbeat: the charger lives, and wants to know the time (OCPP 2.0.1 G02). The gateway notes the life sign."""

from __future__ import annotations

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, call: Inbound) -> Payload:
    return {"currentTime": to_rfc3339(call.received_at)}
