"""PullDynamicScheduleUpdate: has the limit of a dynamic profile changed? (OCPP 2.1 K) The platform manages no load
and changes none by itself: what an operator sends goes out by UpdateDynamicSchedule at once, there is nothing newer."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, _call: Inbound) -> Payload:
    return {"status": "Rejected", "statusInfo": {"reasonCode": "NotFound"}}
