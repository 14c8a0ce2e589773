"""An authorization as 1.6 words it: `idTagInfo` (OCPP 1.6 7.25, 7.1)."""

from __future__ import annotations

from typing import Final

from chalicelib.charging.model import Authorization, AuthorizationStatus
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.ocpp.frames import Payload

_STATUSES: Final[dict[AuthorizationStatus, str]] = {
    "accepted": "Accepted",
    "blocked": "Blocked",
    "expired": "Expired",
    "invalid": "Invalid",
    "concurrent": "ConcurrentTx",
    "no_credit": "Blocked",
}
ID_TAG_LENGTH: Final = 20


def id_tag_info(authorization: Authorization) -> Payload:
    info: Payload = {"status": _STATUSES[authorization.status]}
    if authorization.expires_at is not None:
        info["expiryDate"] = to_rfc3339(authorization.expires_at)
    if authorization.parent and len(authorization.parent) <= ID_TAG_LENGTH:
        info["parentIdTag"] = authorization.parent
    return info


INVALID: Final = Authorization("invalid")
