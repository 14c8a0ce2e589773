"""Rows of signing in: logins, what was signed in with them, second factors, API keys, and what guards against guessing.

What hangs on a login stands under its id, so that it is listed strongly consistent and without an index. Sign-ins, and
rows that only guard against guessing, expire by themselves.
"""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.identity.model import Attempts, Login, LoginPointer, SignIn, VerificationCode, email_key
from chalicelib.identity.model.api_keys import ApiKey
from chalicelib.identity.model.totp import Totp
from chalicelib.identity.store import TABLE, ByOrganization
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

SIGN_IN_PREFIX = "sign_in#"
API_KEY_PREFIX = "api_key#"


class LoginRow(Row):
    class Meta:
        table_name = TABLE

    login_id = UnicodeAttribute()
    email = UnicodeAttribute()
    created_at = MomentAttribute()
    password_hash = UnicodeAttribute(null=True)
    password_version = NumberAttribute()
    user_id = UnicodeAttribute(null=True)
    driver_id = UnicodeAttribute(null=True)


class LoginPointerRow(Row):
    class Meta:
        table_name = TABLE

    login_id = UnicodeAttribute()
    email = UnicodeAttribute()


class SignInRow(Row):
    class Meta:
        table_name = TABLE

    sign_in_id = UnicodeAttribute()
    login_id = UnicodeAttribute()
    email = UnicodeAttribute()
    password_version = NumberAttribute()
    created_at = MomentAttribute()
    rotated_at = MomentAttribute()
    expires_at = NumberAttribute()
    generation = NumberAttribute()
    device = UnicodeAttribute()
    source_ip = UnicodeAttribute()
    ended_at = MomentAttribute(null=True)


class TotpRow(Row):
    class Meta:
        table_name = TABLE

    login_id = UnicodeAttribute()
    sealed_secret = UnicodeAttribute()
    created_at = MomentAttribute()
    confirmed_at = MomentAttribute(null=True)
    last_step = NumberAttribute()
    recovery_hashes = ValueAttribute(list[str])
    revision = NumberAttribute()


class ApiKeyRow(Row):
    class Meta:
        table_name = TABLE

    api_key_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    name = UnicodeAttribute()
    permissions = ValueAttribute(list[str])
    secret_hash = UnicodeAttribute()
    created_at = MomentAttribute()
    created_by = UnicodeAttribute()
    region_ids = ValueAttribute(list[str])
    vending_point_ids = ValueAttribute(list[str])
    allowed_ips = ValueAttribute(list[str])
    expires_at = MomentAttribute(null=True, attr_name="valid_until")
    last_used_at = MomentAttribute(null=True)
    rotated_at = MomentAttribute(null=True)
    previous_hash = UnicodeAttribute(null=True)
    previous_until = MomentAttribute(null=True)
    revoked_at = MomentAttribute(null=True)
    member_of = UnicodeAttribute()
    by_organization = ByOrganization()


class AttemptsRow(Row):
    class Meta:
        table_name = TABLE

    subject = UnicodeAttribute()
    made = NumberAttribute()
    until = MomentAttribute()
    expires_at = NumberAttribute()


class VerificationCodeRow(Row):
    class Meta:
        table_name = TABLE

    email = UnicodeAttribute()
    purpose = UnicodeAttribute()
    tries = NumberAttribute()
    issued_at = MomentAttribute()
    valid_until = MomentAttribute()
    issued = NumberAttribute()
    window_ends_at = MomentAttribute()
    code_hash = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


def login_key(email: str) -> tuple[str, str]:
    return f"login#{email_key(email)}", "login"


def login_pk(login_id: str) -> str:
    return f"login_id#{login_id}"


def login_pointer_key(login_id: str) -> tuple[str, str]:
    return login_pk(login_id), "login_id"


def sign_in_key(login_id: str, sign_in_id: str) -> tuple[str, str]:
    return login_pk(login_id), f"{SIGN_IN_PREFIX}{sign_in_id}"


def totp_key(login_id: str) -> tuple[str, str]:
    return login_pk(login_id), "totp"


def api_key_key(api_key_id: str) -> tuple[str, str]:
    return f"{API_KEY_PREFIX}{api_key_id}", "api_key"


def attempts_key(subject: str) -> tuple[str, str]:
    return f"attempts#{subject}", "attempts"


def code_key(email: str, purpose: str) -> tuple[str, str]:
    return f"code#{email_key(email)}", f"code#{purpose}"


LOGINS: Table[Login] = Table(LoginRow, Login, key=lambda login: login_key(login.email))
LOGIN_POINTERS: Table[LoginPointer] = Table(
    LoginPointerRow, LoginPointer, key=lambda pointer: login_pointer_key(pointer.login_id)
)
SIGN_INS: Table[SignIn] = Table(
    SignInRow, SignIn, key=lambda sign_in: sign_in_key(sign_in.login_id, sign_in.sign_in_id)
)
TOTPS: Table[Totp] = Table(TotpRow, Totp, key=lambda totp: totp_key(totp.login_id))
API_KEYS: Table[ApiKey] = Table(
    ApiKeyRow,
    ApiKey,
    key=lambda api_key: api_key_key(api_key.api_key_id),
    extra=lambda api_key: {"member_of": api_key.organization_id},
)
ATTEMPTS: Table[Attempts] = Table(
    AttemptsRow,
    Attempts,
    key=lambda attempts: attempts_key(attempts.subject),
    extra=lambda attempts: {"expires_at": int(attempts.until.timestamp())},
)
CODES: Table[VerificationCode] = Table(
    VerificationCodeRow,
    VerificationCode,
    key=lambda code: code_key(code.email, code.purpose),
    extra=lambda code: {"expires_at": int(code.window_ends_at.timestamp())},
)
