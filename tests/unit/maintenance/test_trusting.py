"""What we say about certificates: status, contracts, and what vehicles ask of an operator that is not there."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from chalicelib.maintenance import service
from chalicelib.maintenance.model import IssuedCertificate
from chalicelib.maintenance.pki.documents import hash_data
from chalicelib.maintenance.store import ISSUED
from infra.local.settings import LocalSettings
from tests.contract.pki.papers import certificate, opened, pem
from tests.unit.maintenance.conftest import Told
from tests.unit.maintenance.test_signing import install, requests, revoke, without_authority
from tests.world import SECRETS

BUNDLE = SECRETS["certificate-authority"]


def ocpp(data: Any) -> dict[str, Any]:
    """Hash data as OCPP writes it."""
    said = asdict(data)
    return {
        "hashAlgorithm": said["hash_algorithm"],
        "issuerNameHash": said["issuer_name_hash"].upper(),
        "issuerKeyHash": said["issuer_key_hash"],
        "serialNumber": said["serial_number"].upper(),
        "responderURL": "https://ocsp.example",
    }


def installed_leaf(told: Told) -> dict[str, Any]:
    leaf = x509.load_pem_x509_certificate(install(told).encode())
    return ocpp(hash_data(leaf, opened(BUNDLE)[1][0]))


def status_of(told: Told, asked: dict[str, Any]) -> ocsp.OCSPCertStatus:
    answer = service.certificate_status(told.world.ctx, asked)
    assert answer is not None
    return ocsp.load_der_ocsp_response(base64.b64decode(answer)).certificate_status


def test_the_status_of_what_we_issued(told: Told) -> None:
    asked = installed_leaf(told)
    assert status_of(told, asked) is ocsp.OCSPCertStatus.GOOD
    revoke(told, requests(told)[0]["certificate_id"])
    assert status_of(told, asked) is ocsp.OCSPCertStatus.REVOKED
    assert status_of(told, {**asked, "serialNumber": "AB"}) is ocsp.OCSPCertStatus.UNKNOWN


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"hashAlgorithm": "SHA256", "issuerNameHash": "zz", "issuerKeyHash": "aa", "serialNumber": "1"},
        {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "aa", "serialNumber": "1"},
        {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "aa", "serialNumber": "no"},
    ],
)
def test_of_others_we_cannot_tell(told: Told, asked: dict[str, Any]) -> None:
    assert service.certificate_status(told.world.ctx, asked) is None


def contract(told: Told) -> str:
    key, [root] = opened(BUNDLE)
    now = told.world.ctx.now()
    leaf = certificate(
        "DE-ABC-C123",
        issuer=root,
        issuer_key=key,
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=9),
    )
    return pem(leaf)


def test_a_contract_by_its_chain(told: Told) -> None:
    ctx = told.world.ctx
    chain = contract(told)
    assert service.verify_contract(ctx, hash_data=None, pem=chain) == "Accepted"
    assert service.verify_contract(ctx, hash_data=[{"hashAlgorithm": "SHA256"}], pem=chain) == "Accepted"
    told.world.advance(10 * 86400)
    assert service.verify_contract(ctx, hash_data=None, pem=chain) == "CertificateExpired"
    assert service.verify_contract(ctx, hash_data=None, pem="hello") == "CertChainError"


def test_a_contract_by_its_hashes(told: Told) -> None:
    _, [root] = opened(BUNDLE)
    leaf = x509.load_pem_x509_certificate(contract(told).encode())
    asked = [ocpp(hash_data(leaf, root))]
    assert service.verify_contract(told.world.ctx, hash_data=asked, pem=None) == "NoCertificateAvailable"
    now = told.world.ctx.now()
    issued = IssuedCertificate(
        serial_number=f"{leaf.serial_number:x}",
        charger_id="",
        operator_id="",
        certificate_id="",
        kind="contract",
        issued_at=now,
        valid_until=leaf.not_valid_after_utc,
    )
    told.world.commit(lambda uow: uow.create(ISSUED, issued))
    assert service.verify_contract(told.world.ctx, hash_data=asked, pem=None) == "Accepted"
    assert service.verify_contract(told.world.ctx, hash_data=[*asked, {}], pem=None) == "NoCertificateAvailable"
    assert service.verify_contract(told.world.ctx, hash_data=[], pem=None) == "NoCertificateAvailable"
    told.world.advance(10 * 86400)
    assert service.verify_contract(told.world.ctx, hash_data=asked, pem=None) == "CertificateExpired"


def test_a_chargers_own_certificate_is_no_contract(told: Told) -> None:
    asked = installed_leaf(told)
    [request] = requests(told)
    ctx = told.world.ctx
    assert service.verify_contract(ctx, hash_data=None, pem=request["chain_pem"]) == "CertChainError"
    assert service.verify_contract(ctx, hash_data=[asked], pem=None) == "NoCertificateAvailable"


def test_there_is_no_mobility_operator(told: Told) -> None:
    answer = service.ev_certificate(
        told.world.ctx, action="Install", exi_request="AAAA", schema_version="urn:iso:15118:2:2013:MsgDef"
    )
    assert answer == (False, "")


def test_without_an_authority_every_answer_is_an_honest_no(told: Told) -> None:
    chain, ctx = contract(told), without_authority(told)
    assert service.verify_contract(ctx, hash_data=None, pem=chain) == "NoCertificateAvailable"
    assert service.ev_certificate(ctx, action="Install", exi_request="AAAA", schema_version="x") == (False, "")
    assert service.authority_roots(ctx, "charger") == []
    asked = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "aa", "serialNumber": "1"}
    assert service.certificate_status(ctx, asked) is None


def test_the_roots_are_there_for_operators(told: Told) -> None:
    status, body = told.world.rest.get("/v1/certificate-authority", token=told.token, query={"kind": "v2g"})
    assert status == 200
    assert body == {"kind": "v2g", "roots": [pem(opened(BUNDLE)[1][0])]}
    assert "PRIVATE" not in str(body)


def test_the_local_platform_has_an_authority_of_its_own_and_keeps_it(tmp_path: Path, told: Told) -> None:
    """Also a folder that was made before there was one."""
    settings = LocalSettings(data_dir=tmp_path)
    before = {name: value for name, value in settings.load_secrets().items() if name != "certificate-authority"}
    (tmp_path / "secrets.json").write_text(json.dumps(before))
    first, second = settings.load_secrets(), settings.load_secrets()
    assert first == second
    assert {name: first[name] for name in before} == before
    ctx = without_authority(told, first["certificate-authority"])
    assert len(service.authority_roots(ctx, "charger")) == 1
