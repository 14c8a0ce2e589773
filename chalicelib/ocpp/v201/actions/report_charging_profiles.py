"""ReportChargingProfiles: the charging profiles that the charger has, in parts (OCPP 2.0.1 K09)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.words import is_last
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.report_charging_profiles(
        uow,
        call.charger,
        payload["requestId"],
        payload["evseId"],
        payload["chargingLimitSource"],
        payload["chargingProfile"],
        is_last(payload),
    )
    return {}
