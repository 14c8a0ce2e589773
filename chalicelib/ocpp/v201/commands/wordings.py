"""The intents of the platform in the words of OCPP 2.x. Pure: `say` makes the request, `hear` reads the answer.

None from `say` means that 2.0.1 has no words for it; what a charger is told too long is the schema's matter, which
refuses the command with a reason. 2.1 says the same (`v21/commands/wordings.py` has what it says otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.chargers.model import Command
from chalicelib.kernel import ids
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.commands import id_tokens
from chalicelib.ocpp.v201.variable_names import address_of, name_of
from chalicelib.ocpp.wording import Wording

PASSWORD: Final = "SecurityCtrlr/BasicAuthPassword"
_PASSWORD_LENGTH: Final = range(16, 41)
"""Part 2, A00.FR.205: a passwordString of 16 to 40 characters."""

_OUTCOMES: Final = {
    "Accepted": "accepted",
    "RebootRequired": "reboot_required",
    "Rejected": "rejected",
}
_UNKNOWN: Final = frozenset({"UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"})
_CERTIFICATE_TYPES: Final = {"charger": "ChargingStationCertificate", "v2g": "V2GCertificate"}


def start_session(command: Command) -> Payload:
    """Limits are not said here: 2.1 hears them in the answers to its TransactionEvents, elsewhere we keep them."""
    said = command.payload
    remote_start_id = said.get("remote_start_id")
    payload: Payload = {
        "idToken": id_tokens.central(said["id_token"]),
        "remoteStartId": ids.number_of(command.command_id) if remote_start_id is None else remote_start_id,
    }
    return {"evseId": said["evse_no"], **payload} if said.get("evse_no") else payload


def stop_session(command: Command) -> Payload:
    return {"transactionId": str(command.payload["transaction_id"])}


def reserve(command: Command) -> Payload:
    """EVSE 0 is any: then it is not named (H02)."""
    said = command.payload
    payload: Payload = {
        "id": said["number"],
        "expiryDateTime": said["expires_at"],
        "idToken": id_tokens.presented(said["id_token"]),
    }
    if said.get("evse_no"):
        payload["evseId"] = said["evse_no"]
    if said.get("connector_type"):
        payload["connectorType"] = said["connector_type"]
    if said.get("group_id"):
        payload["groupIdToken"] = id_tokens.central(said["group_id"])
    return payload


def cancel_reservation(command: Command) -> Payload:
    return {"reservationId": command.payload["number"]}


def reading_action(command: Command) -> str:
    """Named variables are answered at once; all of them come by NotifyReport (B07)."""
    return "GetVariables" if command.payload.get("names") else "GetBaseReport"


def read_configuration(command: Command) -> Payload | None:
    """None when a name is none of the device model."""
    names = command.payload.get("names") or []
    if not names:
        return {"requestId": ids.number_of(command.command_id), "reportBase": "FullInventory"}
    addresses = [address_of(name) for name in names]
    return None if None in addresses else {"getVariableData": addresses}


def hear_configuration(answer: Payload) -> Payload:
    """A variable that may only be written is known, and its value is not told."""
    variables: list[dict[str, Any]] = []
    unknown: list[str] = []
    for result in answer.get("getVariableResult", []):
        name = name_of(result["component"], result["variable"])
        if result["attributeStatus"] in _UNKNOWN:
            unknown.append(name)
        else:
            value = result.get("attributeValue") if result["attributeStatus"] == "Accepted" else None
            variables.append({"name": name, "value": value, "readonly": None})
    return {"variables": variables, "unknown": unknown}


def write_configuration(command: Command) -> Payload | None:
    return _set_variable(command.payload["name"], command.payload["value"])


def hear_written(answer: Payload) -> Payload:
    status = answer["setVariableResult"][0]["attributeStatus"]
    return {"outcome": _OUTCOMES.get(status, "not_supported")}


def set_password(command: Command) -> Payload | None:
    """As text: only 1.6 tells it in hex (A01)."""
    password = command.payload["password"]
    return _set_variable(PASSWORD, password) if len(password) in _PASSWORD_LENGTH else None


def trigger_meter_values(command: Command) -> Payload:
    """In a transaction the values come by TransactionEvent; MeterValues are those outside of one (F06, J02)."""
    message = "TransactionEvent" if command.payload.get("transaction_id") is not None else "MeterValues"
    evse_no = command.payload.get("evse_no")
    return {"requestedMessage": message, "evse": {"id": evse_no}} if evse_no else {"requestedMessage": message}


def trigger_boot(_command: Command) -> Payload:
    """It was pending, and boots again to hear that it is accepted (B02)."""
    return {"requestedMessage": "BootNotification"}


def send_local_list(command: Command) -> Payload:
    """A Full list without entries empties the charger's; the schema has no empty list (D01)."""
    said = command.payload
    entries = [_list_entry(entry) for entry in said["entries"]]
    payload: Payload = {"versionNumber": said["version"], "updateType": "Full" if said["full"] else "Differential"}
    return {**payload, "localAuthorizationList": entries} if entries else payload


def install_signed_certificate(command: Command) -> Payload | None:
    kind = _CERTIFICATE_TYPES.get(command.payload["kind"])
    return None if kind is None else {"certificateChain": command.payload["chain_pem"], "certificateType": kind}


def renew_certificate(command: Command) -> Payload | None:
    """Has it send SignCertificate (A02)."""
    kind = _CERTIFICATE_TYPES.get(command.payload["kind"])
    return None if kind is None else {"requestedMessage": f"Sign{kind}"}


def _set_variable(name: str, value: str) -> Payload | None:
    address = address_of(name)
    return None if address is None else {"setVariableData": [{**address, "attributeValue": value}]}


def _list_entry(entry: Payload) -> Payload:
    """Without idTokenInfo it removes the id token (D01)."""
    id_token, status = id_tokens.presented(entry["id_token"]), entry.get("status")
    if not status:
        return {"idToken": id_token}
    info: Payload = {"status": status[:1].upper() + status[1:]}
    if entry.get("expires_at"):
        info["cacheExpiryDateTime"] = entry["expires_at"]
    if entry.get("group_id"):
        info["groupIdToken"] = id_tokens.central(entry["group_id"])
    return {"idToken": id_token, "idTokenInfo": info}


def not_in_2_0_1(_command: Command) -> None:
    """What only 2.1 has words for."""


WORDINGS: Final[Mapping[str, Wording]] = {
    "cancel_reservation": Wording("CancelReservation", cancel_reservation),
    "install_signed_certificate": Wording("CertificateSigned", install_signed_certificate),
    "read_configuration": Wording(reading_action, read_configuration, hear_configuration),
    "renew_certificate": Wording("TriggerMessage", renew_certificate),
    "reserve": Wording("ReserveNow", reserve),
    "send_local_list": Wording("SendLocalList", send_local_list),
    "set_password": Wording("SetVariables", set_password),
    "set_web_payments": Wording("SetVariables", not_in_2_0_1),
    "start_session": Wording("RequestStartTransaction", start_session),
    "stop_session": Wording("RequestStopTransaction", stop_session),
    "trigger_boot": Wording("TriggerMessage", trigger_boot),
    "trigger_meter_values": Wording("TriggerMessage", trigger_meter_values),
    "web_payment_started": Wording("DataTransfer", not_in_2_0_1),
    "write_configuration": Wording("SetVariables", write_configuration, hear_written),
}
