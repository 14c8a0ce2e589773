"""OCPP 2.1, the whole surface: what 2.0.1 has, by the schemas of 2.1, and what 2.1 adds or answers otherwise.

The schema of an action is `<Action>Request`, that of its answer `<Action>Response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from chalicelib.ocpp.errors import V2_CODES, V21_FAULTS
from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v21.actions import (
    battery_swap,
    close_periodic_event_stream,
    get_certificate_chain_status,
    notify_der_alarm,
    notify_der_start_stop,
    notify_ev_charging_needs,
    notify_priority_charging,
    notify_settlement,
    open_periodic_event_stream,
    pull_dynamic_schedule_update,
    report_der_control,
    transaction_event,
    vat_number_validation,
)
from chalicelib.ocpp.v21.commands.routes import COMMANDS
from chalicelib.ocpp.v21.commands.wordings import WORDINGS
from chalicelib.ocpp.v201 import routes as v201
from chalicelib.ocpp.version import Action, Version

ACTIONS: Final[Mapping[str, Action]] = {
    **v201.ACTIONS,
    "BatterySwap": Action(battery_swap.handle),
    "ClosePeriodicEventStream": Action(close_periodic_event_stream.handle),
    "GetCertificateChainStatus": Action(get_certificate_chain_status.handle),
    "NotifyDERAlarm": Action(notify_der_alarm.handle),
    "NotifyDERStartStop": Action(notify_der_start_stop.handle),
    "NotifyEVChargingNeeds": replace(v201.ACTIONS["NotifyEVChargingNeeds"], handle=notify_ev_charging_needs.handle),
    "NotifyPriorityCharging": Action(notify_priority_charging.handle),
    "NotifySettlement": Action(notify_settlement.handle),
    "OpenPeriodicEventStream": Action(open_periodic_event_stream.handle),
    "PullDynamicScheduleUpdate": Action(pull_dynamic_schedule_update.handle),
    "ReportDERControl": Action(report_der_control.handle),
    "TransactionEvent": replace(v201.ACTIONS["TransactionEvent"], handle=transaction_event.handle),
    "VatNumberValidation": Action(vat_number_validation.handle),
}

UNSERVED: Final = frozenset({"NotifyPeriodicEventStream"})
"""It is no CALL: it comes unanswered (SEND), in streams, and we open none."""

V21: Final = Version(
    protocol="ocpp2.1",
    schemas=SchemaFolder("v21"),
    codes=V2_CODES,
    faults=V21_FAULTS,
    actions=ACTIONS,
    commands=COMMANDS,
    wordings=WORDINGS,
    life_signs=frozenset({"Heartbeat"}),
    unserved=UNSERVED,
    request_suffix="Request",
)
