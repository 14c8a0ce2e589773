"""OCPP 1.6J with its security extension, the whole surface: every action of the version is in one of the two maps,
and DataTransfer in both.

The schema of an action is its name, that of its answer `<Action>Response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.errors import V16_CODES, V16_FAULTS
from chalicelib.ocpp.keeping import KeptBy
from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v16.actions import (
    authorize,
    boot_notification,
    data_transfer,
    diagnostics_status_notification,
    firmware_status_notification,
    heartbeat,
    log_status_notification,
    meter_values,
    security_event_notification,
    sign_certificate,
    signed_firmware_status_notification,
    start_transaction,
    status_notification,
    stop_transaction,
)
from chalicelib.ocpp.v16.commands.answers import (
    certificates,
    charging_profiles,
    configuration,
    local_lists,
    reservations,
)
from chalicelib.ocpp.v16.commands.wordings import WORDINGS
from chalicelib.ocpp.version import Action, CommandRoute, Version, numbered

ACTIONS: Final[Mapping[str, Action]] = {
    "Authorize": Action(authorize.handle),
    "BootNotification": Action(boot_notification.handle, while_pending=True, fresh_charger=True),
    "DataTransfer": Action(data_transfer.handle),
    "DiagnosticsStatusNotification": Action(diagnostics_status_notification.handle, while_pending=True),
    "FirmwareStatusNotification": Action(firmware_status_notification.handle, while_pending=True),
    "Heartbeat": Action(heartbeat.handle),
    "LogStatusNotification": Action(log_status_notification.handle, while_pending=True),
    "MeterValues": Action(meter_values.handle, meter_values.refuse, while_pending=True),
    "SecurityEventNotification": Action(security_event_notification.handle, while_pending=True),
    "SignCertificate": Action(sign_certificate.handle),
    "SignedFirmwareStatusNotification": Action(signed_firmware_status_notification.handle, while_pending=True),
    "StartTransaction": Action(start_transaction.handle, start_transaction.refuse, fresh_charger=True),
    "StatusNotification": Action(status_notification.handle, status_notification.refuse),
    "StopTransaction": Action(stop_transaction.handle, while_pending=True),
}

_ACCEPTED: Final = frozenset({"Accepted"})
_OR_CANCELED: Final = frozenset({"Accepted", "AcceptedCanceled"})
"""It does what was asked, and has given up what it did before."""


COMMANDS: Final[Mapping[str, CommandRoute]] = {
    "CancelReservation": CommandRoute(_ACCEPTED, KeptBy(reservations.keep_cancelled)),
    "CertificateSigned": CommandRoute(_ACCEPTED),
    "ChangeAvailability": CommandRoute(frozenset({"Accepted", "Scheduled"})),
    "ChangeConfiguration": CommandRoute(frozenset({"Accepted", "RebootRequired"}), KeptBy(configuration.keep_written)),
    "ClearCache": CommandRoute(_ACCEPTED),
    "ClearChargingProfile": CommandRoute(_ACCEPTED, KeptBy(charging_profiles.keep_cleared)),
    "DataTransfer": CommandRoute(_ACCEPTED),
    "DeleteCertificate": CommandRoute(_ACCEPTED, KeptBy(certificates.keep_deleted)),
    "ExtendedTriggerMessage": CommandRoute(_ACCEPTED),
    "GetCompositeSchedule": CommandRoute(_ACCEPTED),
    "GetConfiguration": CommandRoute(on_answer=KeptBy(configuration.keep_read)),
    "GetDiagnostics": CommandRoute(topic=lambda _payload: "diagnostics"),
    "GetInstalledCertificateIds": CommandRoute(frozenset({"Accepted", "NotFound"}), KeptBy(certificates.keep_listed)),
    "GetLocalListVersion": CommandRoute(on_answer=KeptBy(local_lists.keep_version)),
    "GetLog": CommandRoute(_OR_CANCELED, topic=numbered),
    "InstallCertificate": CommandRoute(_ACCEPTED, KeptBy(certificates.keep_installed)),
    "RemoteStartTransaction": CommandRoute(_ACCEPTED),
    "RemoteStopTransaction": CommandRoute(_ACCEPTED),
    "ReserveNow": CommandRoute(_ACCEPTED),
    "Reset": CommandRoute(_ACCEPTED),
    "SendLocalList": CommandRoute(_ACCEPTED, KeptBy(local_lists.keep_sent)),
    "SetChargingProfile": CommandRoute(_ACCEPTED, KeptBy(charging_profiles.keep_set)),
    "SignedUpdateFirmware": CommandRoute(_OR_CANCELED, topic=numbered),
    "TriggerMessage": CommandRoute(_ACCEPTED),
    "UnlockConnector": CommandRoute(frozenset({"Unlocked"})),
    "UpdateFirmware": CommandRoute(topic=lambda _payload: "firmware"),
}

V16: Final = Version(
    protocol="ocpp1.6",
    schemas=SchemaFolder("v16"),
    codes=V16_CODES,
    faults=V16_FAULTS,
    actions=ACTIONS,
    commands=COMMANDS,
    wordings=WORDINGS,
    life_signs=frozenset({"Heartbeat"}),
)
