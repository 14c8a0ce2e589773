"""The security extension: passwords, certificates, security events and logs, signed firmware, profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.kernel import context
from chalicelib.relay import CONSUMERS
from infra.local.template import INFRA, load_template
from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt16 import papers
from tests.contract.ocpp.octt16.scripted import NOW, ScriptedCharger
from tests.contract.ocpp.wire import PASSWORD, Wire, place
from tests.world import SECRETS, Operator, World, WorldContext

ORIGIN = "s3cret-of-the-cdn"
TLS = {"X-Origin-Verify": ORIGIN}
PLAIN = {**TLS, "X-Viewer-Scheme": "http"}
CERTIFIED = {**TLS, "X-Viewer-Certificate-Subject": "CN=WIRE-1,O=Wattfare"}
STRANGE = {**TLS, "X-Viewer-Certificate-Subject": "CN=WIRE-2,O=Wattfare"}


@pytest.fixture
def cdn(world: World) -> Iterator[None]:
    """From now on handshakes come through a CDN, which says how they came."""
    context.install(WorldContext(world.ctx.settings, world.clock, {**SECRETS, "origin-verify": ORIGIN}))
    yield
    context.install(world.ctx)


def certificates(charger: ScriptedCharger) -> list[Any]:
    """The certificates that the charger is known to have."""
    listed: list[Any] = charger.read("/v1/chargers/WIRE-1/certificates")["data"]
    return listed


def test_tc_073_csms(charger: ScriptedCharger) -> None:
    """The operator has the charger told a new password: in hex, 16 to 20 bytes; the charger comes back with it."""
    path = "/v1/chargers/WIRE-1/password-rotations"
    assert charger.world.rest.post(path, {}, token=charger.operator.access_token).status == 202
    [call] = charger.received()
    assert call[2] == "ChangeConfiguration"
    assert call[3]["key"] == "AuthorizationKey"
    key = bytes.fromhex(call[3]["value"])
    assert 16 <= len(key) <= 20
    charger.wire.reply(call, {"status": "Accepted"})
    charger.wire.close()
    assert charger.wire.connect(password=call[3]["value"])[0] == 200
    charger.cold_boot()
    assert charger.wire.connect(password=PASSWORD)[0] == 401


def test_tc_074_csms(charger: ScriptedCharger, cdn: None) -> None:
    """The charger is asked to renew its certificate: its request is signed, it gets the chain, and comes back by it."""
    asked = charger.ask("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    assert asked.payload == {"requestedMessage": "SignChargePointCertificate"}
    assert asked.reply({"status": "Accepted"}) == "accepted"
    request = {"csr": papers.signing_request("WIRE-1")}
    assert charger.call("SignCertificate", request) == {"status": "Accepted"}
    charger.world.run_events({name: CONSUMERS[name] for name in ("certificate.requested", "command.queued")})
    [call] = charger.received()
    assert call[2] == "CertificateSigned"
    assert call[3]["certificateChain"].count("BEGIN CERTIFICATE") >= 1
    charger.wire.reply(call, {"status": "Accepted"})
    charger.wire.close()
    assert charger.wire.connect(password=None, headers=CERTIFIED)[0] == 200
    assert charger.wire.boot()["status"] == "Accepted"


def install(charger: ScriptedCharger, kind: str) -> None:
    """A root certificate is installed, and the charger then lists it; so do we."""
    root = papers.root_certificate(kind)
    asked = charger.ask("InstallCertificate", {"certificateType": kind, "certificate": papers.pem_of(root)})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    assert [entry["kind"] for entry in certificates(charger)] == [kind]
    listed = charger.ask("GetInstalledCertificateIds", {"certificateType": kind})
    told = {"status": "Accepted", "certificateHashData": [papers.hash_data(root)]}
    assert listed.reply(told) == "accepted"
    [known] = certificates(charger)
    assert (known["kind"], known["serial_number"]) == (kind, papers.hash_data(root)["serialNumber"])


def test_tc_075_1_csms(charger: ScriptedCharger) -> None:
    """A root of the manufacturer, for firmware."""
    install(charger, "ManufacturerRootCertificate")


def test_tc_075_2_csms(charger: ScriptedCharger) -> None:
    """A root of ours, for the connection to us."""
    install(charger, "CentralSystemRootCertificate")


def test_tc_076_csms(charger: ScriptedCharger) -> None:
    """A certificate is taken away by the names that the charger gave it."""
    install(charger, "CentralSystemRootCertificate")
    data = papers.hash_data(papers.root_certificate("CentralSystemRootCertificate"))
    asked = charger.ask("DeleteCertificate", {"certificateHashData": data})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    assert certificates(charger) == []


def test_a_certificate_type_without_any_is_told_as_none(charger: ScriptedCharger) -> None:
    """Somebody took it away at the charger: the next look says so."""
    install(charger, "CentralSystemRootCertificate")
    asked = charger.ask("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"})
    assert asked.reply({"status": "NotFound"}) == "accepted"
    assert certificates(charger) == []


def report_security_event(charger: ScriptedCharger, event_type: str) -> None:
    payload = {"type": event_type, "timestamp": NOW, "techInfo": "issuer unknown"}
    charger.world.advance(60)
    assert charger.call("SecurityEventNotification", payload) == {}
    charger.world.advance(60)
    assert charger.call("SecurityEventNotification", payload) == {}, "told twice, it is one event"
    [event] = charger.journal("security")
    assert (event["data"]["event_type"], event["at"]) == (event_type, NOW)


def test_tc_077_csms(charger: ScriptedCharger) -> None:
    """The charger refuses the certificate that it was sent, and reports why."""
    chain = papers.pem_of(papers.root_certificate("Nobody"))
    assert charger.ask("CertificateSigned", {"certificateChain": chain}).reply({"status": "Rejected"}) == "rejected"
    report_security_event(charger, "InvalidChargePointCertificate")


def test_tc_078_csms(charger: ScriptedCharger) -> None:
    """The charger refuses a root certificate of ours, and reports why."""
    kind = "CentralSystemRootCertificate"
    payload = {"certificateType": kind, "certificate": papers.pem_of(papers.root_certificate(kind))}
    assert charger.ask("InstallCertificate", payload).reply({"status": "Rejected"}) == "rejected"
    assert certificates(charger) == []
    report_security_event(charger, "InvalidCentralSystemCertificate")


def test_tc_079_csms(charger: ScriptedCharger) -> None:
    """The security log is asked for under a number that we choose; its upload is reported under this number."""
    log = {"remoteLocation": "sftp://files.example/logs"}
    asked = charger.ask("GetLog", {"logType": "SecurityLog", "log": log})
    number = asked.payload["requestId"]
    assert asked.reply({"status": "Accepted", "filename": "security.log"}) == "accepted"
    for status in ("Uploading", "Uploaded"):
        assert charger.call("LogStatusNotification", {"status": status, "requestId": number}) == {}
    assert asked.progress() == ["Uploading", "Uploaded"]


def update(charger: ScriptedCharger) -> Asked:
    firmware = {
        "location": "https://files.example/fw.bin",
        "retrieveDateTime": NOW,
        "signingCertificate": papers.pem_of(papers.root_certificate("Manufacturer")),
        "signature": "c2lnbmF0dXJl",
    }
    asked = charger.ask("SignedUpdateFirmware", {"firmware": firmware})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    return asked


def report_firmware(charger: ScriptedCharger, asked: Asked, *statuses: str) -> None:
    for status in statuses:
        payload = {"status": status, "requestId": asked.payload["requestId"]}
        assert charger.call("SignedFirmwareStatusNotification", payload) == {}
    assert asked.progress() == list(statuses)


def test_tc_080_csms(charger: ScriptedCharger) -> None:
    """Signed firmware, step by step to the end."""
    steps = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")
    report_firmware(charger, update(charger), *steps)


def test_tc_081_csms(charger: ScriptedCharger) -> None:
    """Firmware whose signature is wrong is not installed, and that is a security event."""
    report_firmware(charger, update(charger), "Downloading", "Downloaded", "InvalidSignature")
    report_security_event(charger, "InvalidFirmwareSignature")


def test_tc_083_csms(world: World, charger: ScriptedCharger, cdn: None) -> None:
    """The charger is told to come by TLS: from when it does, it is not let in without."""
    assert charger.wire.connect(headers=PLAIN)[0] == 200
    charger.cold_boot()
    asked = charger.ask("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
    assert asked.reply({"status": "RebootRequired"}) == "accepted"
    assert charger.wire.connect(headers=PLAIN)[0] == 200, "it has not rebooted yet"
    assert charger.wire.connect(headers=TLS)[0] == 200
    charger.cold_boot()
    assert chargers.require_charger(world.ctx, "WIRE-1").security_profile == 2
    assert charger.wire.connect(headers=PLAIN)[0] == 401


def test_a_profile_that_the_platform_wrote_is_expected_too(world: World, charger: ScriptedCharger) -> None:
    """By the charger's settings instead of a raw command."""
    charger.wire.queue("write_configuration", {"name": "SecurityProfile", "value": "2"})
    [call] = charger.received()
    assert call[2:] == ["ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}]
    charger.wire.reply(call, {"status": "RebootRequired"})
    assert chargers.require_charger(world.ctx, "WIRE-1").next_security_profile == 2


def test_a_profile_that_the_charger_refused_is_not_expected(world: World, charger: ScriptedCharger) -> None:
    asked = charger.ask("ChangeConfiguration", {"key": "SecurityProfile", "value": "3"})
    assert asked.reply({"status": "Rejected"}) == "rejected"
    assert chargers.require_charger(world.ctx, "WIRE-1").next_security_profile is None


def test_tc_085_csms(wire: Wire) -> None:
    """The right password opens, in plain text or as the bytes that it is hex of; a wrong one does not."""
    assert wire.connect(password=PASSWORD)[0] == 200
    assert wire.boot()["status"] == "Accepted"
    assert wire.connect(password=PASSWORD.encode().hex())[0] == 200
    assert wire.connect(password="0123456789abcdefghik")[0] == 401
    assert wire.connect(password=None)[0] == 401


def test_the_cdn_speaks_nothing_below_tls_1_2() -> None:
    """What can be held of TC_086 without a CDN."""
    distribution = load_template(INFRA / "stack" / "edge.yaml")["Resources"]["Distribution"]
    [_, own_host, _] = distribution["Properties"]["DistributionConfig"]["ViewerCertificate"]["Fn::If"]
    assert own_host["MinimumProtocolVersion"].startswith(("TLSv1.2", "TLSv1.3"))


def test_tc_087_csms(world: World, operator: Operator, cdn: None) -> None:
    """A charger of profile 3 comes by its certificate: its own opens, another's or none does not."""
    place(world, operator, "WIRE-1", security_profile=3)
    wire = Wire(world, "WIRE-1")
    assert wire.connect(password=None, headers=CERTIFIED)[0] == 200
    assert wire.boot()["status"] == "Accepted"
    assert wire.connect(password=None, headers=STRANGE)[0] == 401
    assert wire.connect(password=PASSWORD, headers=TLS)[0] == 401


def test_tc_088_csms(wire: Wire) -> None:
    """A subprotocol that we do not speak opens nothing; of several, the one that we speak is named."""
    assert wire.connect(protocols="ocpp0.1")[0] == 400
    assert wire.connect(protocols="ocpp0.1,ocpp1.6") == (200, {"Sec-WebSocket-Protocol": "ocpp1.6"})
