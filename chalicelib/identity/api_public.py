"""Sign-in for everybody: no access token is asked for here. Answers never tell whether an address is known."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.kernel.http import Api, Request, Shape

api = Api("auth", "public")

EmailText = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="An e-mail address.")]
PasswordText = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
CodeText = Annotated[str, msgspec.Meta(min_length=1, max_length=16, description="The six digits of the mail.")]
LanguageText = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$(?!\n)", description="BCP 47, e.g. `en`.")]


class Credentials(Shape):
    email: EmailText
    password: PasswordText


class TokensView(Shape):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class RefreshRequest(Shape):
    refresh_token: Annotated[str, msgspec.Meta(max_length=512)]


class CodeRequest(Shape):
    email: EmailText
    purpose: Literal["sign_up", "password_reset"]
    language: LanguageText = "en"


class CodeRequestView(Shape):
    resend_after_s: int


class PasswordReset(Shape):
    email: EmailText
    code: CodeText
    new_password: PasswordText


def _tokens_view(tokens: service.Tokens) -> TokensView:
    return TokensView(
        access_token=tokens.access_token,
        token_type="Bearer",
        expires_in=tokens.expires_in_s,
        refresh_token=tokens.refresh_token,
    )


@api.post("/v1/auth/sessions")
def sign_in(req: Request, body: Credentials) -> TokensView:
    """Signs in with e-mail address and password.

    After 10 wrong passwords the address is locked for 15 minutes (429 with Retry-After).
    """
    return _tokens_view(
        service.sign_in(req.uow, email=body.email, password=body.password, source_ip=req.actor.source_ip)
    )


@api.post("/v1/auth/refresh", status=200)
def refresh_sign_in(req: Request, body: RefreshRequest) -> TokensView:
    """Exchanges a refresh token for new tokens.

    Each refresh token is good once; for 30 seconds it may be sent again and gets the same refresh token, in case
    the answer was lost. Later use of an old one ends the sign-in.
    """
    return _tokens_view(service.refresh(req.uow, body.refresh_token))


@api.post("/v1/auth/verification-codes", status=202)
def request_verification_code(req: Request, body: CodeRequest) -> CodeRequestView:
    """Mails a six-digit code that is valid for 10 minutes and 5 tries.

    The answer is the same whether the address is known or not. Within `resend_after_s` no further mail is sent.
    """
    wait_s = service.request_code(
        req.uow, email=body.email, purpose=body.purpose, language=body.language, source_ip=req.actor.source_ip
    )
    return CodeRequestView(resend_after_s=wait_s)


@api.post("/v1/auth/password-resets", status=204)
def reset_password(req: Request, body: PasswordReset) -> None:
    """Sets a new password by a mailed code; all devices must sign in again."""
    service.reset_password(req.uow, email=body.email, code=body.code, new_password=body.new_password)
