"""Sign-in for everybody: no access token is asked for here. Answers never tell whether a name or address is known."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.model.devices import device_label
from chalicelib.identity.model.logins import Device, sign_in_name
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.texts import EmailText, LanguageText

api = Api("auth", "public")

PasswordText = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
UserNameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="Without regard to case.")]
TotpText = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=32, description="The authenticator app's six digits, or a recovery code."),
]
CodeText = Annotated[str, msgspec.Meta(min_length=1, max_length=16, description="The six digits of the mail.")]


class Credentials(Shape):
    """Exactly one of `email` and `user_name`. `totp_code` where the second factor is on."""

    password: PasswordText
    email: EmailText | None = None
    user_name: UserNameText | None = None
    totp_code: TotpText | None = None


class TokensView(Shape):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class RefreshRequest(Shape):
    refresh_token: Annotated[str, msgspec.Meta(max_length=512)]


class CodeRequest(Shape):
    """Exactly one of `email` and `user_name`; a user name is for a password reset."""

    purpose: Literal["sign_up", "password_reset"]
    email: EmailText | None = None
    user_name: UserNameText | None = None
    language: LanguageText = "en"


class CodeRequestView(Shape):
    """`resend_after_s` counts down: until then no further mail is sent."""

    resend_after_s: int


class PasswordReset(Shape):
    """The same `email` or `user_name` that the code was asked for with."""

    code: CodeText
    new_password: PasswordText
    email: EmailText | None = None
    user_name: UserNameText | None = None


def _tokens_view(tokens: service.Tokens) -> TokensView:
    return TokensView(
        access_token=tokens.access_token,
        token_type="Bearer",
        expires_in=tokens.expires_in_s,
        refresh_token=tokens.refresh_token,
    )


def _device(req: Request) -> Device:
    return Device(device_label(req.headers.get("user-agent", "")), req.actor.source_ip)


@api.post("/v1/auth/sessions")
def sign_in(req: Request, body: Credentials) -> TokensView:
    """Signs in with e-mail address or user name, and password.

    Where the second factor is on, the right password alone is answered 401 `auth.totp_required`: send it again with
    `totp_code`. After 10 attempts without success the name is locked for 15 minutes (429 with Retry-After).
    """
    name = sign_in_name(body.email, body.user_name)
    return _tokens_view(
        service.sign_in(req.uow, name, password=body.password, totp_code=body.totp_code, device=_device(req))
    )


@api.post("/v1/auth/refresh", status=200)
def refresh_sign_in(req: Request, body: RefreshRequest) -> TokensView:
    """Exchanges a refresh token for new tokens.

    Each refresh token is good once; for 30 seconds it may be sent again and gets the same refresh token, in case
    the answer was lost. Later use of an old one ends the sign-in.
    """
    return _tokens_view(service.refresh(req.uow, body.refresh_token, _device(req)))


@api.post("/v1/auth/verification-codes", status=202)
def request_verification_code(req: Request, body: CodeRequest) -> CodeRequestView:
    """Mails a six-digit code that is valid for 10 minutes and 5 tries.

    The answer is the same whether the address is known or not. Asked again before `resend_after_s` is over, no further
    mail is sent, and the answer is how long it still is.
    """
    wait_s = service.request_code(
        req.uow,
        sign_in_name(body.email, body.user_name),
        purpose=body.purpose,
        language=body.language,
        source_ip=req.actor.source_ip,
    )
    return CodeRequestView(resend_after_s=wait_s)


@api.post("/v1/auth/password-resets", status=204)
def reset_password(req: Request, body: PasswordReset) -> None:
    """Sets a new password by a mailed code; all devices must sign in again. A second factor stays on."""
    service.reset_password(
        req.uow,
        sign_in_name(body.email, body.user_name),
        code=body.code,
        new_password=body.new_password,
        source_ip=req.actor.source_ip,
    )
