"""Secrets that we must read again, encrypted for the store: AES-256-GCM under a key of the deployment's own.

What was sealed for one purpose and subject opens for no other: a row that was copied to somebody else is of no use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from chalicelib.identity.service.access_tokens import KEY_NAME
from chalicelib.kernel.context import Context

NONCE_BYTES: Final = 12


def seal(ctx: Context, purpose: str, subject: str, text: str) -> str:
    """`purpose` is a word of ours, `subject` the id of whose it is."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(ctx, purpose)).encrypt(nonce, text.encode(), subject.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(ctx: Context, purpose: str, subject: str, sealed: str) -> str:
    """Raises cryptography's InvalidTag for what was not sealed so: the row, or the deployment's key, is not ours."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = base64.b64decode(sealed)
    opened = AESGCM(_key(ctx, purpose)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], subject.encode())
    return opened.decode()


def _key(ctx: Context, purpose: str) -> bytes:
    return hmac.new(ctx.secret(KEY_NAME).encode(), f"seal\x00{purpose}".encode(), hashlib.sha256).digest()
