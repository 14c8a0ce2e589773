"""Block A: who may speak for a station, and how its secrets are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from chalicelib.kernel import context
from tests.contract.ocpp.octt201.papers import signed
from tests.contract.ocpp.octt201.station import STATION, Station, build_station
from tests.contract.ocpp.wire import PASSWORD
from tests.world import SECRETS, Operator, World, WorldContext

NEW_PASSWORD: Final = "another-password-of-a-station"
ORIGIN: Final = "s3cret-of-the-cdn"
OVER_TLS: Final = {"X-Origin-Verify": ORIGIN}
PLAIN: Final = {"X-Origin-Verify": ORIGIN, "X-Viewer-Scheme": "http"}


@pytest.fixture
def behind_cdn(world: World) -> Iterator[None]:
    """The CDN ends TLS, checks client certificates, and tells us whose it was."""
    context.install(WorldContext(world.ctx.settings, world.clock, {**SECRETS, "origin-verify": ORIGIN}))
    yield
    context.install(world.ctx)


def certified(name: str) -> dict[str, Any]:
    """A handshake with a client certificate in this name, and no password."""
    return {"password": None, "headers": {"X-Origin-Verify": ORIGIN, "X-Viewer-Certificate-Subject": f"CN={name}"}}


@pytest.fixture
def fresh(world: World, operator: Operator) -> Station:
    """Connected, not booted."""
    return build_station(world, operator, "ocpp2.0.1")


def rotate(station: Station, status: str) -> str:
    """The operator changes the password, the station answers for the variable; gives the state of the command."""
    reply = station.write(f"/v1/chargers/{STATION}/password-rotations", {"password": NEW_PASSWORD})
    assert reply.status == 202, reply.body
    [asked] = station.received()
    [item] = asked.payload["setVariableData"]
    address = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    assert item == {**address, "attributeValue": NEW_PASSWORD}
    return asked.reply({"setVariableResult": [{**address, "attributeStatus": status}]})


def test_tc_a_01_the_right_password(fresh: Station) -> None:
    """Let in with its identity and password, and accepted at its boot."""
    assert fresh.boot()["status"] == "Accepted"


def test_tc_a_02_another_user_name(fresh: Station) -> None:
    """Basic auth in another station's name is refused (401); in its own name it is let in afterwards."""
    fresh.wire.close()
    fresh.wire.charger_id = "SOMEBODY"
    assert fresh.wire.connect(protocols="ocpp2.0.1", identity=STATION)[0] == 401
    fresh.wire.charger_id = STATION
    assert fresh.connect()


def test_tc_a_03_a_wrong_password(fresh: Station) -> None:
    """Refused (401), with the right one let in."""
    fresh.wire.close()
    assert fresh.wire.connect(protocols="ocpp2.0.1", password=PASSWORD[::-1])[0] == 401
    assert fresh.connect()


def test_tc_a_09_a_new_password(station: Station) -> None:
    """The station takes a new password and comes back with it; from then on the old one is refused."""
    assert rotate(station, "Accepted") == "accepted"
    station.wire.close()
    assert station.connect(password=NEW_PASSWORD)
    assert station.boot("PowerUp")["status"] == "Accepted"
    assert not station.connect()


def test_tc_a_10_a_new_password_is_refused(station: Station) -> None:
    """The station keeps its password, and so do we."""
    assert rotate(station, "Rejected") == "rejected"
    station.wire.close()
    assert not station.connect(password=NEW_PASSWORD)
    assert station.connect()
    assert station.boot("PowerUp")["status"] == "Accepted"


def network_profile(security_profile: int) -> dict[str, Any]:
    return {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "wss://csms.example/ocpp",
            "messageTimeout": 30,
            "securityProfile": security_profile,
            "ocppInterface": "Wired0",
        },
    }


