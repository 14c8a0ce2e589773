"""OCPP 2.0.1, the whole surface: every action of the version is in one of the two maps (DataTransfer in both).

The schema of an action is `<Action>Request`, that of its answer `<Action>Response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.errors import V2_CODES, V2_FAULTS
from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v201.actions import (
    authorize,
    boot_notification,
    cleared_charging_limit,
    data_transfer,
    firmware_status_notification,
    get_15118_ev_certificate,
    get_certificate_status,
    heartbeat,
    log_status_notification,
    meter_values,
    notify_charging_limit,
    notify_customer_information,
    notify_display_messages,
    notify_ev_charging_needs,
    notify_ev_charging_schedule,
    notify_event,
    notify_monitoring_report,
    notify_report,
    publish_firmware_status_notification,
    report_charging_profiles,
    reservation_status_update,
    security_event_notification,
    sign_certificate,
    status_notification,
    transaction_event,
)
from chalicelib.ocpp.v201.commands.routes import COMMANDS
from chalicelib.ocpp.v201.commands.wordings import WORDINGS
from chalicelib.ocpp.version import Action, Version

ACTIONS: Final[Mapping[str, Action]] = {
    "Authorize": Action(authorize.handle),
    "BootNotification": Action(boot_notification.handle, while_pending=True, fresh_charger=True),
    "ClearedChargingLimit": Action(cleared_charging_limit.handle),
    "DataTransfer": Action(data_transfer.handle),
    "FirmwareStatusNotification": Action(firmware_status_notification.handle),
    "Get15118EVCertificate": Action(get_15118_ev_certificate.handle),
    "GetCertificateStatus": Action(get_certificate_status.handle),
    "Heartbeat": Action(heartbeat.handle),
    "LogStatusNotification": Action(log_status_notification.handle),
    "MeterValues": Action(meter_values.handle, meter_values.refuse),
    "NotifyChargingLimit": Action(notify_charging_limit.handle),
    "NotifyCustomerInformation": Action(notify_customer_information.handle),
    "NotifyDisplayMessages": Action(notify_display_messages.handle),
    "NotifyEVChargingNeeds": Action(notify_ev_charging_needs.handle, notify_ev_charging_needs.refuse),
    "NotifyEVChargingSchedule": Action(notify_ev_charging_schedule.handle),
    "NotifyEvent": Action(notify_event.handle),
    "NotifyMonitoringReport": Action(notify_monitoring_report.handle),
    "NotifyReport": Action(notify_report.handle, while_pending=True),
    "PublishFirmwareStatusNotification": Action(publish_firmware_status_notification.handle),
    "ReportChargingProfiles": Action(report_charging_profiles.handle),
    "ReservationStatusUpdate": Action(reservation_status_update.handle),
    "SecurityEventNotification": Action(security_event_notification.handle),
    "SignCertificate": Action(sign_certificate.handle),
    "StatusNotification": Action(status_notification.handle, status_notification.refuse),
    "TransactionEvent": Action(
        transaction_event.handle,
        transaction_event.refuse,
        fresh_charger=transaction_event.decides,
        heard_pending=transaction_event.is_of_known_transaction,
    ),
}

V201: Final = Version(
    protocol="ocpp2.0.1",
    schemas=SchemaFolder("v201"),
    codes=V2_CODES,
    faults=V2_FAULTS,
    actions=ACTIONS,
    commands=COMMANDS,
    wordings=WORDINGS,
    life_signs=frozenset({"Heartbeat"}),
    request_suffix="Request",
)
