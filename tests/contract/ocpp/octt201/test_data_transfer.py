"""Block P: what vendors add to the standard."""

from __future__ import annotations

from typing import Any

from tests.contract.ocpp.octt201.station import CARD, Station

CUSTOM: dict[str, Any] = {"customData": {"vendorId": "com.example", "shade": "green"}}


def test_tc_p_02_data_of_a_vendor_we_do_not_know(station: Station) -> None:
    """DataTransfer is answered, and told that nobody here understands it."""
    answer = station.call("DataTransfer", {"vendorId": "com.example", "messageId": "hello", "data": {"a": 1}})
    assert answer["status"] in ("UnknownVendorId", "UnknownMessageId", "Rejected")


def test_tc_p_03_custom_data(station: Station) -> None:
    """Messages that carry a vendor's own members are processed as if these were not there."""
    status = {"timestamp": station.now(), "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1, **CUSTOM}
    assert station.call("StatusNotification", status) == {}
    assert station.evse().status == "Occupied"
    transaction = station.transaction()
    started = transaction.started("Authorized", "EVConnected", token=CARD, **CUSTOM)
    assert started["idTokenInfo"]["status"] == "Accepted"
    transaction.energised()
    transaction.finished()
    assert station.sold()
