"""Dynamic QR codes (OCPP 2.1 C25): a charger shows a URL with a password that is good for some seconds. Pure.

Who opens the URL has stood before the display just now: a sticker over the code, or a photo of it, opens nothing.
The charger makes the passwords from a secret that it shares with us, by "TOTP algorithm, version 1" of C25.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

VERSION = "v1"
VALIDITY_S = 60
LENGTH = 12
"""Characters of a password, of 62 each: guessing one in its three minutes is hopeless."""
STARTED_TIMEOUT_S = 300
"""How long a charger keeps an EVSE for somebody who pays (NotifyWebPaymentStarted: at most five minutes)."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COMPONENT = "WebPaymentsCtrlr"
_PURPOSE = b"web-payments|"


def shared_secret(charger_key: str, key: bytes) -> str:
    """The secret of a charger: 64 hex digits, made from our own key, so that it need not be kept."""
    return hmac.new(key, _PURPOSE + charger_key.encode(), hashlib.sha256).hexdigest()


def password_at(secret: str, moment: datetime, *, validity_s: int = VALIDITY_S, length: int = LENGTH) -> str:
    """The one-time password of the interval that `moment` falls in."""
    return _password(secret, int(moment.timestamp()) // validity_s, length)


def is_password(text: str, secret: str, now: datetime) -> bool:
    """Whether `text` is the password of the present interval, of the one before (a slow thumb) or the one after (a
    fast clock), as C25 has it. In constant time."""
    interval = int(now.timestamp()) // VALIDITY_S
    presented = text.encode()
    matches = [
        hmac.compare_digest(presented, _password(secret, interval + shift, LENGTH).encode()) for shift in (0, -1, 1)
    ]
    return any(matches)


def settings(secret: str, public_url: str) -> dict[str, str]:
    """What a charger must be told, by the name of its variable. It fills in what stands in braces."""
    values = {
        "URLTemplate": f"{public_url}/pay/{{chargingstationid}}/{{evse}}/{{totp}}/{{version}}",
        "TOTPVersion": VERSION,
        "SharedSecret": secret,
        "ValidityTime": str(VALIDITY_S),
        "Length": str(LENGTH),
        "Enabled": "true",
    }
    return {f"{_COMPONENT}/{name}": value for name, value in values.items()}


def _password(secret: str, interval: int, length: int) -> str:
    digest = hmac.new(secret.encode(), interval.to_bytes(8, "big", signed=True), hashlib.sha256).digest()
    offset = digest[-1] & 0x0F
    return "".join(_ALPHABET[digest[(offset + place) % len(digest)] % len(_ALPHABET)] for place in range(length))
