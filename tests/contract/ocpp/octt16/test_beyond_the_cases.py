"""What the cases leave unsaid and the field does not: told twice, told without a number, told of what cannot be."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from tests.contract.ocpp import people
from tests.contract.ocpp.octt16.scripted import ScriptedCharger


def test_a_card_with_an_empty_wallet_is_not_accepted(charger: ScriptedCharger) -> None:
    people.driver(charger.world, charger.operator, card="EMPTY")
    assert charger.authorize("EMPTY") == "Blocked"


def test_a_start_sent_again_is_one_session(charger: ScriptedCharger) -> None:
    first = charger.start()
    reserved = charger.cents()
    assert charger.start() == first
    assert charger.cents() == reserved
    assert len(charger.sessions()) == 1


@pytest.mark.parametrize("named", [True, False, 0, -1])
def test_meter_values_belong_to_the_session_on_the_connector(charger: ScriptedCharger, named: bool | int) -> None:
    """Whether the charger names its transaction, leaves it out or fills in 0."""
    charger.request()
    transaction_id = charger.start_accepted(charger.app_token)
    charger.meter(1100, transaction_id if named is True else None if named is False else named)
    reading = lookup.latest_reading(charger.world.ctx, charger.session())
    assert reading is not None
    assert reading.energy_wh == 1100


@pytest.mark.parametrize("connector_id", [0, -1, 1000])
def test_a_start_where_nothing_charges_is_answered_not_accepted(charger: ScriptedCharger, connector_id: int) -> None:
    """A CALLERROR would be asked again for ever."""
    first = charger.start(connectorId=connector_id)
    assert first["idTagInfo"] == {"status": "Invalid"}
    assert charger.start(connectorId=connector_id) == first
    assert charger.stop(first["transactionId"]) == {}


@pytest.mark.parametrize("transaction_id", [0, -1, 987654])
def test_meter_values_and_stops_of_unknown_transactions_are_taken(
    charger: ScriptedCharger, transaction_id: int
) -> None:
    charger.meter(12, transaction_id)
    charger.meter(12, None)
    assert charger.stop(transaction_id) == {}


def test_a_status_of_a_connector_that_cannot_be_is_taken_and_forgotten(charger: ScriptedCharger) -> None:
    charger.status("Available", connector_id=5000)
    assert all(evse.evse_no < 5000 for evse in chargers.list_evses(charger.world.ctx, "WIRE-1"))
