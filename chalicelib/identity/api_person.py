"""What every signed-in person may do with their own sign-in, driver or user."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_public import LanguageText, PasswordText
from chalicelib.identity.permissions import ALL_PERMISSIONS
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Api, Request, Shape

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
    full_name: str | None = None
    language: str | None = None
    groups: list[str] = msgspec.field(default_factory=list)
    organization: MeOrganizationView | None = None
    driver_id: str | None = None


class MePatch(Shape):
    full_name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | msgspec.UnsetType = msgspec.UNSET
    language: LanguageText | msgspec.UnsetType = msgspec.UNSET


class PasswordChange(Shape):
    old_password: PasswordText
    new_password: PasswordText


@api.delete("/v1/auth/sessions")
def sign_out(req: Request) -> None:
    """Ends this device's sign-in: its refresh tokens are void."""
    service.sign_out(req.uow, req.actor.sign_in_id)


@api.get("/v1/me")
def get_me(req: Request) -> MeView:
    """Who is signed in, and what they may do."""
    return _view(req, {})


@api.patch("/v1/me")
def update_me(req: Request, body: MePatch) -> MeView:
    """Changes the name or language of the signed-in user. Drivers have their own resource, `/v1/driver/me`."""
    changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    if req.actor.user_id is None or req.actor.organization_id is None:
        raise invalid("me.not_a_user", "This sign-in belongs to a driver; change /v1/driver/me.")
    user = service.get_user(req.ctx, req.actor.user_id)
    organization = service.get_organization(req.ctx, req.actor.organization_id)
    service.update_user(req.uow, user, organization, changes, by=user.user_id)
    return _view(req, changes)


@api.post("/v1/me/password", status=204)
def change_password(req: Request, body: PasswordChange) -> None:
    """Changes the password; every device, this one too, must sign in again when its access token runs out."""
    service.change_password(req.uow, req.actor, old_password=body.old_password, new_password=body.new_password)


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
        view.full_name = changes.get("full_name", user.full_name)
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
