"""The same by OCPP 2.0.1 and 2.1: certificates of ISO 15118, OCSP, contracts, and lists within a frame."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from chalicelib.maintenance.model.local_lists import PAGE_ENTRIES
from chalicelib.maintenance.pki.documents import hash_data
from tests.contract.pki.papers import opened, signing_request
from tests.unit.maintenance.conftest import Told
from tests.unit.maintenance.test_local_lists import add_cards, add_driver, synchronize
from tests.unit.maintenance.test_trusting import BUNDLE, ocpp

FRAME_LIMIT = 32 * 1024


def connect(told: Told, protocol: str) -> None:
    """The same charger comes with another version; what it is asked first is not this file's story."""
    assert told.wire.connect(protocols=protocol)[0] == 200
    told.send_queued()


def sent(told: Told, action: str) -> list[Any]:
    return [command for command in told.send_queued() if command[2] == action]


@pytest.mark.parametrize(
    ("protocol", "kind", "asked", "told_back"),
    [
        ("ocpp2.0.1", "ChargingStationCertificate", {}, {}),
        ("ocpp2.0.1", "V2GCertificate", {}, {}),
        ("ocpp2.1", "V2GCertificate", {"requestId": 77}, {"requestId": 77}),
        ("ocpp2.1", "V2G20Certificate", {"requestId": 78}, {"requestId": 78}),
    ],
)
def test_a_certificate_of_each_kind(
    told: Told, protocol: str, kind: str, asked: dict[str, Any], told_back: dict[str, Any]
) -> None:
    connect(told, protocol)
    csr = signing_request("CP-001")
    assert told.wire.call("SignCertificate", {"csr": csr, "certificateType": kind, **asked}) == {"status": "Accepted"}
    [command] = sent(told, "CertificateSigned")
    assert {name: command[3][name] for name in command[3] if name != "certificateChain"} == {
        "certificateType": kind,
        **told_back,
    }
    assert len(command[3]["certificateChain"]) < 10_000
    told.wire.reply(command, {"status": "Accepted"})
    assert [seen["state"] for seen in told.see("certificate-requests")["data"]] == ["installed"]


def test_the_status_of_a_certificate_at_the_wire(told: Told) -> None:
    connect(told, "ocpp2.0.1")
    told.wire.call("SignCertificate", {"csr": signing_request("CP-001")})
    [command] = sent(told, "CertificateSigned")
    leaf = x509.load_pem_x509_certificate(command[3]["certificateChain"].encode())
    asked = ocpp(hash_data(leaf, opened(BUNDLE)[1][0]))
    answer = told.wire.call("GetCertificateStatus", {"ocspRequestData": asked})
    assert answer["status"] == "Accepted"
    response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    foreign = {**asked, "issuerNameHash": "ab" * 32}
    assert told.wire.call("GetCertificateStatus", {"ocspRequestData": foreign}) == {"status": "Failed"}


def test_a_vehicle_that_wants_a_contract(told: Told) -> None:
    connect(told, "ocpp2.0.1")
    request = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "AAAA"}
    assert told.wire.call("Get15118EVCertificate", request) == {"status": "Failed", "exiResponse": ""}


def test_the_longest_page_is_far_below_a_frame(told: Told) -> None:
    """The longest numbers there are, each with a group and an end."""
    connect(told, "ocpp2.0.1")
    driver = add_driver(told)
    until = told.world.ctx.now() + timedelta(days=30)
    cards = [f"{number:04d}" + "W" * 16 for number in range(PAGE_ENTRIES)]
    add_cards(told, driver, *cards, group_id="G" * 36, expires_at=until)
    synchronize(told)
    [command] = sent(told, "SendLocalList")
    assert len(command[3]["localAuthorizationList"]) == PAGE_ENTRIES
    assert len(json.dumps(command)) < FRAME_LIMIT / 2
    told.wire.reply(command, {"status": "Accepted"})
    assert told.see("local-list")["state"] == "synchronized"


def test_a_group_too_long_for_any_version_does_not_stop_the_list(told: Told) -> None:
    connect(told, "ocpp2.0.1")
    driver = add_driver(told)
    add_cards(told, driver, "CARD", group_id="G" * 50)
    synchronize(told)
    [command] = sent(told, "SendLocalList")
    assert "groupIdToken" not in command[3]["localAuthorizationList"][0]["idTokenInfo"]
