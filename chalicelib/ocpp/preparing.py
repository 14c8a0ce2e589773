"""A command as an operator writes it, made ready to be queued: numbers filled in, checked against the schema.

Called by the REST endpoint; what the platform itself asks is worded when it is sent.
"""

from __future__ import annotations

from typing import Any, Final

from chalicelib.kernel import ids
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Version

_NUMBERED: Final = "requestId"


def prepare(ctx: Context, version: Version, action: str, payload: Payload) -> dict[str, Any]:
    """The payload to queue. Raises command.payload (422), with what the schema of `version` says about it."""
    if _NUMBERED not in payload and version.requires(action, _NUMBERED):
        payload = {**payload, _NUMBERED: new_number(ctx)}
    violation = version.request_violation(action, payload)
    if violation is not None:
        raise invalid("command.payload", f"{action}: {violation.detail}", "/payload")
    return payload


def new_number(ctx: Context) -> int:
    """A positive int32 that practically never repeats: OCPP numbers requests, profiles and reservations so."""
    return ids.number_of(ctx.new_id("req"))
