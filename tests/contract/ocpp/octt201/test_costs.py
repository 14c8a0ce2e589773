"""Block I: the driver sees what it costs."""

from __future__ import annotations

from tests.contract.ocpp.octt201.station import Station


def test_tc_i_01_while_it_charges(station: Station) -> None:
    """The station is told the cost so far (CostUpdated), and in the answers to its events."""
    transaction = station.transaction().charging()
    answer = transaction.updated("MeterValuePeriodic", "Charging", wh=1100)
    assert answer["totalCost"] == 0.04
    cost = {"totalCost": 0.04, "transactionId": transaction.transaction_id}
    assert station.ask("CostUpdated", cost).reply({}) == "accepted"
    transaction.finished()
    assert station.sold()


def test_tc_i_02_at_the_end(station: Station) -> None:
    """The answer to the last event has the final cost: 200 Wh at 0.35 are 7 cents."""
    assert station.transaction().charging().finished()["totalCost"] == 0.07
