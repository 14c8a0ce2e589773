"""Us → charger in OCPP 2.1: what 2.0.1 has, and tariffs, DER control, dynamic schedules, battery swap, web payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.v201.commands import judging
from chalicelib.ocpp.v201.commands import routes as v201
from chalicelib.ocpp.version import CommandRoute, numbered

_ACCEPTED: Final = frozenset({"Accepted"})

COMMANDS: Final[Mapping[str, CommandRoute]] = {
    **v201.COMMANDS,
    "AFRRSignal": CommandRoute(_ACCEPTED),
    "AdjustPeriodicEventStream": CommandRoute(_ACCEPTED),
    "ChangeTransactionTariff": CommandRoute(_ACCEPTED),
    "ClearDERControl": CommandRoute(_ACCEPTED),
    "ClearTariffs": CommandRoute(refusal=judging.clear_tariffs),
    "GetDERControl": CommandRoute(frozenset({"Accepted", "NotFound"}), topic=numbered),
    "GetPeriodicEventStream": CommandRoute(),
    "GetTariffs": CommandRoute(frozenset({"Accepted", "NoTariff"})),
    "NotifyAllowedEnergyTransfer": CommandRoute(_ACCEPTED),
    "NotifyWebPaymentStarted": CommandRoute(),
    "RequestBatterySwap": CommandRoute(_ACCEPTED, topic=numbered),
    "SetDERControl": CommandRoute(_ACCEPTED),
    "SetDefaultTariff": CommandRoute(_ACCEPTED),
    "UpdateDynamicSchedule": CommandRoute(_ACCEPTED),
    "UsePriorityCharging": CommandRoute(_ACCEPTED),
}
