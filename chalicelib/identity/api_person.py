"""What every signed-in person may do with their own sign-in, driver or user. API keys are nobody's, and have none."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_public import PasswordText, TotpText
from chalicelib.identity.model import Login, SignIn, with_shown_names
from chalicelib.identity.model.logins import SignInName
from chalicelib.identity.model.totp import provisioning_uri, qr_code
from chalicelib.identity.permissions import ALL_PERMISSIONS
from chalicelib.identity.service import Proof, sign_ins, totp
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import UNSET, Api, PageView, Request, Shape, Unset, changes_of
from chalicelib.kernel.texts import LanguageText, NameText, PhoneText

api = Api("me", "person")


class MeOrganizationView(Shape):
    organization_id: str
    kind: str
    name: str
    currency: str
    time_zone: str


class MeView(Shape):
    login_id: str
    email: str
    permissions: list[str]
    user_id: str | None = None
    user_name: str | None = None
    full_name: str | None = None
    phone: str | None = None
    language: str | None = None
    groups: list[str] = msgspec.field(default_factory=list)
    organization: MeOrganizationView | None = None
    driver_id: str | None = None


class MePatch(Shape):
    full_name: NameText | Unset = UNSET
    phone: PhoneText | Unset | None = UNSET
    language: LanguageText | Unset = UNSET


class PasswordChange(Shape):
    old_password: PasswordText
    new_password: PasswordText


class SignInView(Shape):
    """One device. `device` is what it calls itself, `source_ip` from where it was last used; `current` is this one."""

    sign_in_id: str
    device: str
    source_ip: str
    created_at: datetime
    last_used_at: datetime
    current: bool


class TotpView(Shape):
    """`pending` waits for its first code, and asks nobody for one yet."""

    state: Literal["off", "pending", "on"]
    recovery_codes_left: int
    confirmed_at: datetime | None = None


class TotpBegin(Shape):
    password: PasswordText


class TotpSetUpView(Shape):
    """For the authenticator app: `qr_code` to scan (an SVG image as a data URI), which says `otpauth_uri`, or the
    `secret` to type."""

    secret: str
    otpauth_uri: str
    qr_code: str


class TotpConfirmation(Shape):
    code: TotpText


class RecoveryCodesView(Shape):
    """Each is good once, in place of the app's code. Nobody can read them again."""

    recovery_codes: list[str]


class TotpProof(Shape):
    password: PasswordText
    totp_code: TotpText


@api.delete("/v1/auth/sessions")
def sign_out(req: Request) -> None:
    """Ends this device's sign-in: its refresh tokens are void, its access tokens half a minute later at most."""
    req.audit("sign_in", req.actor.sign_in_id)
    service.sign_out(req.uow, req.actor.login_id, req.actor.sign_in_id)


@api.get("/v1/me")
def get_me(req: Request) -> MeView:
    """Who is signed in, and what they may do."""
    return _view(req, {})


@api.patch("/v1/me")
def update_me(req: Request, body: MePatch) -> MeView:
    """Changes the name, phone or language of the signed-in user. Drivers have their own resource, `/v1/driver/me`."""
    changes = with_shown_names(changes_of(body), "full_name")
    if req.actor.user_id is None or req.actor.organization_id is None:
        raise invalid("me.not_a_user", "This sign-in belongs to a driver; change /v1/driver/me.")
    user = service.get_user(req.ctx, req.actor.user_id)
    organization = service.get_organization(req.ctx, req.actor.organization_id)
    service.update_user(req.uow, user, organization, changes, by=user.user_id)
    view = _view(req, changes)
    req.audit("user", user.user_id, before=_view(req, {}), after=view)
    return view


@api.post("/v1/me/password", status=204)
def change_password(req: Request, body: PasswordChange) -> None:
    """Changes the password; every device, this one too, must sign in again within half a minute."""
    login = service.change_password(req.uow, req.actor, old_password=body.old_password, new_password=body.new_password)
    _audit(req, login, {"password": "new"})


@api.get("/v1/me/sign-ins")
def list_sign_ins(req: Request) -> PageView[SignInView]:
    """The devices that are signed in, the last used first. At most 30: a further one ends the oldest."""
    login = service.require_login(req.ctx, req.actor.login_id)
    known = sign_ins.list_sign_ins(req.ctx, login)
    return PageView(data=[_sign_in_view(req, sign_in) for sign_in in known], has_more=False)


@api.delete("/v1/me/sign-ins/{sign_in_id}")
def end_sign_in(req: Request, sign_in_id: str) -> None:
    """Signs a device out, within half a minute."""
    login = service.require_login(req.ctx, req.actor.login_id)
    ended = sign_ins.end_sign_in(req.uow, login, sign_in_id)
    req.audit("sign_in", sign_in_id, before=_sign_in_view(req, ended))


