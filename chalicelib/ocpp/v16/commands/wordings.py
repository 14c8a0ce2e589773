"""The intents of the platform in the words of OCPP 1.6. Pure: `say` makes the request, `hear` reads the answer.

None from `say` means that 1.6 has no words for it; what a charger is told too long is the schema's matter, which
refuses the command with a reason. An id token or a group that 1.6 cannot carry is left out of lists and reservations:
no such charger could ever read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from chalicelib.chargers.model import Command
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v16.id_tag_info import ID_TAG_LENGTH
from chalicelib.ocpp.wording import Wording

_KEY_BYTES: Final = range(16, 21)
_KEY_IN_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")
"""The AuthorizationKey has 16 to 20 bytes and is told in hex (security whitepaper 1.6, A00.FR.205)."""

_OUTCOMES: Final = {
    "Accepted": "accepted",
    "RebootRequired": "reboot_required",
    "NotSupported": "not_supported",
}


def start_session(command: Command) -> Payload:
    """Limits are kept by the platform: 1.6 has no words for them."""
    return {"connectorId": command.payload["evse_no"], "idTag": command.payload["id_token"]}


def stop_session(command: Command) -> Payload:
    return {"transactionId": command.payload["transaction_id"]}


def reserve(command: Command) -> Payload:
    said = command.payload
    payload: Payload = {
        "connectorId": said["evse_no"],
        "expiryDate": said["expires_at"],
        "idTag": said["id_token"],
        "reservationId": said["number"],
    }
    group_id = said.get("group_id")
    return {**payload, "parentIdTag": group_id} if group_id and len(group_id) <= ID_TAG_LENGTH else payload


def cancel_reservation(command: Command) -> Payload:
    return {"reservationId": command.payload["number"]}


def read_configuration(command: Command) -> Payload:
    names = command.payload.get("names") or []
    return {"key": names} if names else {}


def hear_configuration(answer: Payload) -> Payload:
    variables = [
        {"name": entry["key"], "value": entry.get("value"), "readonly": entry["readonly"]}
        for entry in answer.get("configurationKey", [])
    ]
    return {"variables": variables, "unknown": answer.get("unknownKey", [])}


def write_configuration(command: Command) -> Payload:
    return {"key": command.payload["name"], "value": command.payload["value"]}


def hear_written(answer: Payload) -> Payload:
    return {"outcome": _OUTCOMES.get(answer["status"], "rejected")}


def set_password(command: Command) -> Payload | None:
    """A password that is hex already is the key's text; another is its bytes. Some fit 2.x only."""
    password = command.payload["password"]
    if _KEY_IN_HEX.fullmatch(password):
        return {"key": "AuthorizationKey", "value": password}
    key = password.encode()
    return {"key": "AuthorizationKey", "value": key.hex()} if len(key) in _KEY_BYTES else None


def trigger_meter_values(command: Command) -> Payload:
    """Of one connector, or (none named, or 0) of all: 5.17 has connectorId above 0 only."""
    evse_no = command.payload.get("evse_no") or 0
    payload: Payload = {"requestedMessage": "MeterValues"}
    return {**payload, "connectorId": evse_no} if evse_no else payload


def trigger_boot(_command: Command) -> Payload:
    """It was pending, and boots again to hear that it is accepted (4.2)."""
    return {"requestedMessage": "BootNotification"}


def send_local_list(command: Command) -> Payload:
    """The members in this order: there are chargers that read them so."""
    said = command.payload
    entries = [_list_entry(entry) for entry in said["entries"] if len(entry["id_token"]) <= ID_TAG_LENGTH]
    return {
        "listVersion": said["version"],
        "localAuthorizationList": entries,
        "updateType": "Full" if said["full"] else "Differential",
    }


def install_signed_certificate(command: Command) -> Payload | None:
    """1.6 chargers have one certificate, their own; ISO 15118 is not theirs."""
    if command.payload["kind"] != "charger":
        return None
    return {"certificateChain": command.payload["chain_pem"]}


def renew_certificate(command: Command) -> Payload | None:
    """Has it send SignCertificate (security whitepaper 1.6, A02)."""
    return {"requestedMessage": "SignChargePointCertificate"} if command.payload["kind"] == "charger" else None


def _list_entry(entry: Payload) -> Payload:
    """Without a status it removes the id token (AuthorizationData)."""
    status, group_id = entry.get("status"), entry.get("group_id")
    if not status:
        return {"idTag": entry["id_token"]}
    info: Payload = {"status": status[:1].upper() + status[1:]}
    if entry.get("expires_at"):
        info["expiryDate"] = entry["expires_at"]
    if group_id and len(group_id) <= ID_TAG_LENGTH:
        info["parentIdTag"] = group_id
    return {"idTag": entry["id_token"], "idTagInfo": info}


def not_in_1_6(_command: Command) -> None:
    """What only 2.1 has words for."""


WORDINGS: Final[Mapping[str, Wording]] = {
    "cancel_reservation": Wording("CancelReservation", cancel_reservation),
    "install_signed_certificate": Wording("CertificateSigned", install_signed_certificate),
    "read_configuration": Wording("GetConfiguration", read_configuration, hear_configuration),
    "renew_certificate": Wording("ExtendedTriggerMessage", renew_certificate),
    "reserve": Wording("ReserveNow", reserve),
    "send_local_list": Wording("SendLocalList", send_local_list),
    "set_password": Wording("ChangeConfiguration", set_password),
    "set_web_payments": Wording("ChangeConfiguration", not_in_1_6),
    "start_session": Wording("RemoteStartTransaction", start_session),
    "stop_session": Wording("RemoteStopTransaction", stop_session),
    "trigger_boot": Wording("TriggerMessage", trigger_boot),
    "trigger_meter_values": Wording("TriggerMessage", trigger_meter_values),
    "web_payment_started": Wording("DataTransfer", not_in_1_6),
    "write_configuration": Wording("ChangeConfiguration", write_configuration, hear_written),
}
