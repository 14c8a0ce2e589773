"""DataTransfer: a vendor's own message (OCPP 1.6 4.3). We speak no vendor's dialect, and say so."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, _call: Inbound) -> Payload:
    return {"status": "UnknownVendorId"}
