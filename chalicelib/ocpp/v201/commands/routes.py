"""Us → charger in OCPP 2.0.1: every request that a CSMS may send, what means yes, and what becomes of the answer.

An answer that tells "there is none" is yes to a question (Get...) and no to an order (Clear..., Delete...). Reports
that come later carry the request's number: they attach to the command as its progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.keeping import KeptBy
from chalicelib.ocpp.v201.commands import judging
from chalicelib.ocpp.v201.commands.answers import (
    certificates,
    charging_profiles,
    configuration,
    display_messages,
    local_lists,
    monitors,
    reservations,
)
from chalicelib.ocpp.version import CommandRoute, numbered

_ACCEPTED: Final = frozenset({"Accepted"})
_OR_SCHEDULED: Final = frozenset({"Accepted", "Scheduled"})
_OR_CANCELED: Final = frozenset({"Accepted", "AcceptedCanceled"})
"""It does what was asked, and has given up what it did before."""
_OR_EMPTY: Final = frozenset({"Accepted", "EmptyResultSet"})


COMMANDS: Final[Mapping[str, CommandRoute]] = {
    "CancelReservation": CommandRoute(_ACCEPTED, KeptBy(reservations.keep_cancelled)),
    "CertificateSigned": CommandRoute(_ACCEPTED),
    "ChangeAvailability": CommandRoute(_OR_SCHEDULED),
    "ClearCache": CommandRoute(_ACCEPTED),
    "ClearChargingProfile": CommandRoute(_ACCEPTED, KeptBy(charging_profiles.keep_cleared)),
    "ClearDisplayMessage": CommandRoute(_ACCEPTED, KeptBy(display_messages.keep_cleared)),
    "ClearVariableMonitoring": CommandRoute(refusal=judging.clear_monitors, on_answer=KeptBy(monitors.keep_cleared)),
    "CostUpdated": CommandRoute(),
    "CustomerInformation": CommandRoute(_ACCEPTED, topic=numbered),
    "DataTransfer": CommandRoute(_ACCEPTED),
    "DeleteCertificate": CommandRoute(_ACCEPTED, KeptBy(certificates.keep_deleted)),
    "GetBaseReport": CommandRoute(_OR_EMPTY, topic=numbered),
    "GetChargingProfiles": CommandRoute(
        frozenset({"Accepted", "NoProfiles"}), KeptBy(charging_profiles.keep_none_found), numbered
    ),
    "GetCompositeSchedule": CommandRoute(_ACCEPTED),
    "GetDisplayMessages": CommandRoute(frozenset({"Accepted", "Unknown"}), topic=numbered),
    "GetInstalledCertificateIds": CommandRoute(frozenset({"Accepted", "NotFound"}), KeptBy(certificates.keep_listed)),
    "GetLocalListVersion": CommandRoute(on_answer=KeptBy(local_lists.keep_version)),
    "GetLog": CommandRoute(_OR_CANCELED, topic=numbered),
    "GetMonitoringReport": CommandRoute(_OR_EMPTY, topic=numbered),
    "GetReport": CommandRoute(_OR_EMPTY, topic=numbered),
    "GetTransactionStatus": CommandRoute(),
    "GetVariables": CommandRoute(on_answer=KeptBy(configuration.keep_read)),
    "InstallCertificate": CommandRoute(_ACCEPTED, KeptBy(certificates.keep_installed)),
    "PublishFirmware": CommandRoute(_ACCEPTED, topic=numbered),
    "RequestStartTransaction": CommandRoute(_ACCEPTED),
    "RequestStopTransaction": CommandRoute(_ACCEPTED),
    "ReserveNow": CommandRoute(_ACCEPTED),
    "Reset": CommandRoute(_OR_SCHEDULED),
    "SendLocalList": CommandRoute(_ACCEPTED, KeptBy(local_lists.keep_sent)),
    "SetChargingProfile": CommandRoute(_ACCEPTED, KeptBy(charging_profiles.keep_set)),
    "SetDisplayMessage": CommandRoute(_ACCEPTED, KeptBy(display_messages.keep_set)),
    "SetMonitoringBase": CommandRoute(_ACCEPTED),
    "SetMonitoringLevel": CommandRoute(_ACCEPTED),
    "SetNetworkProfile": CommandRoute(_ACCEPTED, KeptBy(configuration.keep_network_profile)),
    "SetVariableMonitoring": CommandRoute(refusal=judging.set_monitors, on_answer=KeptBy(monitors.keep_set)),
    "SetVariables": CommandRoute(refusal=judging.set_variables, on_answer=KeptBy(configuration.keep_written)),
    "TriggerMessage": CommandRoute(_ACCEPTED),
    "UnlockConnector": CommandRoute(frozenset({"Unlocked"})),
    "UnpublishFirmware": CommandRoute(frozenset({"Unpublished"})),
    "UpdateFirmware": CommandRoute(_OR_CANCELED, topic=numbered),
}
