"""Core, what we ask of the charger: remote start and stop, reset, unlock, configuration, cache."""

from __future__ import annotations

import pytest

from chalicelib.charging import service as charging
from tests.contract.ocpp.octt16.scripted import SESSION_ID, ScriptedCharger


def remote_start(charger: ScriptedCharger) -> None:
    """The phone's request reserves 5.00 and reaches the charger, which accepts it."""
    call = charger.request()
    assert call[2:] == ["RemoteStartTransaction", {"connectorId": 1, "idTag": charger.app_token}]
    assert charger.cents() == 500
    charger.wire.reply(call, {"status": "Accepted"})


def charge_by_app(charger: ScriptedCharger) -> None:
    """The charger starts with the app's id token; what was not used comes back."""
    assert charger.authorize(charger.app_token) == "Accepted"
    transaction_id = charger.start_accepted(charger.app_token)
    charger.status("Charging")
    charger.stop(transaction_id, reason="EVDisconnected")
    assert charger.cents() == 993
    assert charger.session().transaction_id == transaction_id


def test_tc_010_csms(charger: ScriptedCharger) -> None:
    """The cable is in; the driver starts by phone."""
    charger.status("Preparing")
    remote_start(charger)
    charge_by_app(charger)


def test_tc_011_1_csms(charger: ScriptedCharger) -> None:
    """The driver starts by phone, then plugs in."""
    remote_start(charger)
    charger.status("Preparing")
    charge_by_app(charger)


def test_tc_011_2_csms(charger: ScriptedCharger) -> None:
    """The driver starts by phone and never plugs in: the request lapses and the money is back."""
    remote_start(charger)
    charger.status("Preparing", "Available")
    charger.world.advance(121)
    charger.world.commit(lambda uow: charging.expire_request(uow, SESSION_ID))
    assert charger.cents() == 1000
    assert not charger.session().is_open


def test_tc_012_csms(charger: ScriptedCharger) -> None:
    """The driver stops by phone: the charger is asked to stop this very transaction."""
    remote_start(charger)
    transaction_id = charger.start_accepted(charger.app_token)
    charger.world.commit(
        lambda uow: charging.cancel_or_stop(uow, charger.session(), requested_by=charger.driver.driver_id)
    )
    [call] = charger.received()
    assert call[2:] == ["RemoteStopTransaction", {"transactionId": transaction_id}]
    charger.wire.reply(call, {"status": "Accepted"})
    charger.stop(transaction_id, reason="Remote")
    charger.status("Finishing", "Available")
    assert charger.cents() == 993
    assert charger.session().stop_reason == "Remote"


def reset_during_a_session(charger: ScriptedCharger, kind: str, reason: str) -> None:
    """The session ends with the reset as its reason, and the charger comes back."""
    transaction_id = charger.start_accepted()
    asked = charger.ask("Reset", {"type": kind})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    charger.stop(transaction_id, reason=reason)
    charger.reboot()
    assert charger.sessions()[0].stop_reason == reason
    assert charger.cents() == 993


def test_tc_013_csms(charger: ScriptedCharger) -> None:
    """A hard reset while a car charges."""
    reset_during_a_session(charger, "Hard", "HardReset")


def test_tc_014_csms(charger: ScriptedCharger) -> None:
    """A soft reset while a car charges."""
    reset_during_a_session(charger, "Soft", "SoftReset")


def test_tc_017_1_csms(charger: ScriptedCharger) -> None:
    """Nobody charges, the cable is loose: unlocked."""
    assert charger.ask("UnlockConnector", {"connectorId": 1}).reply({"status": "Unlocked"}) == "accepted"


def test_tc_017_2_csms(charger: ScriptedCharger) -> None:
    """Nobody charges, the cable is fixed: there is nothing to unlock."""
    assert charger.ask("UnlockConnector", {"connectorId": 1}).reply({"status": "NotSupported"}) == "rejected"


