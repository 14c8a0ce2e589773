"""OCPP 1.6J, the whole surface: every action of the version is in exactly one of these three.

The schema of an action is its name, that of its answer `<Action>Response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.errors import V16_CODES, V16_FAULTS
from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v16.actions import (
    authorize,
    boot_notification,
    data_transfer,
    heartbeat,
    meter_values,
    start_transaction,
    status_notification,
    stop_transaction,
)
from chalicelib.ocpp.v16.commands.wordings import WORDINGS
from chalicelib.ocpp.version import Action, CommandRoute, Version

ACTIONS: Final[Mapping[str, Action]] = {
    "Authorize": Action(authorize.handle),
    "BootNotification": Action(boot_notification.handle, while_pending=True, fresh_charger=True),
    "DataTransfer": Action(data_transfer.handle),
    "Heartbeat": Action(heartbeat.handle),
    "MeterValues": Action(meter_values.handle, meter_values.refuse, while_pending=True),
    "StartTransaction": Action(start_transaction.handle, start_transaction.refuse, fresh_charger=True),
    "StatusNotification": Action(status_notification.handle, status_notification.refuse),
    "StopTransaction": Action(stop_transaction.handle, while_pending=True),
}

_ACCEPTED: Final = frozenset({"Accepted"})

COMMANDS: Final[Mapping[str, CommandRoute]] = {
    "ChangeAvailability": CommandRoute(frozenset({"Accepted", "Scheduled"})),
    "ChangeConfiguration": CommandRoute(frozenset({"Accepted", "RebootRequired"})),
    "ClearCache": CommandRoute(_ACCEPTED),
    "DataTransfer": CommandRoute(_ACCEPTED),
    "GetConfiguration": CommandRoute(),
    "RemoteStartTransaction": CommandRoute(_ACCEPTED),
    "RemoteStopTransaction": CommandRoute(_ACCEPTED),
    "Reset": CommandRoute(_ACCEPTED),
    "TriggerMessage": CommandRoute(_ACCEPTED),
    "UnlockConnector": CommandRoute(frozenset({"Unlocked"})),
}

KNOWN_ELSEWHERE: Final = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ClearChargingProfile",
        "DeleteCertificate",
        "DiagnosticsStatusNotification",
        "ExtendedTriggerMessage",
        "FirmwareStatusNotification",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "LogStatusNotification",
        "ReserveNow",
        "SecurityEventNotification",
        "SendLocalList",
        "SetChargingProfile",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "SignedUpdateFirmware",
        "UpdateFirmware",
    }
)

V16: Final = Version(
    protocol="ocpp1.6",
    schemas=SchemaFolder("v16"),
    codes=V16_CODES,
    faults=V16_FAULTS,
    actions=ACTIONS,
    commands=COMMANDS,
    wordings=WORDINGS,
    life_signs=frozenset({"Heartbeat"}),
    known_elsewhere=KNOWN_ELSEWHERE,
)
