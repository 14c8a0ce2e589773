"""Block D: the list of cards that a station knows by itself. The platform makes it of the operator's active cards."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import CARD, STATION, Station, id_token

SECOND: Final = "04D5E6F7"


def version(station: Station, answer: int) -> int:
    """The operator asks which list the station has; gives what is shown."""
    assert station.ask("GetLocalListVersion").reply({"versionNumber": answer}) == "accepted"
    return int(station.kept("local-list")["version"])


def synchronized(station: Station, **how: Any) -> Any:
    """The list is brought up to date with what the station has; gives what the station was sent."""
    reply = station.write(f"/v1/chargers/{STATION}/local-list", how)
    assert reply.status == 202, reply.body
    [asked] = station.received()
    assert asked.action == "SendLocalList"
    assert asked.reply() == "accepted"
    known = station.kept("local-list")
    assert (known["state"], known["version"]) == ("synchronized", asked.payload["versionNumber"])
    return asked.payload


def cards(payload: Any) -> dict[str, str | None]:
    """Each card of a list with its status; None: it is taken off."""
    entries = payload["localAuthorizationList"]
    return {entry["idToken"]["idToken"]: entry.get("idTokenInfo", {}).get("status") for entry in entries}


def test_tc_d_01_the_whole_list(station: Station) -> None:
    """For a station whose list nobody knows: all cards, with a version above the station's."""
    assert version(station, 3) == 3
    sent = synchronized(station)
    assert sent["updateType"] == "Full"
    assert sent["versionNumber"] > 3
    assert cards(sent) == {CARD: "Accepted"}
    assert version(station, sent["versionNumber"]) == sent["versionNumber"]


def test_tc_d_02_a_card_more(station: Station) -> None:
    """A card is added: a differential list has that one alone, with the next version."""
    before = synchronized(station)["versionNumber"]
    station.card(SECOND)
    sent = synchronized(station)
    assert (sent["updateType"], cards(sent)) == ("Differential", {SECOND: "Accepted"})
    assert sent["versionNumber"] > before


def test_tc_d_03_a_card_less(station: Station) -> None:
    """A card is blocked: a differential list takes it off, by naming it without any information."""
    station.card(SECOND)
    before = synchronized(station)["versionNumber"]
    station.block(SECOND)
    sent = synchronized(station)
    assert (sent["updateType"], cards(sent)) == ("Differential", {SECOND: None})
    assert sent["localAuthorizationList"] == [{"idToken": id_token(SECOND)}]
    assert sent["versionNumber"] > before


def test_tc_d_04_nobody(station: Station) -> None:
    """The last card is blocked and the whole list sent: it has no entries, which empties the station's."""
    synchronized(station)
    station.block(CARD)
    sent = synchronized(station, full=True)
    assert sent["updateType"] == "Full"
    assert "localAuthorizationList" not in sent


VERSIONS: Final[dict[str, int]] = {"TC_D_08": 7, "TC_D_09": 0}


@pytest.mark.parametrize("case", VERSIONS)
def test_the_version_is_read(station: Station, case: str) -> None:
    """GetLocalListVersion of a station that has a list, and of one that has none."""
    assert version(station, VERSIONS[case]) == VERSIONS[case]


def test_a_list_that_an_operator_sent_by_hand(station: Station) -> None:
    """Its version is kept, and the next synchronisation sends the whole list."""
    synchronized(station)
    entry = {"idToken": id_token(SECOND), "idTokenInfo": {"status": "Accepted"}}
    payload = {"versionNumber": 40, "updateType": "Full", "localAuthorizationList": [entry]}
    assert station.obeys("SendLocalList", payload)
    known = station.kept("local-list")
    assert (known["state"], known["version"]) == ("outdated", 40)
    sent = synchronized(station)
    assert (sent["updateType"], sent["versionNumber"]) == ("Full", 41)
