"""ClosePeriodicEventStream: the charger ends a stream (OCPP 2.1 N). We opened none, so there is nothing to end."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, _call: Inbound) -> Payload:
    return {}
