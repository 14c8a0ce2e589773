"""Signatures as Standard Webhooks has them (version 1.0.0 of its specification). Pure.

`webhook-signature: v1,<base64 HMAC-SHA256 of "id.timestamp.body">`, one per valid secret, a space between. A secret is
`whsec_` and the base64 of its bytes; the key of the HMAC are the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""The specification wants 24 to 64."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature_header(valid_secrets: Sequence[str], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header's value: while secrets rotate, receivers may check by either."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in valid_secrets)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
