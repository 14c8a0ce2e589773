"""Limits, needs of cars, and certificates in 2.0.1 and 2.1: what is promised, kept, and refused."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from chalicelib.chargers import service as chargers
from chalicelib.maintenance import jobs as maintenance_jobs
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.pki.documents import hash_data
from chalicelib.ocpp import jobs as ocpp_jobs
from tests.contract.ocpp import people
from tests.contract.ocpp.reporting import AT, CARD, HASHES, PROTOCOLS, connected, journal, protocol_of
from tests.contract.ocpp.wire import Wire
from tests.contract.pki import papers
from tests.world import SECRETS, Operator, World

EMAID = "DE8AA1A2B3C4D5"
OCSP_URL = "http://ocsp.example"


@pytest.fixture(params=PROTOCOLS)
def wire(request: pytest.FixtureRequest, world: World, operator: Operator) -> Wire:
    return connected(world, operator, request.param)


# -- limits and needs -------------------------------------------------------------------------------------------------


def test_a_limit_from_outside_comes_and_goes(wire: Wire) -> None:
    wire.call("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "SO"}, "evseId": 1})
    wire.call("ClearedChargingLimit", {"chargingLimitSource": "SO"})
    assert {line.summary for line in journal(wire, "charging_limit")} == {
        "limit of SO at EVSE 1 set",
        "limit of SO cleared",
    }


AC = {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}
NEEDS = {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}


def begin(wire: Wire, operator: Operator) -> None:
    people.price(wire.world, operator)
    people.driver(wire.world, operator, cents=2000, card=CARD)
    payload = {
        "eventType": "Started",
        "timestamp": AT,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": CARD, "type": "ISO14443"},
    }
    assert wire.call("TransactionEvent", payload)["idTokenInfo"]["status"] == "Accepted"


def test_a_car_that_tells_its_needs_gets_a_schedule(wire: Wire, operator: Operator) -> None:
    """K15: Accepted promises one, and it goes out."""
    begin(wire, operator)
    wire.commands()
    for amperes in (16, 10):
        needs = {**NEEDS, "acChargingParameters": {**AC, "evMaxCurrent": amperes}}
        assert wire.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})["status"] == "Accepted"
        [command] = wire.commands()
        profile = command[3]["chargingProfile"]
        assert command[2] == "SetChargingProfile"
        assert profile["transactionId"] == "tx-1"
        assert profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == amperes
        wire.reply(command, {"status": "Accepted"})
    plan = {"timeBase": AT, "evseId": 1, "chargingSchedule": profile["chargingSchedule"][0]}
    assert wire.call("NotifyEVChargingSchedule", plan) == {"status": "Accepted"}
    assert len(journal(wire, "charging_schedule")) == 1
    assert len(journal(wire, "charging_needs")) == 2


def test_where_nobody_charges_no_schedule_is_promised(wire: Wire) -> None:
    status = wire.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": NEEDS})["status"]
    assert status == ("NoChargingProfile" if protocol_of(wire) == "ocpp2.1" else "Rejected")
    assert wire.commands() == []
    assert len(journal(wire, "charging_needs")) == 1


# -- certificates -----------------------------------------------------------------------------------------------------


def certified(wire: Wire) -> dict[str, Any]:
    """The charger asks for a certificate of its own and gets it (A02); the hash data by which it is known."""
    csr = papers.signing_request(wire.charger_id)
    request = {"csr": csr, "certificateType": "ChargingStationCertificate"}
    for _ in range(2):
        assert wire.call("SignCertificate", request) == {"status": "Accepted"}
    signing, sending = maintenance_jobs.on_certificate_requested, ocpp_jobs.on_command_queued
    wire.world.run_events({"certificate.requested": (signing,), "command.queued": (sending,)})
    [command] = wire.commands()
    assert (command[2], command[3]["certificateType"]) == ("CertificateSigned", "ChargingStationCertificate")
    wire.reply(command, {"status": "Accepted"})
    leaf = x509.load_pem_x509_certificate(command[3]["certificateChain"].encode())
    data = hash_data(leaf, papers.opened(SECRETS["certificate-authority"])[1][0])
    return {
        "hashAlgorithm": data.hash_algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
    }


def revoke(wire: Wire) -> None:
    """All that was issued to the charger."""
    charger = chargers.require_charger(wire.world.ctx, wire.charger_id)
    issued = maintenance.list_certificate_requests(wire.world.ctx, wire.charger_id, limit=10, cursor=None).data
    for request in issued:
        wire.world.commit(
            lambda uow, request=request: maintenance.revoke_certificate(uow, charger, request.certificate_id)
        )


def test_a_certificate_is_signed_installed_and_its_status_told(wire: Wire) -> None:
    """A02, M06: one request told twice is one certificate."""
    asked = {"ocspRequestData": {**certified(wire), "responderURL": OCSP_URL}}
    for revoked, status in ((False, ocsp.OCSPCertStatus.GOOD), (True, ocsp.OCSPCertStatus.REVOKED)):
        if revoked:
            revoke(wire)
        answer = wire.call("GetCertificateStatus", asked)
        assert answer["status"] == "Accepted"
        response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
        assert response.certificate_status is status


def test_a_contract_is_as_good_as_its_certificate(wire: Wire, operator: Operator) -> None:
    """C07: who is accepted by eMAID is refused when the certificate behind it has ended."""
    people.driver(wire.world, operator, cents=2000, card=EMAID)
    key, [root] = papers.opened(SECRETS["certificate-authority"])
    now = wire.world.clock.now()
    leaf = papers.certificate(
        EMAID, issuer=root, issuer_key=key, valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=9)
    )
    authorize = {"idToken": {"idToken": EMAID, "type": "eMAID"}, "certificate": papers.pem(leaf)}
    answer = wire.call("Authorize", authorize)
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Accepted", "Accepted")
    wire.world.advance(10 * 86_400)
    answer = wire.call("Authorize", authorize)
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Invalid", "CertificateExpired")


def test_of_a_chain_each_certificate_is_answered(world: World, operator: Operator) -> None:
    wire = connected(world, operator, "ocpp2.1")
    known, unknown = certified(wire), HASHES
    asked = [{"certificateHashData": data, "source": "OCSP", "urls": [OCSP_URL]} for data in (known, unknown)]

    def statuses() -> list[str]:
        answer = wire.call("GetCertificateChainStatus", {"certificateStatusRequests": asked})
        return [status["status"] for status in answer["certificateStatus"]]

    assert statuses() == ["Good", "Unknown"]
    revoke(wire)
    assert statuses() == ["Revoked", "Unknown"]


def test_what_nobody_here_can_do_gets_the_honest_no(wire: Wire) -> None:
    """No mobility operator is behind us, and this is no signing request: no answer pretends otherwise."""
    request = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gAA="}
    assert wire.call("Get15118EVCertificate", request) == {"status": "Failed", "exiResponse": ""}
    assert wire.call("SignCertificate", {"csr": "no request at all"}) == {"status": "Rejected"}


def test_a_contract_certificate_that_nobody_knows_does_not_open(wire: Wire, operator: Operator) -> None:
    people.driver(wire.world, operator, cents=2000, card=EMAID)
    emaid = {"idToken": {"idToken": EMAID, "type": "eMAID"}}
    assert wire.call("Authorize", emaid)["idTokenInfo"]["status"] == "Accepted"
    hashes = [{**HASHES, "responderURL": OCSP_URL}]
    answer = wire.call("Authorize", {**emaid, "iso15118CertificateHashData": hashes})
    assert answer["certificateStatus"] == "NoCertificateAvailable"
    assert answer["idTokenInfo"]["status"] == "Invalid"
