"""The second factor: time-based one-time codes (RFC 6238) and the recovery codes beside them. Pure.

SHA-1, six digits, steps of 30 seconds: what every authenticator app reads. A code is good once, in its own step and
the one before and after (RFC 6238, 5.2). Time is the caller's, never the library's.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from chalicelib.kernel.clock import to_epoch_ms
from chalicelib.kernel.errors import DomainError, conflict, invalid, unauthenticated

STEP_S: Final = 30
DRIFT_STEPS: Final = 1
DIGITS: Final = 6
SECRET_BYTES: Final = 20
"""RFC 4226, 4: a shared secret has at least 128 bits, better 160."""
SET_UP_WITHIN: Final = timedelta(minutes=15)
RECOVERY_CODES: Final = 10
RECOVERY_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is mistaken for something else on paper."""
RECOVERY_LENGTH: Final = 10
ISSUER: Final = "Wattfare"


@dataclass(frozen=True)
class Totp:
    """The second factor of a login. Without `confirmed_at` it is being set up and asks nobody for a code.

    `sealed_secret` is encrypted, `recovery_hashes` are keyed hashes of the codes that are left, `last_step` is the step
    of the last code that was good. `revision` counts writes: who uses a code names the one that was read.
    """

    login_id: str
    sealed_secret: str
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    recovery_hashes: list[str] = field(default_factory=list)
    revision: int = 1

    @property
    def is_on(self) -> bool:
        return self.confirmed_at is not None

    def may_be_confirmed(self, now: datetime) -> bool:
        return not self.is_on and now < self.created_at + SET_UP_WITHIN


def code_at(secret: str, step: int) -> str:
    """The code of one step. `secret` in base32."""
    import pyotp

    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def step_of(now: datetime) -> int:
    return to_epoch_ms(now) // 1000 // STEP_S


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is. All are compared, so that the time tells nothing."""
    present, found = step_of(now), None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def after_code(known: Totp, secret: str, code: str, now: datetime) -> Totp | None:
    """The factor after a code of the app was used; None for a wrong one, and for one that is not newer than the
    last."""
    step = matching_step(secret, code, now)
    if step is None or step <= known.last_step:
        return None
    return replace(known, last_step=step, revision=known.revision + 1)


def after_recovery(known: Totp, code_hash: str) -> Totp | None:
    """The factor after a recovery code was used up; None for one that it has not."""
    left = [other for other in known.recovery_hashes if not hmac.compare_digest(other, code_hash)]
    if len(left) == len(known.recovery_hashes):
        return None
    return replace(known, recovery_hashes=left, revision=known.revision + 1)


def typed_code(code: str) -> str:
    """As it is compared: people type blanks and hyphens, and capitals."""
    return re.sub(r"[\s-]", "", code).lower()


def is_app_code(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdecimal()


def provisioning_uri(secret: str, email: str) -> str:
    """What an authenticator app reads from a QR code (Key URI format)."""
    import pyotp

    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(name=email, issuer_name=ISSUER)


def qr_code(uri: str) -> str:
    """An SVG image as a data URI: pages may show it without drawing, or asking anybody else for it."""
    import segno

    return str(segno.make(uri, error="m", micro=False).svg_data_uri(scale=4, border=4))


def totp_required() -> DomainError:
    """Only who knows the password learns that there is a second factor."""
    return unauthenticated("auth.totp_required", "This sign-in needs the code of the authenticator app too.")


def totp_invalid() -> DomainError:
    """One error for wrong, used and expired codes."""
    return unauthenticated("auth.totp_invalid", "The code of the authenticator app is wrong or was used before.")


def code_wrong() -> DomainError:
    return invalid("totp.code_wrong", "This is not the code that the authenticator app shows now.", "/code")


def already_on() -> DomainError:
    return conflict("totp.on", "The second factor is on; turn it off first.")


def is_off() -> DomainError:
    return conflict("totp.off", "There is no second factor.")


def not_begun() -> DomainError:
    return conflict("totp.not_begun", "Begin again: there is no second factor that waits for its first code.")
