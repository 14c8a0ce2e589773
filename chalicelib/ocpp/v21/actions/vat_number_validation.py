"""VatNumberValidation: a driver typed a VAT number for a receipt; is it one? (OCPP 2.1 C) Writes nothing.

We check its form, and say so: whether it is registered we cannot know.
"""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v21.vat_numbers import is_vat_number
from chalicelib.ocpp.version import Inbound


def handle(_uow: UnitOfWork, call: Inbound) -> Payload:
    said: Payload = {name: call.payload[name] for name in ("vatNumber", "evseId") if name in call.payload}
    if is_vat_number(call.payload["vatNumber"]):
        return {**said, "status": "Accepted", "statusInfo": {"reasonCode": "FormOnly"}}
    reason = {"reasonCode": "InvalidValue", "additionalInfo": "no VAT number of the European Union has this form"}
    return {**said, "status": "Rejected", "statusInfo": reason}
