"""What an installer needs to connect a charger, to look at or by mail."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.handshake import PROTOCOLS
from chalicelib.chargers.scope import owned_charger
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.texts import EmailText, LanguageText
from chalicelib.notifications import service as notifications


class InstructionsMail(Shape):
    """`new_password`: makes one and mails it too; the charger's present password is refused from then on."""

    email: EmailText
    new_password: bool = False
    language: LanguageText | None = None


class InstructionsView(Shape):
    """`url` with the identity appended is `full_url`; most chargers append it themselves. `subprotocols`: any of them,
    the charger names the ones it speaks. `text` is all of it to print or to send on."""

    charger_id: str
    url: str
    full_url: str
    identity: str
    username: str
    security_profile: Annotated[int, msgspec.Meta(ge=0, le=3)]
    subprotocols: list[str]
    heartbeat_interval_s: int
    text: str


@api.get("/v1/chargers/{charger_id}/connection-instructions", "chargers:read")
def get_connection_instructions(req: Request, charger_id: str) -> InstructionsView:
    """What to type into the charger, for its installer.

    The password is not kept in clear and cannot be shown again; POST /v1/chargers/{charger_id}/password makes a new
    one.
    """
    return instructions_view(req.ctx, owned_charger(req, charger_id))


@api.post("/v1/chargers/{charger_id}/connection-instructions/mails", "chargers:write", status=202)
def mail_connection_instructions(req: Request, charger_id: str, body: InstructionsMail) -> None:
    """Mails the connection instructions to an installer."""
    charger = owned_charger(req, charger_id)
    email = check_email(body.email)
    password = service.rotate_password(req.uow, charger, None) if body.new_password else None
    operator = identity.get_organization(req.ctx, charger.operator_id)
    view = instructions_view(req.ctx, charger)
    notifications.queue_mail(
        req.uow,
        dedupe_key=f"instructions:{charger.charger_id}:{req.request_id}",
        to=email,
        template="connection_instructions",
        data={
            "identity": view.identity,
            "operator": operator.name,
            "url": view.url,
            "full_url": view.full_url,
            "username": view.username,
            "password": password or "",
            "subprotocols": ", ".join(view.subprotocols),
            "security_profile": str(view.security_profile),
        },
        language=body.language or operator.language,
        sender=identity.mail_sender(req.ctx, operator),
    )
    sent = {"mailed_to": email, "new_password": body.new_password}
    req.audit("charger", charger.charger_id, owner_id=charger.operator_id, after=sent)


def instructions_view(ctx: Context, charger: Charger) -> InstructionsView:
    url = ctx.settings.ocpp_url
    view = InstructionsView(
        charger_id=charger.charger_id,
        url=url,
        full_url=f"{url}/{quote(charger.charger_id, safe='')}",
        identity=charger.charger_id,
        username=charger.basic_auth_user or charger.charger_id,
        security_profile=charger.security_profile,
        subprotocols=list(PROTOCOLS),
        heartbeat_interval_s=charger.heartbeat_interval_s,
        text="",
    )
    return msgspec.structs.replace(view, text=_text(view))


def _text(view: InstructionsView) -> str:
    return (
        f"Connection of charger {view.identity}\n\n"
        f"Backend URL (the charger appends its identity): {view.url}\n"
        f"Whole URL (where it does not): {view.full_url}\n"
        f"Identity (charge point id): {view.identity}\n"
        f"User name (Basic auth): {view.username}\n"
        f"Password (Basic auth, AuthorizationKey): as given when the charger was registered\n"
        f"OCPP version (subprotocol), any of: {', '.join(view.subprotocols)}\n"
        f"Security profile, at least: {view.security_profile}\n"
    )
