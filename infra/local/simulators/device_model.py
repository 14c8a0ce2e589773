"""What a simulated charger is set to: its variables under both of their names, 1.6 key and 2.x component/variable.

`hardware.py` has one and does what it says; the faces read and write it. Only what has an effect may be written: what
the simulator cannot do otherwise is read only, and what it does not have it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

ENERGY: Final = "Energy.Active.Import.Register"
POWER: Final = "Power.Active.Import"

HEARTBEAT_INTERVAL: Final = "OCPPCommCtrlr/HeartbeatInterval"
SAMPLE_INTERVAL: Final = "SampledDataCtrlr/TxUpdatedInterval"
MEASURANDS: Final = "SampledDataCtrlr/TxUpdatedMeasurands"
PASSWORD: Final = "SecurityCtrlr/BasicAuthPassword"

MAX_READ: Final = 30
"""Variables in one question."""
MAX_LIST_ENTRIES: Final = 1000
MAX_LIST_UPDATE: Final = 100
MAX_PROFILES: Final = 10
MAX_STACK_LEVEL: Final = 8
MAX_PERIODS: Final = 24

Mutability = Literal["ReadOnly", "WriteOnly", "ReadWrite"]
Check = Callable[[str], bool]


def whole(low: int, high: int) -> Check:
    return lambda text: text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high


def members_of(*known: str) -> Check:
    """A list of one or more of these, each once."""

    def check(text: str) -> bool:
        members = text.split(",")
        return set(members) <= set(known) and len(set(members)) == len(members)

    return check


def is_password(text: str) -> bool:
    """A00.FR.205: 16 to 40 characters."""
    return 16 <= len(text) <= 40 and text.isascii() and text.isprintable()


@dataclass(frozen=True)
class Variable:
    """`name` is the 2.x one, `key` the 1.6 one, None where the version has none. Without a `check` it is read only."""

    name: str | None
    key: str | None
    value: str
    data_type: str = "string"
    unit: str | None = None
    check: Check | None = None
    is_secret: bool = False

    @property
    def mutability(self) -> Mutability:
        if self.check is None:
            return "ReadOnly"
        return "WriteOnly" if self.is_secret else "ReadWrite"


_YES: Final = "true"
_NO: Final = "false"

BUILT_IN: Final = (
    Variable(HEARTBEAT_INTERVAL, "HeartbeatInterval", "300", "integer", "s", whole(10, 86_400)),
    Variable("OCPPCommCtrlr/FileTransferProtocols", None, "", "MemberList"),
    Variable("OCPPCommCtrlr/MessageTimeout.Default", None, "30", "integer", "s"),
    Variable(SAMPLE_INTERVAL, "MeterValueSampleInterval", "15", "integer", "s", whole(5, 3600)),
    # No state of charge: an AC socket does not know it, and refuses the whole list for it, as real ones do.
    Variable(MEASURANDS, "MeterValuesSampledData", f"{ENERGY},{POWER}", "MemberList", None, members_of(ENERGY, POWER)),
    Variable("SampledDataCtrlr/TxStartedMeasurands", None, ENERGY, "MemberList"),
    Variable("SampledDataCtrlr/TxEndedMeasurands", None, ENERGY, "MemberList"),
    Variable("SampledDataCtrlr/TxEndedInterval", None, "0", "integer", "s"),
    Variable("AlignedDataCtrlr/Interval", "ClockAlignedDataInterval", "0", "integer", "s"),
    Variable("AlignedDataCtrlr/TxEndedInterval", None, "0", "integer", "s"),
    Variable(None, "StopTxnSampledData", ""),
    Variable(None, "StopTxnAlignedData", ""),
    # The car comes within seconds: any time that leaves it those is kept.
    Variable("TxCtrlr/EVConnectionTimeOut", "ConnectionTimeOut", "60", "integer", "s", whole(10, 600)),
    Variable("TxCtrlr/StopTxOnInvalidId", "StopTransactionOnInvalidId", _YES, "boolean"),
    Variable("TxCtrlr/StopTxOnEVSideDisconnect", "StopTransactionOnEVSideDisconnect", _YES, "boolean"),
    Variable("TxCtrlr/TxStartPoint", None, "PowerPathClosed", "MemberList"),
    Variable("TxCtrlr/TxStopPoint", None, "PowerPathClosed", "MemberList"),
    Variable("AuthCtrlr/Enabled", None, _YES, "boolean"),
    Variable("AuthCtrlr/LocalPreAuthorize", "LocalPreAuthorize", _NO, "boolean"),
    Variable("AuthCtrlr/LocalAuthorizeOffline", "LocalAuthorizeOffline", _YES, "boolean"),
    Variable("AuthCtrlr/AuthorizeRemoteStart", "AuthorizeRemoteTxRequests", _NO, "boolean"),
    Variable("AuthCtrlr/OfflineTxForUnknownIdEnabled", "AllowOfflineTxForUnknownId", _NO, "boolean"),
    Variable("SecurityCtrlr/SecurityProfile", "SecurityProfile", "1", "integer"),
    Variable(PASSWORD, "AuthorizationKey", "", "string", None, is_password, is_secret=True),
    Variable("DeviceDataCtrlr/ItemsPerMessage.GetVariables", "GetConfigurationMaxKeys", str(MAX_READ), "integer"),
    Variable("DeviceDataCtrlr/ItemsPerMessage.SetVariables", None, str(MAX_READ), "integer"),
    Variable("LocalAuthListCtrlr/Enabled", "LocalAuthListEnabled", _YES, "boolean"),
    Variable("LocalAuthListCtrlr/ItemsPerMessage", "SendLocalListMaxLength", str(MAX_LIST_UPDATE), "integer"),
    Variable(None, "LocalAuthListMaxLength", str(MAX_LIST_ENTRIES)),
    Variable("ReservationCtrlr/Enabled", None, _YES, "boolean"),
    Variable("ReservationCtrlr/NonEvseSpecific", "ReserveConnectorZeroSupported", _NO, "boolean"),
    Variable("SmartChargingCtrlr/Enabled", None, _YES, "boolean"),
    Variable("SmartChargingCtrlr/ProfileStackLevel", "ChargeProfileMaxStackLevel", str(MAX_STACK_LEVEL), "integer"),
    Variable("SmartChargingCtrlr/RateUnit", None, "A,W", "MemberList"),
    Variable(None, "ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
    Variable("SmartChargingCtrlr/PeriodsPerSchedule", "ChargingScheduleMaxPeriods", str(MAX_PERIODS), "integer"),
    Variable(None, "MaxChargingProfilesInstalled", str(MAX_PROFILES)),
    Variable("DisplayMessageCtrlr/SupportedFormats", None, "ASCII,UTF8", "MemberList"),
    Variable("DisplayMessageCtrlr/SupportedPriorities", None, "AlwaysFront,InFront,NormalCycle", "MemberList"),
    Variable(None, "SupportedFeatureProfiles", "Core,LocalAuthListManagement,RemoteTrigger,Reservation,SmartCharging"),
)


class DeviceModel:
    """`live` tells the variables that are not set but observed; `changed` what was written, by 2.x name."""

    def __init__(self, live: Callable[[], Iterable[Variable]], changed: Mapping[str, str]) -> None:
        self._live = live
        known = {variable.name for variable in BUILT_IN if variable.check is not None and not variable.is_secret}
        self.changed = {name: value for name, value in changed.items() if name in known}

    def __getitem__(self, name: str) -> str:
        written = self.changed.get(name)
        return next(variable.value for variable in BUILT_IN if variable.name == name) if written is None else written

    def seconds(self, name: str) -> timedelta:
        return timedelta(seconds=int(self[name]))

    def all(self) -> list[Variable]:
        """Every variable with its value of now; a secret's is empty."""
        return [*map(self._as_set, BUILT_IN), *self._live()]

    def find(self, *, key: str | None = None, name: str | None = None) -> Variable | None:
        """By its 1.6 key or by its 2.x name; both are compared without case."""
        for variable in self.all():
            own, wanted = (variable.key, key) if name is None else (variable.name, name)
            if own is not None and wanted is not None and own.casefold() == wanted.casefold():
                return variable
        return None

    def write(self, variable: Variable, value: str) -> bool:
        """Whether it took the value. A secret's is for its owner to keep."""
        if variable.check is None or variable.name is None or not variable.check(value):
            return False
        if not variable.is_secret:
            self.changed[variable.name] = value
        return True

    def _as_set(self, variable: Variable) -> Variable:
        value = self.changed.get(variable.name or "")
        return variable if value is None else replace(variable, value=value)
