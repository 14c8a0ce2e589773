"""A command as an operator writes it, made ready and queued: the version found, numbers filled in, the schema asked.

Called by the REST endpoint and by whoever speaks to chargers in raw OCPP; what the platform itself asks is worded when
it is sent. A password never waits in a queue as a plain payload: it goes the way of a rotation.
"""

from __future__ import annotations

from typing import Any, Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.kernel import ids
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS

_NUMBERED: Final = "requestId"
_PASSWORD_KEY: Final = "authorizationkey"
_PASSWORD_VARIABLE: Final = ("securityctrlr", "basicauthpassword")


def ask(uow: UnitOfWork, charger: Charger, action: str, payload: Payload, requested_by: str) -> Command:
    """Queues an OCPP request to a charger. Raises command.action, command.payload (422), command.queue_full (409)."""
    version = _version_for(uow.ctx, charger, action)
    payload = _prepare(uow.ctx, version, action, payload)
    password = _find_password(action, payload)
    if password is not None:
        return chargers.rotate_password_by_command(uow, charger, password, requested_by)
    with_profile = payload.get("connectionData", {}).get("basicAuthPassword")
    if action == "SetNetworkProfile" and with_profile is not None:
        # 2.1: the charger uses it once it changes to this profile.
        chargers.expect_password(uow, charger, with_profile)
    return chargers.queue_command(
        uow,
        charger_id=charger.charger_id,
        action=action,
        payload=payload,
        requested_by=requested_by,
        purpose="operator",
    )


def _version_for(ctx: Context, charger: Charger, action: str) -> Version:
    """The version that the charger speaks; of one that never connected, the first that knows the action.

    Raises command.action (422) for what this charger cannot be asked.
    """
    link = chargers.get_link(ctx, charger.charger_id)
    spoken = None if link is None else VERSIONS.get(link.protocol or "")
    candidates = [spoken] if spoken is not None else list(VERSIONS.values())
    found = next((version for version in candidates if action in version.commands), None)
    if found is None:
        names = sorted({name for version in candidates for name in version.commands})
        raise invalid("command.action", f"{action!r} is not a command: {', '.join(names)}.", "/action")
    return found


def _prepare(ctx: Context, version: Version, action: str, payload: Payload) -> dict[str, Any]:
    """The payload to queue. Raises command.payload (422), with what the schema of `version` says about it."""
    if _NUMBERED not in payload and version.requires(action, _NUMBERED):
        payload = {**payload, _NUMBERED: ids.number_of(ctx.new_id("req"))}
    violation = version.request_violation(action, payload)
    if violation is not None:
        raise invalid("command.payload", f"{action}: {violation.detail}", "/payload")
    return payload


def _find_password(action: str, payload: Payload) -> str | None:
    """The password that a valid request would set: ChangeConfiguration of AuthorizationKey (1.6), SetVariables of
    SecurityCtrlr.BasicAuthPassword (2.x). Raises command.payload where it stands among other variables."""
    if action == "ChangeConfiguration":
        return payload["value"] if payload["key"].lower() == _PASSWORD_KEY else None
    if action != "SetVariables":
        return None
    data = payload["setVariableData"]
    found = [
        entry["attributeValue"]
        for entry in data
        if (entry["component"]["name"].lower(), entry["variable"]["name"].lower()) == _PASSWORD_VARIABLE
    ]
    if not found:
        return None
    if len(data) > 1:
        raise invalid("command.payload", "Set the password by a request of its own.", "/payload/setVariableData")
    password: str = found[0]
    return password
