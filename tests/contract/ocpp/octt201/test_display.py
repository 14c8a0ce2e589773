"""Block O: what stands on the station's display."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import Station

TEXT: Final = {"format": "UTF8", "language": "en", "content": "Closed tonight"}


def message(**facts: Any) -> dict[str, Any]:
    """Message 3, unless `facts` say otherwise."""
    return {"id": 3, "priority": "NormalCycle", "message": TEXT, **facts}


def put(station: Station, wanted: dict[str, Any], status: str = "Accepted") -> str:
    asked = station.ask("SetDisplayMessage", {"message": wanted})
    assert asked.payload == {"message": wanted}
    return asked.reply(status)


def shown(station: Station) -> list[dict[str, Any]]:
    return [row["message"] for row in station.kept("display-messages")["data"]]


MESSAGES: Final[dict[str, dict[str, Any]]] = {
    "TC_O_01": {"state": "Idle"},
    "TC_O_13": {"startDateTime": "2026-03-02T09:00:00Z"},
    "TC_O_14": {"endDateTime": "2026-03-02T10:00:00Z"},
    "TC_O_25": {"state": "Charging"},
}
IN_TRANSACTION: Final[dict[str, dict[str, Any]]] = {
    "TC_O_06": {},
    "TC_O_27": {"startDateTime": "2026-03-02T09:00:00Z"},
    "TC_O_28": {"endDateTime": "2026-03-02T10:00:00Z", "state": "Charging"},
}
REFUSALS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "TC_O_10": ({"transactionId": "T-9"}, "UnknownTransaction"),
    "TC_O_17": ({"priority": "AlwaysFront"}, "NotSupportedPriority"),
    "TC_O_18": ({"state": "Faulted"}, "NotSupportedState"),
    "TC_O_19": ({"message": {"format": "HTML", "content": "<b>Closed</b>"}}, "NotSupportedMessageFormat"),
    "TC_O_26": ({}, "Rejected"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_is_shown(station: Station, case: str) -> None:
    """Always, from or until a time, or in one state of the station: accepted, and kept as it was sent."""
    wanted = message(**MESSAGES[case])
    assert put(station, wanted) == "accepted"
    assert shown(station) == [wanted]


@pytest.mark.parametrize("case", IN_TRANSACTION)
def test_a_message_for_one_transaction(station: Station, case: str) -> None:
    """As long as this transaction lasts, or within it from or until a time."""
    transaction = station.transaction().charging()
    wanted = message(transactionId=transaction.transaction_id, **IN_TRANSACTION[case])
    assert put(station, wanted) == "accepted"
    assert shown(station) == [wanted]
    transaction.finished()


@pytest.mark.parametrize("case", REFUSALS)
def test_a_message_is_refused(station: Station, case: str) -> None:
    """The operator sees the station's word for why, and the message is not kept as shown."""
    facts, status = REFUSALS[case]
    assert put(station, message(**facts), status) == "rejected"
    assert shown(station) == []


def test_tc_o_12_a_message_replaces_another(station: Station) -> None:
    """The same number again: the second text is the one that is kept."""
    assert put(station, message()) == "accepted"
    second = message(message={**TEXT, "content": "Open again"})
    assert put(station, second) == "accepted"
    assert shown(station) == [second]


QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    "TC_O_02": {},
    "TC_O_07": {"id": [3]},
    "TC_O_08": {"priority": "NormalCycle"},
    "TC_O_09": {"state": "Idle"},
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_messages_are_asked_for(station: Station, case: str) -> None:
    """All, one, those of a priority or a state: they come in parts with the number of the question."""
    asked = station.ask("GetDisplayMessages", QUESTIONS[case])
    request_id = asked.payload["requestId"]
    assert asked.payload == {"requestId": request_id, **QUESTIONS[case]}
    assert asked.reply() == "accepted"
    for number, last in ((3, False), (4, True)):
        part = {"requestId": request_id, "tbc": not last, "messageInfo": [message(id=number)]}
        assert station.call("NotifyDisplayMessages", part) == {}
    assert [row["id"] for row in shown(station)] == [3, 4]
    assert asked.progress() != []


NOTHING: Final[dict[str, dict[str, Any]]] = {"TC_O_03": {}, "TC_O_11": {"id": [99]}}


@pytest.mark.parametrize("case", NOTHING)
def test_there_are_none(station: Station, case: str) -> None:
    """Asked for messages that it does not have, the station says Unknown: an answer, and nothing follows."""
    assert station.ask("GetDisplayMessages", NOTHING[case]).reply("Unknown") == "accepted"
    assert shown(station) == []


CLEARINGS: Final[dict[str, tuple[str, str]]] = {"TC_O_04": ("Accepted", "accepted"), "TC_O_05": ("Unknown", "rejected")}


@pytest.mark.parametrize("case", CLEARINGS)
def test_a_message_is_taken_down(station: Station, case: str) -> None:
    """Cleared; or unknown to the station, and then it is not shown here either."""
    status, state = CLEARINGS[case]
    assert put(station, message()) == "accepted"
    assert station.ask("ClearDisplayMessage", {"id": 3}).reply(status) == state
    assert shown(station) == []
