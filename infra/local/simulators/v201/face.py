"""Platform → simulated charger in OCPP 2.0.1: commands into orders. With `telling.py` it is the whole face.

What the version has and this charger does not is answered NotSupported, what nobody knows NotImplemented (part 4, 4.3).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from infra.local.simulators.evse import IdToken, Reservation
from infra.local.simulators.face import Call, Errand, Errands, Order, follow, moment
from infra.local.simulators.hardware import Hardware
from infra.local.simulators.ocpp_client import Declined, Payload
from infra.local.simulators.power_limits import Profile, read_profile
from infra.local.simulators.v201.display import Display
from infra.local.simulators.v201.telling import Telling
from infra.local.simulators.v201.variables import VariablesV201

_NOT_SUPPORTED: Final = frozenset(
    {
        "CertificateSigned",
        "ClearVariableMonitoring",
        "CustomerInformation",
        "DeleteCertificate",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetInstalledCertificateIds",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "InstallCertificate",
        "PublishFirmware",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "UnpublishFirmware",
        "UpdateFirmware",
    }
)
_LISTING: Final = {"accepted": "Accepted", "failed": "Failed", "version_mismatch": "VersionMismatch"}


class FaceV201(Telling):
    def __init__(self, identity: str, hardware: Hardware, errands: Errands, call: Call) -> None:
        super().__init__(identity, hardware, call)
        self._errands = errands
        variables = VariablesV201(hardware, errands, call)
        display = Display(lambda transaction_id: hardware.delivering(transaction_id) is not None, errands, call)
        self._orders: dict[str, Order] = {
            "CancelReservation": self._cancel_reservation,
            "ChangeAvailability": self._change_availability,
            "ClearCache": lambda _: _status(False),  # it has none (C11.FR.04)
            "ClearChargingProfile": self._clear_profiles,
            "ClearDisplayMessage": display.clear,
            "CostUpdated": lambda _: {},
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "GetBaseReport": variables.report,
            "GetDisplayMessages": display.get,
            "GetLocalListVersion": lambda _: {"versionNumber": hardware.list_version},
            "GetTransactionStatus": self._get_transaction_status,
            "GetVariables": variables.get,
            "RequestStartTransaction": self._start,
            "RequestStopTransaction": self._stop,
            "ReserveNow": self._reserve,
            "Reset": self._reset,
            "SendLocalList": self._send_local_list,
            "SetChargingProfile": self._set_profile,
            "SetDisplayMessage": display.set,
            "SetVariables": variables.set,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    def obey(self, action: str, payload: Payload) -> Payload:
        order = self._orders.get(action)
        if order is None:
            raise Declined("NotSupported" if action in _NOT_SUPPORTED else "NotImplemented")
        return follow(order, payload, "FormatViolation")

    # -- deliveries -------------------------------------------------------------------------------------------------

    def _start(self, payload: Payload) -> Payload:
        evse_no, profile = payload.get("evseId"), None
        if "chargingProfile" in payload:
            profile = read_profile(evse_no or 0, payload["chargingProfile"], moment)
            if profile is None or profile.purpose != "TxProfile":
                return _status(False)
        id_token = IdToken(payload["idToken"]["idToken"], payload["idToken"]["type"])
        delivery = self._hardware.order_start(evse_no, id_token, payload["remoteStartId"])
        if delivery is not None and profile is not None:
            self._hardware.install_profile(profile)
        return _status(delivery is not None)

    def _stop(self, payload: Payload) -> Payload:
        return _status(self._hardware.order_stop(payload["transactionId"], "remote"))

    def _get_transaction_status(self, payload: Payload) -> Payload:
        """Without an id: whether anything is still to be told (E14)."""
        deliveries = [evse.delivery for evse in self._hardware.evses.values() if evse.delivery is not None]
        if "transactionId" not in payload:
            return {"messagesInQueue": any(delivery.unsent for delivery in deliveries)}
        found = next((each for each in deliveries if each.transaction_id == payload["transactionId"]), None)
        if found is None:
            return {"ongoingIndicator": False, "messagesInQueue": False}
        return {"ongoingIndicator": found.stop is None, "messagesInQueue": bool(found.unsent)}

    def _unlock(self, payload: Payload) -> Payload:
        evse = self._hardware.evses.get(payload["evseId"])
        if evse is None or payload["connectorId"] != 1:
            return {"status": "UnknownConnector"}
        return {"status": "Unlocked" if evse.delivery is None else "OngoingAuthorizedTransaction"}

    # -- places -----------------------------------------------------------------------------------------------------

    def _reserve(self, payload: Payload) -> Payload:
        """Of a certain EVSE only: NonEvseSpecific is false (H01.FR.18)."""
        reservation = Reservation(payload["id"], payload["idToken"]["idToken"], moment(payload["expiryDateTime"]))
        return {"status": self._hardware.order_reserve(payload.get("evseId", 0), reservation).capitalize()}

    def _cancel_reservation(self, payload: Payload) -> Payload:
        return _status(self._hardware.cancel_reservation(payload["reservationId"]))

    def _change_availability(self, payload: Payload) -> Payload:
        evse_no = payload["evse"]["id"] if "evse" in payload else None
        is_operative = payload["operationalStatus"] == "Operative"
        return {"status": self._hardware.change_availability(evse_no, is_operative=is_operative).capitalize()}

    # -- lists and limits -------------------------------------------------------------------------------------------

    def _send_local_list(self, payload: Payload) -> Payload:
        entries = {
            entry["idToken"]["idToken"]: "idTokenInfo" in entry for entry in payload.get("localAuthorizationList", [])
        }
        is_full = payload["updateType"] == "Full"
        outcome = self._hardware.update_list(payload["versionNumber"], is_full=is_full, entries=entries)
        return {"status": _LISTING[outcome]}

    def _set_profile(self, payload: Payload) -> Payload:
        profile = read_profile(payload["evseId"], payload["chargingProfile"], moment)
        return _status(profile is not None and self._hardware.install_profile(profile))

    def _clear_profiles(self, payload: Payload) -> Payload:
        """By its id, or all that match; what is not named matches all (K10)."""
        profile_id, criteria = payload.get("chargingProfileId"), payload.get("chargingProfileCriteria", {})

        def matches(profile: Profile) -> bool:
            if profile_id is not None:
                return profile.profile_id == int(profile_id)
            return (
                criteria.get("evseId") in (None, profile.evse_no)
                and criteria.get("chargingProfilePurpose") in (None, profile.purpose)
                and criteria.get("stackLevel") in (None, profile.stack_level)
            )

        return {"status": "Accepted" if self._hardware.clear_profiles(matches) else "Unknown"}

    # -- the charger itself -----------------------------------------------------------------------------------------

    def _reset(self, payload: Payload) -> Payload:
        """The whole charger only: a single EVSE cannot be reset (AllowReset)."""
        if "evseId" in payload:
            return _status(False)
        outcome = self._hardware.order_restart(None if payload["type"] == "OnIdle" else "hard_reset")
        return {"status": outcome.capitalize()}

    def _trigger(self, payload: Payload) -> Payload:
        evses = self._hardware.at(payload["evse"]["id"] if "evse" in payload else None)
        delivering = [evse for evse in evses if evse.delivery is not None and evse.delivery.is_running]
        errands: dict[str, list[Errand]] = {
            "BootNotification": [partial(self.boot, "triggered")],
            "Heartbeat": [self.heartbeat],
            "MeterValues": [partial(self.tell_reading, evse) for evse in evses],
            "StatusNotification": [partial(self.tell_status, evse) for evse in evses],
            "TransactionEvent": [partial(self.tell_transaction, evse) for evse in delivering],
        }
        asked = errands.get(payload["requestedMessage"])
        if asked is None:
            return {"status": "NotImplemented"}
        return _status(bool(asked) and self._errands.add(*asked))


def _status(accepted: bool) -> Payload:
    return {"status": "Accepted" if accepted else "Rejected"}
