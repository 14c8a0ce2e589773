"""The intents of the platform in the words of OCPP 2.1, where they differ from 2.0.1's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.chargers.model import Command
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.commands import wordings as v201
from chalicelib.ocpp.v201.variable_names import address_of
from chalicelib.ocpp.wording import Wording

_V2G20: Final = "V2G20Certificate"


def install_signed_certificate(command: Command) -> Payload | None:
    """2.1 says which SignCertificate it answers, and has the certificates of ISO 15118-20 (A02)."""
    said = command.payload
    payload = v201.install_signed_certificate(command)
    if said["kind"] == "v2g20":
        payload = {"certificateChain": said["chain_pem"], "certificateType": _V2G20}
    if payload is None or said.get("request_id") is None:
        return payload
    return {**payload, "requestId": said["request_id"]}


def renew_certificate(command: Command) -> Payload | None:
    """2.1 has the certificates of ISO 15118-20 (A02)."""
    if command.payload["kind"] == "v2g20":
        return {"requestedMessage": f"Sign{_V2G20}"}
    return v201.renew_certificate(command)


def set_web_payments(command: Command) -> Payload:
    """The variables of WebPaymentsCtrlr (C25)."""
    settings: dict[str, str] = command.payload["settings"]
    return {
        "setVariableData": [{**(address_of(name) or {}), "attributeValue": value} for name, value in settings.items()]
    }


def web_payment_started(command: Command) -> Payload:
    return {"evseId": command.payload["evse_no"], "timeout": command.payload["timeout_s"]}


WORDINGS: Final[Mapping[str, Wording]] = {
    **v201.WORDINGS,
    "install_signed_certificate": Wording("CertificateSigned", install_signed_certificate),
    "renew_certificate": Wording("TriggerMessage", renew_certificate),
    "set_web_payments": Wording("SetVariables", set_web_payments),
    "web_payment_started": Wording("NotifyWebPaymentStarted", web_payment_started),
}
