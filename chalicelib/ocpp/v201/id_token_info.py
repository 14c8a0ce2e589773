"""An authorization as 2.x words it: `idTokenInfo` (OCPP 2.0.1, IdTokenInfoType)."""

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
    "no_credit": "NoCredit",
}
_ID_TOKEN_LENGTH: Final = 36
"""Of 2.0.1; 2.1 takes longer ones, and we make none."""

INVALID: Final = Authorization("invalid")


def id_token_info(authorization: Authorization) -> Payload:
    info: Payload = {"status": _status(authorization)}
    if authorization.expires_at is not None:
        info["cacheExpiryDateTime"] = to_rfc3339(authorization.expires_at)
    if authorization.parent and len(authorization.parent) <= _ID_TOKEN_LENGTH:
        info["groupIdToken"] = {"idToken": authorization.parent, "type": "Central"}
    return info


def _status(authorization: Authorization) -> str:
    """A token that nobody owns is Unknown; Invalid is one that we know and do not serve here."""
    if authorization.status == "invalid" and authorization.driver_id is None:
        return "Unknown"
    return _STATUSES[authorization.status]
