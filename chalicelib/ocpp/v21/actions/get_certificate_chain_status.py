"""GetCertificateChainStatus: are these certificates of a chain revoked? (OCPP 2.1 M) Writes nothing.

Each is answered by itself, from what our authority issued and revoked; of all others nothing is known.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound

GOOD_FOR: Final = timedelta(hours=24)
"""How long a charger may keep an answer."""

_STATUSES: Final = {"good": "Good", "revoked": "Revoked", "unknown": "Unknown"}


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    next_update = to_rfc3339(call.received_at + GOOD_FOR)
    return {
        "certificateStatus": [
            {
                "certificateHashData": request["certificateHashData"],
                "source": request["source"],
                "status": _STATUSES[maintenance.certificate_standing(uow.ctx, request["certificateHashData"])],
                "nextUpdate": next_update,
            }
            for request in call.payload["certificateStatusRequests"]
        ]
    }
