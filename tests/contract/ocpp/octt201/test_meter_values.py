"""Block J: what the meter says, by the clock and in transactions, signed or not."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import BEGIN_WH, CARD, END_WH, Station, reading

SIGNED: Final = {
    "signedMeterData": "c2lnbmVkIGRhdGE=",
    "signingMethod": "ECDSA256",
    "encodingMethod": "OCMF",
    "publicKey": "a2V5",
}


def values(station: Station, wh: float, context: str, *, signed: bool = False) -> list[dict[str, Any]]:
    entry = reading(wh, context, station.now())
    if signed:
        entry["sampledValue"][0]["signedMeterValue"] = SIGNED
    return [entry]


def test_tc_j_01_by_the_clock_and_nobody_charges(station: Station) -> None:
    """MeterValues of both EVSEs, and of the station's own meter (EVSE 0)."""
    for evse_no in (0, 1, 2):
        payload = {"evseId": evse_no, "meterValue": values(station, 1000, "Sample.Clock")}
        assert station.call("MeterValues", payload) == {}
    assert station.sessions() == []


UPDATES: Final[dict[str, tuple[str, str]]] = {
    "TC_J_02": ("MeterValueClock", "Sample.Clock"),
    "TC_J_09": ("MeterValuePeriodic", "Sample.Periodic"),
}


@pytest.mark.parametrize("case", UPDATES)
def test_values_while_somebody_charges(station: Station, case: str) -> None:
    """By the clock or by interval, as events of the transaction: the driver sees the energy, and money is held."""
    trigger, context = UPDATES[case]
    transaction = station.transaction().charging()
    for wh in (1050, 1100):
        transaction.updated(trigger, "Charging", wh=wh, context=context)
    [session] = station.sessions()
    assert session.state == "charging"
    transaction.finished()
    assert station.sold()


ENDINGS: Final[dict[str, tuple[str, bool]]] = {
    "TC_J_03": ("Sample.Clock", False),
    "TC_J_04": ("Sample.Clock", True),
    "TC_J_10": ("Sample.Periodic", False),
    "TC_J_11": ("Sample.Periodic", True),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_values_in_the_last_event(station: Station, case: str) -> None:
    """The end brings all values of the delivery at once, by the clock or by interval, signed or not; what counts is
    the register at the end."""
    context, signed = ENDINGS[case]
    transaction = station.transaction().charging()
    told = [
        *values(station, 1050, context, signed=signed),
        *values(station, 1100, context, signed=signed),
        *values(station, END_WH, "Transaction.End", signed=signed),
    ]
    transaction.event("Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected", meterValue=told)
    assert station.sold()


def test_tc_j_07_the_first_value_comes_with_the_start(station: Station) -> None:
    """The first event knows the EVSE and the register at the beginning."""
    transaction = station.transaction()
    transaction.started("Authorized", "EVConnected", token=CARD, wh=BEGIN_WH, context="Transaction.Begin")
    transaction.updated("ChargingStateChanged", "Charging")
    transaction.finished()
    assert station.sold()


def test_tc_j_08_the_first_value_comes_when_the_evse_is_known(station: Station) -> None:
    """A card before any cable: the first event names no EVSE. The next one does, with the register at the beginning."""
    transaction = station.transaction(evse_no=None)
    transaction.started("Authorized", token=CARD)
    transaction.evse_no = 1
    transaction.updated("CablePluggedIn", "EVConnected", wh=BEGIN_WH, context="Transaction.Begin")
    transaction.updated("ChargingStateChanged", "Charging")
    transaction.finished()
    assert station.sold()
