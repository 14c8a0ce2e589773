"""Platform → simulated charger in OCPP 1.6: commands into orders. With `telling.py` it is the whole face.

What the version has and this charger does not is answered NotSupported, what nobody knows NotImplemented (4.2.3).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from infra.local.simulators.device_model import MAX_READ, PASSWORD, Variable
from infra.local.simulators.evse import IdToken, Reservation
from infra.local.simulators.face import Call, Errand, Errands, Order, follow, moment
from infra.local.simulators.hardware import Hardware
from infra.local.simulators.ocpp_client import Declined, Payload
from infra.local.simulators.power_limits import Profile, read_profile
from infra.local.simulators.v16.telling import Telling

_NOT_SUPPORTED: Final = frozenset(
    {
        "CertificateSigned",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLog",
        "InstallCertificate",
        "SignedUpdateFirmware",
        "UpdateFirmware",
    }
)
_RESERVING: Final = {
    "accepted": "Accepted",
    "occupied": "Occupied",
    "unavailable": "Unavailable",
    "rejected": "Rejected",
}
_LISTING: Final = {"accepted": "Accepted", "failed": "Failed", "version_mismatch": "VersionMismatch"}
_KEY_BYTES: Final = range(16, 21)


class FaceV16(Telling):
    def __init__(self, identity: str, hardware: Hardware, errands: Errands, call: Call) -> None:
        super().__init__(identity, hardware, call)
        self._errands = errands
        self._orders: dict[str, Order] = {
            "CancelReservation": self._cancel_reservation,
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": lambda _: {"status": "Accepted"},
            "ClearChargingProfile": self._clear_profiles,
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "GetConfiguration": self._get_configuration,
            "GetLocalListVersion": lambda _: {"listVersion": hardware.list_version},
            "RemoteStartTransaction": self._start,
            "RemoteStopTransaction": self._stop,
            "ReserveNow": self._reserve,
            "Reset": self._reset,
            "SendLocalList": self._send_local_list,
            "SetChargingProfile": self._set_profile,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    def obey(self, action: str, payload: Payload) -> Payload:
        order = self._orders.get(action)
        if order is None:
            raise Declined("NotSupported" if action in _NOT_SUPPORTED else "NotImplemented")
        return follow(order, payload, "FormationViolation")

    # -- deliveries -------------------------------------------------------------------------------------------------

    def _start(self, payload: Payload) -> Payload:
        profile = None
        if "chargingProfile" in payload:
            profile = read_profile(payload["connectorId"], payload["chargingProfile"], moment)
            if profile is None or profile.purpose != "TxProfile":
                return _status(False)
        delivery = self._hardware.order_start(payload.get("connectorId"), IdToken(payload["idTag"]))
        if delivery is not None and profile is not None:
            self._hardware.install_profile(profile)
        return _status(delivery is not None)

    def _stop(self, payload: Payload) -> Payload:
        return _status(self._hardware.order_stop(payload["transactionId"], "remote"))

    def _unlock(self, payload: Payload) -> Payload:
        return {"status": "Unlocked" if self._hardware.unlock(payload["connectorId"]) else "NotSupported"}

    # -- places -----------------------------------------------------------------------------------------------------

    def _reserve(self, payload: Payload) -> Payload:
        reservation = Reservation(payload["reservationId"], payload["idTag"], moment(payload["expiryDate"]))
        return {"status": _RESERVING[self._hardware.order_reserve(payload["connectorId"], reservation)]}

    def _cancel_reservation(self, payload: Payload) -> Payload:
        return _status(self._hardware.cancel_reservation(payload["reservationId"]))

    def _change_availability(self, payload: Payload) -> Payload:
        is_operative = payload["type"] == "Operative"
        outcome = self._hardware.change_availability(payload["connectorId"], is_operative=is_operative)
        return {"status": outcome.capitalize()}

    # -- settings ---------------------------------------------------------------------------------------------------

    def _get_configuration(self, payload: Payload) -> Payload:
        """Without keys: all. The number of keys in one question is bounded (GetConfigurationMaxKeys)."""
        asked: list[str] = payload.get("key") or []
        if len(asked) > MAX_READ:
            raise Declined("OccurenceConstraintViolation")
        if not asked:
            return {"configurationKey": [_shown(known) for known in self._hardware.variables.all() if known.key]}
        found = {key: self._hardware.variables.find(key=key) for key in asked}
        return {
            "configurationKey": [_shown(variable) for variable in found.values() if variable is not None],
            "unknownKey": [key for key, variable in found.items() if variable is None],
        }

    def _change_configuration(self, payload: Payload) -> Payload:
        """The AuthorizationKey is told in hex, 16 to 20 bytes; Basic Auth has the bytes (whitepaper, A00.FR.205)."""
        variable, value = self._hardware.variables.find(key=payload["key"]), payload["value"]
        if variable is None:
            return {"status": "NotSupported"}
        password = b""
        if variable.name == PASSWORD:
            password = _bytes_of(value)
            if len(password) not in _KEY_BYTES:
                return _status(False)
        return _status(self._hardware.write(variable, value, password))

    def _send_local_list(self, payload: Payload) -> Payload:
        entries = {entry["idTag"]: "idTagInfo" in entry for entry in payload.get("localAuthorizationList", [])}
        is_full = payload["updateType"] == "Full"
        return {
            "status": _LISTING[self._hardware.update_list(payload["listVersion"], is_full=is_full, entries=entries)]
        }

    def _set_profile(self, payload: Payload) -> Payload:
        profile = read_profile(payload["connectorId"], payload["csChargingProfiles"], moment)
        return _status(profile is not None and self._hardware.install_profile(profile))

    def _clear_profiles(self, payload: Payload) -> Payload:
        """All that match; what is not named matches all."""

        def matches(profile: Profile) -> bool:
            return (
                payload.get("id") in (None, profile.profile_id)
                and payload.get("connectorId") in (None, profile.evse_no)
                and payload.get("chargingProfilePurpose") in (None, profile.purpose)
                and payload.get("stackLevel") in (None, profile.stack_level)
            )

        return {"status": "Accepted" if self._hardware.clear_profiles(matches) else "Unknown"}

    # -- the charger itself -----------------------------------------------------------------------------------------

    def _reset(self, payload: Payload) -> Payload:
        """What is being delivered is ended first (5.14)."""
        self._hardware.order_restart("soft_reset" if payload["type"] == "Soft" else "hard_reset")
        return _status(True)

    def _trigger(self, payload: Payload) -> Payload:
        evses = self._hardware.at(payload.get("connectorId"))
        errands: dict[str, list[Errand]] = {
            "BootNotification": [partial(self.boot, "triggered")],
            "Heartbeat": [self.heartbeat],
            "MeterValues": [partial(self.tell_reading, evse) for evse in evses],
            "StatusNotification": [partial(self.tell_status, evse) for evse in evses],
        }
        asked = errands.get(payload["requestedMessage"])
        if asked is None:
            return {"status": "NotImplemented"}
        return _status(bool(evses) and self._errands.add(*asked))


def _status(accepted: bool) -> Payload:
    return {"status": "Accepted" if accepted else "Rejected"}


def _shown(variable: Variable) -> dict[str, Any]:
    told: dict[str, Any] = {"key": variable.key, "readonly": variable.check is None}
    return told if variable.is_secret else told | {"value": variable.value}


def _bytes_of(key: str) -> bytes:
    """Empty for what is no hex."""
    try:
        return bytes.fromhex(key)
    except ValueError:
        return b""
