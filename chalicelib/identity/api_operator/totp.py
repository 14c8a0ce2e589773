"""The second factor of users who lost it: turned off by those who look after them."""

from __future__ import annotations

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import api
from chalicelib.identity.api_operator.users import visible_user
from chalicelib.identity.service.totp import find_totp, remove_totp
from chalicelib.identity.service.users import check_may_look_after
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.http import Request


@api.delete("/v1/users/{user_id}/totp", permission="users:write")
def reset_user_totp(req: Request, user_id: str) -> None:
    """Turns a user's second factor off, who is told by mail and signs in by password alone until they set it up again.

    Only of users who may do no more than oneself, and never one's own: that takes `DELETE /v1/me/totp`. Where it is
    off, nothing changes.
    """
    user = visible_user(req, user_id)
    if user_id == req.actor.user_id:
        raise conflict("user.own_totp", "Your own second factor you turn off with your password and a code.")
    organization = service.get_organization(req.ctx, user.organization_id)
    check_may_look_after(req.ctx, req.actor, organization, user)
    login = service.find_login(req.ctx, user.email)
    known = None if login is None else find_totp(req.ctx, login.login_id)
    if login is None or known is None or not known.is_on:
        return
    remove_totp(req.uow, login)
    req.audit(
        "user", user_id, owner_id=user.organization_id, before={"second_factor": "on"}, after={"second_factor": "off"}
    )