def test_tc_018_1_csms(charger: ScriptedCharger) -> None:
    """The connector is unlocked while a car charges: that ends the session."""
    transaction_id = charger.start_accepted()
    charger.status("Charging")
    assert charger.ask("UnlockConnector", {"connectorId": 1}).reply({"status": "Unlocked"}) == "accepted"
    assert charger.stop(transaction_id, reason="UnlockCommand")["idTagInfo"]["status"] == "Accepted"
    charger.status("Finishing", "Available")
    assert charger.sessions()[0].stop_reason == "UnlockCommand"


def test_tc_019_1_csms(charger: ScriptedCharger) -> None:
    """The operator reads the whole configuration: no key is named."""
    asked = charger.ask("GetConfiguration")
    assert asked.payload == {}
    answer = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "540"}]}
    assert asked.reply(answer) == "accepted"
    assert charger.configured("HeartbeatInterval") == "540"


def test_tc_019_2_csms(charger: ScriptedCharger) -> None:
    """The operator reads one key; what it said is the charger's known configuration afterwards."""
    asked = charger.ask("GetConfiguration", {"key": ["MeterValueSampleInterval"]})
    answer = {"configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "300"}]}
    assert asked.reply(answer) == "accepted"
    assert charger.configured("MeterValueSampleInterval") == "300"


def test_tc_021_csms(charger: ScriptedCharger) -> None:
    """The operator changes one key; from then on the charger is known to have the value."""
    asked = charger.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "300"})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    assert charger.configured("MeterValueSampleInterval") == "300"


def test_tc_026_csms(charger: ScriptedCharger) -> None:
    """The charger refuses a remote start: the reserved money is back at once."""
    call = charger.request()
    charger.wire.reply(call, {"status": "Rejected"})
    assert charger.cents() == 1000
    assert not charger.session().is_open


def test_tc_028_csms(charger: ScriptedCharger) -> None:
    """A transaction that the charger does not have cannot be stopped."""
    assert charger.ask("RemoteStopTransaction", {"transactionId": 12345}).reply({"status": "Rejected"}) == "rejected"


def test_tc_030_csms(charger: ScriptedCharger) -> None:
    """The lock is jammed."""
    assert charger.ask("UnlockConnector", {"connectorId": 1}).reply({"status": "UnlockFailed"}) == "rejected"


def test_tc_031_csms(charger: ScriptedCharger) -> None:
    """A connector that the charger does not have."""
    assert charger.ask("UnlockConnector", {"connectorId": 9}).reply({"status": "NotSupported"}) == "rejected"


def test_tc_040_1_csms(charger: ScriptedCharger) -> None:
    """A key that the charger does not have cannot be changed."""
    asked = charger.ask("ChangeConfiguration", {"key": "Nonsense", "value": "1"})
    assert asked.reply({"status": "NotSupported"}) == "rejected"
    assert charger.configured("Nonsense") is None


def test_tc_040_2_csms(charger: ScriptedCharger) -> None:
    """A value that makes no sense is refused by the charger."""
    asked = charger.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "-1"})
    assert asked.reply({"status": "Rejected"}) == "rejected"
    assert charger.configured("MeterValueSampleInterval") is None


def test_a_key_that_needs_a_reboot_does_not_have_its_value_yet(charger: ScriptedCharger) -> None:
    asked = charger.ask("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "60"})
    assert asked.reply({"status": "RebootRequired"}) == "accepted"
    assert charger.configured("WebSocketPingInterval") is None


def test_tc_061_csms(charger: ScriptedCharger) -> None:
    """The charger forgets the cards that it has seen."""
    assert charger.ask("ClearCache").reply({"status": "Accepted"}) == "accepted"


@pytest.mark.parametrize("answered", [True, False])
def test_a_remote_start_that_does_not_happen_gives_the_money_back_once(
    charger: ScriptedCharger, answered: bool
) -> None:
    """The charger says nothing, or says yes too late: the driver has his money, and has it once."""
    call = charger.request()
    charger.world.advance(31)
    charger.ask("ClearCache")
    assert charger.cents() == 1000
    if answered:
        charger.wire.reply(call, {"status": "Accepted"})
        assert charger.cents() == 1000
