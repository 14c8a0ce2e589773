"""NotifyCustomerInformation: what the charger holds about a person, in parts (OCPP 2.0.1 N09, N10)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.words import is_last
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.report_customer_information(
        uow, call.charger, payload["requestId"], payload["data"], payload["seqNo"], is_last(payload)
    )
    return {}
