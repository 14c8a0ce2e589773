"""Id tokens: what drivers present at a charger. Pure.

An id token belongs to one driver at most; a driver may have many.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import invalid

IdTokenStatus = Literal["active", "blocked"]
IdTokenKind = Literal["card", "app"]
Verdict = Literal["accepted", "blocked", "expired", "invalid"]

MAX_CARDS = 40
"""Per driver: all of them change in one transaction when the driver is deactivated."""

_ID_TOKEN = re.compile(r"[\x21-\x7e]{1,36}")
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_APP, _APP_DIGITS = "APP", 16


@dataclass(frozen=True)
class IdToken:
    """What a driver presents. All that Authorize must know is on this one row: `driver_active` and `refused_by` are
    copies from the driver. Without a driver it is a card in the drawer; `operator_id` is who configured it."""

    id_token: str
    kind: IdTokenKind
    status: IdTokenStatus
    created_at: datetime
    driver_id: str | None = None
    operator_id: str | None = None
    driver_active: bool = True
    refused_by: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    group_id: str | None = None
    note: str | None = None

    def verdict(self, operator_id: str, now: datetime) -> Verdict:
        """May it charge at this operator's chargers (money aside)? In the words of OCPP 1.6 AuthorizationStatus."""
        if self.driver_id is None:
            return "invalid"
        if self.status != "active" or not self.driver_active or operator_id in self.refused_by:
            return "blocked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "accepted"


def id_token_key(id_token: str) -> str:
    """The form in which id tokens are compared: without case (OCPP 1.6, IdToken is a CiString20)."""
    return id_token.upper()


def check_id_token(id_token: str, pointer: str = "/id_token") -> str:
    """Returns it without blanks around. Raises id_token.invalid for what no charger could send: OCPP 2.x has up to 36
    characters; those of 1.6, up to 20, never present a longer one."""
    id_token = id_token.strip()
    if not _ID_TOKEN.fullmatch(id_token):
        raise invalid("id_token.invalid", "An id token has 1 to 36 printable characters without blanks.", pointer)
    return id_token


def looks_like_app_token(id_token: str) -> bool:
    """Whether it can be one at all; whose it is, `app_token` of that driver tells."""
    return len(id_token) == len(_APP) + _APP_DIGITS and id_token.upper().startswith(_APP)


def app_token(driver_id: str) -> str:
    """The id token that stands for the driver's app: what a charger gets in RemoteStartTransaction. 19 characters."""
    number = int.from_bytes(hashlib.sha256(driver_id.encode()).digest()[:10], "big")
    return _APP + "".join(_BASE32[(number >> (5 * place)) & 31] for place in range(_APP_DIGITS))
