"""Block N, second part: logs, and what a station knows about a customer."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import CARD, STATION, Station, id_token

UPLOADED: Final = ["Uploading", "Uploaded"]


def fetch(station: Station, kind: str) -> Asked:
    return station.ask("GetLog", {"logType": kind, "log": {"remoteLocation": "https://logs.example/upload"}})


def tell(station: Station, asked: Asked, *statuses: str) -> None:
    for status in statuses:
        payload = {"status": status, "requestId": asked.payload["requestId"]}
        assert station.call("LogStatusNotification", payload) == {}


LOGS: Final[dict[str, str]] = {"TC_N_25": "DiagnosticsLog", "TC_N_35": "SecurityLog"}


@pytest.mark.parametrize("case", LOGS)
def test_a_log_is_fetched(station: Station, case: str) -> None:
    """The station names the file, uploads it, and says so under the number of the request."""
    asked = fetch(station, LOGS[case])
    assert asked.reply({"status": "Accepted", "filename": "log.gz"}) == "accepted"
    tell(station, asked, *UPLOADED)
    assert asked.progress() == UPLOADED


def test_tc_n_34_no_log(station: Station) -> None:
    """Rejected by the station."""
    assert fetch(station, "DiagnosticsLog").reply("Rejected") == "rejected"


def test_tc_n_36_a_second_log_takes_over(station: Station) -> None:
    """While it uploads one, another is asked for: the first is given up. Each report is with its own command."""
    first = fetch(station, "DiagnosticsLog")
    assert first.reply({"status": "Accepted", "filename": "1.gz"}) == "accepted"
    tell(station, first, "Uploading")
    second = fetch(station, "DiagnosticsLog")
    assert second.reply({"status": "AcceptedCanceled", "filename": "2.gz"}) == "accepted"
    tell(station, first, "AcceptedCanceled")
    tell(station, second, *UPLOADED)
    assert first.progress() == ["Uploading", "AcceptedCanceled"]
    assert second.progress() == UPLOADED


BY_TOKEN: Final[dict[str, Any]] = {"idToken": id_token()}
BY_CERTIFICATE: Final[dict[str, Any]] = {
    "customerCertificate": {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": "01",
    }
}

CUSTOMERS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "TC_N_27": ({"report": True, "clear": False, **BY_TOKEN}, "seen on 1 March"),
    "TC_N_28": ({"report": True, "clear": False, **BY_TOKEN}, ""),
    "TC_N_30": ({"report": True, "clear": True, **BY_TOKEN}, "seen on 1 March"),
    "TC_N_31": ({"report": True, "clear": True, **BY_TOKEN}, ""),
    "TC_N_32": ({"report": False, "clear": True, **BY_TOKEN}, ""),
    "TC_N_62": ({"report": True, "clear": True, "customerIdentifier": "OpenChargeAlliance"}, "seen on 1 March"),
    "TC_N_63": ({"report": True, "clear": True, **BY_CERTIFICATE}, "seen on 1 March"),
}
"""The question, and what the station knows."""


def told(station: Station, asked: Asked, text: str) -> None:
    """The report in two parts."""
    halves = (text[: len(text) // 2], text[len(text) // 2 :])
    for seq_no, half in enumerate(halves):
        payload = {
            "requestId": asked.payload["requestId"],
            "generatedAt": station.now(),
            "seqNo": seq_no,
            "tbc": seq_no == 0,
            "data": half,
        }
        assert station.call("NotifyCustomerInformation", payload) == {}


@pytest.mark.parametrize("case", CUSTOMERS)
def test_what_it_knows_about_a_customer(station: Station, case: str) -> None:
    """Reported, forgotten, or both, by card, certificate or another name; the text is put together from its parts."""
    request, text = CUSTOMERS[case]
    asked = station.ask("CustomerInformation", request)
    assert asked.payload == {"requestId": asked.payload["requestId"], **request}
    assert asked.reply() == "accepted"
    told(station, asked, text)
    found = station.kept(f"customer-information?request_id={asked.payload['requestId']}")
    assert (found["text"], found["is_complete"]) == (text, True)


def test_tc_n_29_it_does_not_tell(station: Station) -> None:
    """The station does not accept the question."""
    asked = station.ask("CustomerInformation", {"report": True, "clear": False, **BY_TOKEN})
    assert asked.reply("Rejected") == "rejected"


def test_tc_n_46_also_off_the_local_list(station: Station) -> None:
    """A customer is forgotten by the station; the card is blocked, and taken from the station's local list."""
    path = f"/v1/chargers/{STATION}/local-list"
    assert station.write(path, {}).status == 202
    [sent] = station.received()
    assert sent.reply() == "accepted"
    asked = station.ask("CustomerInformation", {"report": True, "clear": True, **BY_TOKEN})
    assert asked.reply() == "accepted"
    told(station, asked, "seen on 1 March")
    station.block(CARD)
    assert station.write(path, {}).status == 202
    [removal] = station.received()
    assert removal.payload["localAuthorizationList"] == [{"idToken": id_token(CARD)}]
    assert removal.payload["versionNumber"] > sent.payload["versionNumber"]
    assert removal.reply() == "accepted"
