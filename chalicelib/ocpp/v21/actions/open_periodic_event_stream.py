"""OpenPeriodicEventStream: the charger would send a variable's values without being answered (OCPP 2.1 N).

We take none: what is not answered may be lost unnoticed, and NotifyEvent carries the same values.
"""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, _call: Inbound) -> Payload:
    return {"status": "Rejected", "statusInfo": {"reasonCode": "NotEnabled"}}
