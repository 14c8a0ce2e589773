"""Block L: new firmware, checked by its signature; and firmware that a local controller hands on."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import Station

VERIFIED: Final = ["Downloading", "Downloaded", "SignatureVerified"]
INSTALLED: Final = ["Installing", "InstallRebooting", "Installed"]


def update(station: Station, **when: Any) -> Asked:
    """The operator asks for signed firmware."""
    firmware = {
        "location": "https://firmware.example/2.bin",
        "retrieveDateTime": station.now(),
        "signingCertificate": "-----BEGIN CERTIFICATE-----",
        "signature": "c2lnbmF0dXJl",
        **when,
    }
    asked = station.ask("UpdateFirmware", {"firmware": firmware})
    assert asked.payload["firmware"] == firmware
    return asked


def tell(station: Station, asked: Asked, statuses: list[str]) -> None:
    """Each status under the number of the request; the station reboots where it says so."""
    for status in statuses:
        station.world.advance(10)
        payload = {"status": status, "requestId": asked.payload["requestId"]}
        assert station.call("FirmwareStatusNotification", payload) == {}
        if status == "InstallRebooting":
            station.reboot("FirmwareUpdate")


def security_event(station: Station, kind: str) -> None:
    assert station.call("SecurityEventNotification", {"type": kind, "timestamp": station.now()}) == {}
    assert kind in str(station.kept("events?kind=security")["data"])


UPDATES: Final[dict[str, list[str]]] = {
    "TC_L_01": [*VERIFIED, *INSTALLED],
    "TC_L_02": [*VERIFIED, "InstallScheduled", *INSTALLED],
    "TC_L_03": ["DownloadScheduled", *VERIFIED, *INSTALLED],
    "TC_L_07": ["Downloading", "DownloadFailed"],
    "TC_L_08": [*VERIFIED, "Installing", "InstallVerificationFailed"],
    "TC_L_09": [*VERIFIED, "Installing", "InstallRebooting", "InstallationFailed"],
}
LATER: Final = {"TC_L_02": "installDateTime", "TC_L_03": "retrieveDateTime"}


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_is_followed_to_its_end(station: Station, case: str) -> None:
    """At once or at a later time, to its success or to what went wrong: every status is seen with the command."""
    when = {LATER[case]: station.now(3600)} if case in LATER else {}
    asked = update(station, **when)
    assert asked.reply() == "accepted"
    tell(station, asked, UPDATES[case])
    assert asked.progress() == UPDATES[case]


def test_tc_l_04_a_revoked_certificate(station: Station) -> None:
    """The station refuses: the firmware's certificate is revoked."""
    assert update(station).reply("RevokedCertificate") == "rejected"


def test_tc_l_05_an_invalid_certificate(station: Station) -> None:
    """The station refuses, and tells a security event."""
    assert update(station).reply("InvalidCertificate") == "rejected"
    security_event(station, "InvalidFirmwareSigningCertificate")


def test_tc_l_06_an_invalid_signature(station: Station) -> None:
    """Downloaded, and its signature is wrong: seen with the command and as a security event."""
    asked = update(station)
    assert asked.reply() == "accepted"
    tell(station, asked, ["Downloading", "Downloaded", "InvalidSignature"])
    security_event(station, "InvalidFirmwareSignature")
    assert asked.progress()[-1] == "InvalidSignature"


def test_tc_l_10_a_second_update_takes_over(station: Station) -> None:
    """While it downloads, another one is asked for: the station gives up the first. Each report is with its command."""
    first = update(station)
    assert first.reply() == "accepted"
    tell(station, first, ["Downloading"])
    second = update(station)
    assert second.payload["requestId"] != first.payload["requestId"]
    assert second.reply("AcceptedCanceled") == "accepted"
    tell(station, second, [*VERIFIED, *INSTALLED])
    assert first.progress() == ["Downloading"]
    assert second.progress() == [*VERIFIED, *INSTALLED]


def test_tc_l_11_a_second_update_comes_too_late(station: Station) -> None:
    """While it installs, another one is asked for and rejected; the first goes on to its end."""
    first = update(station)
    assert first.reply() == "accepted"
    tell(station, first, [*VERIFIED, "Installing"])
    assert update(station).reply("Rejected") == "rejected"
    tell(station, first, ["InstallRebooting", "Installed"])
    assert first.progress()[-1] == "Installed"


def test_tc_l_13_it_waits_for_the_car(station: Station) -> None:
    """A car charges: the free EVSE is closed, the update waits, the delivery is sold, and then it is installed."""
    transaction = station.transaction().charging()
    asked = update(station)
    assert asked.reply() == "accepted"
    tell(station, asked, [*VERIFIED, "InstallScheduled"])
    station.status("Unavailable", 2)
    transaction.finished()
    assert station.sold()
    station.status("Unavailable", 1)
    tell(station, asked, INSTALLED)
    assert asked.progress()[-1] == "Installed"


PUBLICATIONS: Final[dict[str, list[str]]] = {
    "TC_L_17": ["Downloading", "Downloaded", "ChecksumVerified", "Published"],
    "TC_L_19": ["Downloading", "Downloaded", "InvalidChecksum"],
    "TC_L_20": ["Downloading", "Downloaded", "ChecksumVerified", "PublishFailed"],
    "TC_L_24": ["Downloading", "DownloadFailed"],
}
CHECKSUM: Final = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("case", PUBLICATIONS)
def test_firmware_is_published(station: Station, case: str) -> None:
    """A local controller fetches firmware and offers it to others; how far it is, is seen with the command."""
    asked = station.ask("PublishFirmware", {"location": "https://firmware.example/2.bin", "checksum": CHECKSUM})
    assert asked.reply() == "accepted"
    for status in PUBLICATIONS[case]:
        payload: dict[str, Any] = {"status": status, "requestId": asked.payload["requestId"]}
        if status == "Published":
            payload["location"] = ["http://192.0.2.9/2.bin"]
        assert station.call("PublishFirmwareStatusNotification", payload) == {}
    assert asked.progress() == PUBLICATIONS[case]


WITHDRAWALS: Final[dict[str, tuple[str, str]]] = {
    "TC_L_21": ("Unpublished", "accepted"),
    "TC_L_22": ("NoFirmware", "rejected"),
    "TC_L_23": ("DownloadOngoing", "rejected"),
}


@pytest.mark.parametrize("case", WITHDRAWALS)
def test_firmware_is_withdrawn(station: Station, case: str) -> None:
    """UnpublishFirmware by its checksum; refused where there is none, or somebody is fetching it."""
    status, state = WITHDRAWALS[case]
    assert station.ask("UnpublishFirmware", {"checksum": CHECKSUM}).reply(status) == state
