"""The intents of the platform in the words of OCPP 1.6. Pure, but for what a wording must look up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.chargers.model import Command
from chalicelib.kernel.context import Context
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Wording


def start_session(_ctx: Context, command: Command) -> Payload:
    return {"connectorId": command.payload["evse_no"], "idTag": command.payload["id_token"]}


def stop_session(_ctx: Context, command: Command) -> Payload:
    return {"transactionId": command.payload["transaction_id"]}


WORDINGS: Final[Mapping[str, Wording]] = {
    "start_session": Wording("RemoteStartTransaction", start_session),
    "stop_session": Wording("RemoteStopTransaction", stop_session),
}