@api.delete("/v1/me/sign-ins")
def end_other_sign_ins(req: Request) -> None:
    """Signs every other device out, within half a minute; this one stays."""
    login = service.require_login(req.ctx, req.actor.login_id)
    count = sign_ins.end_sign_ins(req.uow, login.login_id, keep=req.actor.sign_in_id)
    _audit(req, login, {"other_sign_ins": 0}, before={"other_sign_ins": count})


@api.get("/v1/me/totp")
def get_totp(req: Request) -> TotpView:
    """Whether the second factor is on."""
    known = totp.find_totp(req.ctx, req.actor.login_id)
    if known is None:
        return TotpView(state="off", recovery_codes_left=0)
    if not known.is_on:
        return TotpView(state="pending" if known.may_be_confirmed(req.ctx.now()) else "off", recovery_codes_left=0)
    return TotpView(state="on", recovery_codes_left=len(known.recovery_hashes), confirmed_at=known.confirmed_at)


@api.post("/v1/me/totp")
def begin_totp(req: Request, body: TotpBegin) -> TotpSetUpView:
    """Begins to set up the second factor, for an authenticator app; its first code, within 15 minutes, turns it on."""
    proof = _prove(req, body.password)
    secret = totp.begin_totp(req.uow, proof.login)
    _audit(req, proof.login, {"second_factor": "pending"})
    uri = provisioning_uri(secret, proof.login.email)
    return TotpSetUpView(secret=secret, otpauth_uri=uri, qr_code=qr_code(uri))


@api.post("/v1/me/totp/confirmation")
def confirm_totp(req: Request, body: TotpConfirmation) -> RecoveryCodesView:
    """Turns the second factor on with the app's first code. The recovery codes are shown this once."""
    login = service.require_login(req.ctx, req.actor.login_id)
    recovery_codes = totp.confirm_totp(req.uow, login, body.code)
    _audit(req, login, {"second_factor": "on"})
    return RecoveryCodesView(recovery_codes=recovery_codes)


@api.post("/v1/me/totp/recovery-codes")
def renew_recovery_codes(req: Request, body: TotpProof) -> RecoveryCodesView:
    """Ten new recovery codes; those before are void."""
    proof = _prove(req, body.password, body.totp_code)
    recovery_codes = totp.renew_recovery_codes(req.uow, proof.totp)
    _audit(req, proof.login, {"recovery_codes": "new"})
    return RecoveryCodesView(recovery_codes=recovery_codes)


@api.delete("/v1/me/totp")
def remove_totp(req: Request, body: TotpProof) -> None:
    """Turns the second factor off, with the password and a code."""
    proof = _prove(req, body.password, body.totp_code)
    totp.remove_totp(req.uow, proof.login)
    _audit(req, proof.login, {"second_factor": "off"}, before={"second_factor": "on"})


def _prove(req: Request, password: str, totp_code: str | None = None) -> Proof:
    """That who asks is the owner of the sign-in, not somebody at their unlocked device. Raises as `check_again`."""
    name = SignInName("email", service.require_login(req.ctx, req.actor.login_id).email)
    second_factor = totp_code is not None
    return service.check_again(req.uow, name, password, req.actor.source_ip, totp_code, second_factor=second_factor)


def _audit(req: Request, login: Login, after: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    object_type = "user" if req.actor.user_id is not None else "driver"
    object_id = req.actor.user_id or login.driver_id or login.login_id
    req.audit(object_type, object_id, before=before, after=after)


def _sign_in_view(req: Request, sign_in: SignIn) -> SignInView:
    return SignInView(
        sign_in_id=sign_in.sign_in_id,
        device=sign_in.device,
        source_ip=sign_in.source_ip,
        created_at=sign_in.created_at,
        last_used_at=sign_in.rotated_at,
        current=sign_in.sign_in_id == req.actor.sign_in_id,
    )


def _view(req: Request, changes: dict[str, Any]) -> MeView:
    """As it is, with changes that the commit after this answer will store."""
    actor = req.actor
    person = service.load_person(req.ctx, service.require_login(req.ctx, actor.login_id))
    user, organization = person.user, person.organization
    view = MeView(
        login_id=actor.login_id,
        email=person.login.email,
        permissions=sorted(permission for permission in ALL_PERMISSIONS if actor.may(permission)),
        driver_id=person.login.driver_id,
    )
    if user is not None:
        view.user_id = user.user_id
        view.user_name = user.user_name
        view.full_name = changes.get("full_name", user.full_name)
        view.phone = changes.get("phone", user.phone)
        view.language = changes.get("language", user.language)
        view.groups = user.groups
    if organization is not None:
        view.organization = MeOrganizationView(
            organization_id=organization.organization_id,
            kind=organization.kind,
            name=organization.name,
            currency=organization.currency,
            time_zone=organization.time_zone,
        )
    return view