@pytest.mark.usefixtures("behind_cdn")
def test_tc_a_19_a_higher_security_profile(world: World, operator: Operator) -> None:
    """A station without TLS stores a network profile that has it, puts it first and restarts. It comes back with TLS;
    from then on it is not let in without."""
    station = build_station(world, operator, "ocpp2.0.1", connected=False, security_profile=1)
    assert station.connect(headers=PLAIN)
    station.cold_boot()
    assert station.obeys("SetNetworkProfile", network_profile(2))
    priority = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    asked = station.ask("SetVariables", {"setVariableData": [{**priority, "attributeValue": "1,0"}]})
    assert asked.reply({"setVariableResult": [{**priority, "attributeStatus": "RebootRequired"}]}) == "accepted"
    assert station.obeys("Reset", {"type": "OnIdle"})
    assert station.read(f"/v1/chargers/{STATION}")["next_security_profile"] == 2
    station.wire.close()
    assert station.connect(headers=OVER_TLS)
    assert station.boot("RemoteReset")["status"] == "Accepted"
    assert station.read(f"/v1/chargers/{STATION}")["security_profile"] == 2
    assert not station.connect(headers=PLAIN)


@pytest.mark.usefixtures("behind_cdn")
def test_tc_a_07_a_client_certificate(world: World, operator: Operator) -> None:
    """Security profile 3: let in by its certificate, without a password, and accepted at its boot."""
    station = build_station(world, operator, "ocpp2.0.1", connected=False, security_profile=3)
    assert station.connect(**certified(STATION))
    assert station.boot()["status"] == "Accepted"


@pytest.mark.usefixtures("behind_cdn")
def test_tc_a_08_a_client_certificate_that_is_not_its_own(world: World, operator: Operator) -> None:
    """Without a certificate, or with another station's, it is not let in; with its own it is. (One that no authority
    of ours has signed does not pass the CDN's handshake.)"""
    station = build_station(world, operator, "ocpp2.0.1", connected=False, security_profile=3)
    assert not station.connect(headers=OVER_TLS)
    assert not station.connect(**certified("SOMEBODY"))
    assert station.connect(**certified(STATION))
    assert station.boot()["status"] == "Accepted"


RENEWALS: Final[dict[str, tuple[str, str | None, str]]] = {
    "TC_A_11": ("SignChargingStationCertificate", "ChargingStationCertificate", STATION),
    "TC_A_12": ("SignV2GCertificate", "V2GCertificate", "V2G-SECC"),
    "TC_A_13": ("SignCombinedCertificate", None, STATION),
}
"""What is triggered, the type of the signing request, its common name."""


@pytest.mark.parametrize("case", RENEWALS)
def test_a_certificate_is_renewed(station: Station, case: str) -> None:
    """The operator triggers a signing request; it is signed and comes back as a chain, which the station takes."""
    message, certificate_type, name = RENEWALS[case]
    assert station.obeys("TriggerMessage", {"requestedMessage": message})
    delivery = signed(station, name, certificate_type)
    assert delivery.payload["certificateChain"].startswith("-----BEGIN CERTIFICATE-----")
    assert delivery.payload["certificateType"] == certificate_type or certificate_type is None
    assert delivery.reply() == "accepted"
    [request] = station.kept("certificate-requests")["data"]
    assert request["state"] == "installed"


def test_tc_a_14_a_certificate_that_the_station_refuses(station: Station) -> None:
    """The station finds the signed certificate invalid, rejects it and tells a security event."""
    assert station.obeys("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    delivery = signed(station, STATION, "ChargingStationCertificate")
    assert delivery.reply("Rejected") == "rejected"
    event = {"type": "InvalidChargingStationCertificate", "timestamp": station.now()}
    assert station.call("SecurityEventNotification", event) == {}
    [request] = station.kept("certificate-requests")["data"]
    assert request["state"] == "rejected"
    assert "InvalidChargingStationCertificate" in str(station.kept("events?kind=security")["data"])
