"""What an authority says about certificates: OCSP, chains of contract certificates, hashes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from chalicelib.maintenance.pki.documents import hash_data
from chalicelib.maintenance.pki.port import OcspRequest, PkiUnavailable
from chalicelib.maintenance.pki.self_signed import SelfSignedAuthority, make_bundle
from tests.contract.pki.conftest import Rig
from tests.contract.pki.papers import certificate, key_of, opened, pem, private_pem, signing_request

ALGORITHMS = ("SHA256", "SHA384", "SHA512")
DAY = timedelta(days=1)


def issued(rig: Rig, bundle: str, kind: str = "contract") -> tuple[x509.Certificate, OcspRequest]:
    """A certificate of the authority that is in the books, and how others name it."""
    signed = rig.authority.sign(signing_request("DE-ABC-C1"), "v2g", "CP-001")
    rig.issue(signed.serial_number, kind=kind, valid_until=signed.valid_until)
    leaf = x509.load_pem_x509_certificates(signed.chain_pem.encode())[0]
    return leaf, hash_data(leaf, opened(bundle)[1][0])


def contract(rig: Rig, bundle: str, *, days: int = 30, is_authority: bool = False, of: str = "contract") -> str:
    """A contract certificate that the authority's key signed elsewhere: not in the books."""
    key, chain = opened(bundle)
    leaf = certificate(
        of,
        issuer=chain[0],
        issuer_key=key,
        valid_from=rig.clock.now() - DAY,
        valid_until=rig.clock.now() + days * DAY,
        is_authority=is_authority,
    )
    return pem(leaf)


# -- OCSP ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_one_is_told_with_a_signature(rig: Rig, bundle: str, algorithm: str) -> None:
    leaf, _ = issued(rig, bundle)
    issuer = opened(bundle)[1][0]
    answer = rig.authority.ocsp(hash_data(leaf, issuer, algorithm))
    assert answer is not None
    response = ocsp.load_der_ocsp_response(answer)
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == leaf.serial_number
    assert response.next_update_utc is not None
    assert response.this_update_utc <= rig.clock.now() < response.next_update_utc
    key = issuer.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(SHA256()))
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(response.signature, response.tbs_response_bytes, PKCS1v15(), SHA256())


def test_a_standard_request_means_the_same_certificate(rig: Rig, bundle: str) -> None:
    """Our hashes are those of RFC 6960, as any client makes them."""
    leaf, named = issued(rig, bundle)
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, opened(bundle)[1][0], SHA256()).build()
    assert bytes.fromhex(named.issuer_name_hash) == request.issuer_name_hash
    assert bytes.fromhex(named.issuer_key_hash) == request.issuer_key_hash


def test_a_revoked_one(rig: Rig, bundle: str) -> None:
    leaf, named = issued(rig, bundle)
    rig.revoke(f"{leaf.serial_number:x}")
    response = ocsp.load_der_ocsp_response(rig.authority.ocsp(named) or b"")
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_time_utc == rig.clock.now()


def test_one_that_was_never_issued(rig: Rig, bundle: str) -> None:
    _, named = issued(rig, bundle)
    other = OcspRequest(named.hash_algorithm, named.issuer_name_hash, named.issuer_key_hash, "abc123")
    response = ocsp.load_der_ocsp_response(rig.authority.ocsp(other) or b"")
    assert response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_of_another_issuer_nothing_is_said(rig: Rig, bundle: str) -> None:
    _, named = issued(rig, bundle)
    assert rig.authority.ocsp(OcspRequest("SHA256", "ab" * 32, named.issuer_key_hash, "1")) is None
    assert rig.authority.ocsp(OcspRequest("MD5", named.issuer_name_hash, named.issuer_key_hash, "1")) is None
    assert rig.authority.ocsp(OcspRequest("SHA256", named.issuer_name_hash, named.issuer_key_hash, "zz")) is None


# -- chains -------------------------------------------------------------------------------------------------------


def test_a_chain_to_the_root_is_accepted(rig: Rig, bundle: str) -> None:
    assert rig.authority.verify_chain(contract(rig, bundle)) == "Accepted"


def test_one_that_is_over_or_not_yet(rig: Rig, bundle: str) -> None:
    chain = contract(rig, bundle, days=5)
    rig.clock.advance(6 * 86400)
    assert rig.authority.verify_chain(chain) == "CertificateExpired"
    early = certificate(
        "contract",
        issuer=opened(bundle)[1][0],
        issuer_key=opened(bundle)[0],
        valid_from=rig.clock.now() + DAY,
        valid_until=rig.clock.now() + 2 * DAY,
    )
    assert rig.authority.verify_chain(pem(early)) == "CertificateExpired"


def test_a_revoked_chain(rig: Rig, bundle: str) -> None:
    leaf, _ = issued(rig, bundle)
    assert rig.authority.verify_chain(pem(leaf)) == "Accepted"
    rig.revoke(f"{leaf.serial_number:x}")
    assert rig.authority.verify_chain(pem(leaf)) == "CertificateRevoked"


def test_a_chain_that_ends_elsewhere(rig: Rig) -> None:
    stranger_key, [stranger] = opened(make_bundle(rig.clock.now(), name="Somebody else"))
    leaf = certificate(
        "contract",
        issuer=stranger,
        issuer_key=stranger_key,
        valid_from=rig.clock.now() - DAY,
        valid_until=rig.clock.now() + DAY,
    )
    assert rig.authority.verify_chain(pem(leaf, stranger)) == "CertChainError"


def test_a_forged_signature(rig: Rig, bundle: str) -> None:
    """The name of our authority, and another key."""
    _, chain = opened(bundle)
    forged = certificate(
        "contract",
        issuer=chain[0],
        issuer_key=key_of("forger"),
        valid_from=rig.clock.now() - DAY,
        valid_until=rig.clock.now() + DAY,
    )
    assert rig.authority.verify_chain(pem(forged)) == "SignatureError"


def test_a_leaf_is_no_authority(rig: Rig, bundle: str) -> None:
    """Whoever has a contract cannot sign another."""
    leaf_pem = contract(rig, bundle, of="leaf")
    leaf = x509.load_pem_x509_certificate(leaf_pem.encode())
    below = certificate(
        "below",
        issuer=leaf,
        issuer_key=key_of("leaf"),
        valid_from=rig.clock.now() - DAY,
        valid_until=rig.clock.now() + DAY,
    )
    assert rig.authority.verify_chain(pem(below, leaf)) == "CertChainError"


def test_an_authority_below_ours_may(rig: Rig, bundle: str) -> None:
    sub = x509.load_pem_x509_certificate(contract(rig, bundle, of="sub", is_authority=True).encode())
    below = certificate(
        "below",
        issuer=sub,
        issuer_key=key_of("sub"),
        valid_from=rig.clock.now() - DAY,
        valid_until=rig.clock.now() + DAY,
    )
    assert rig.authority.verify_chain(pem(below, sub)) == "Accepted"
    assert rig.authority.verify_chain(pem(below)) == "CertChainError"


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate(rig: Rig, text: str) -> None:
    assert rig.authority.verify_chain(text) == "CertChainError"


def test_an_endless_chain_is_not_walked(rig: Rig, bundle: str) -> None:
    assert rig.authority.verify_chain(contract(rig, bundle) * 50) == "CertChainError"


# -- hashes -------------------------------------------------------------------------------------------------------


def test_hashes_of_what_was_issued(rig: Rig, bundle: str) -> None:
    leaf, named = issued(rig, bundle)
    assert rig.authority.verify_hashes([named]) == "Accepted"
    rig.revoke(f"{leaf.serial_number:x}")
    assert rig.authority.verify_hashes([named]) == "CertificateRevoked"


def test_hashes_of_the_authority_above_are_known(rig: Rig, bundle: str) -> None:
    _, named = issued(rig, bundle)
    _, chain = opened(bundle)
    assert rig.authority.verify_hashes([named, hash_data(chain[0], chain[-1])]) == "Accepted"


def test_hashes_of_what_is_over(rig: Rig, bundle: str) -> None:
    _, named = issued(rig, bundle)
    rig.clock.advance(100 * 86400)
    assert rig.authority.verify_hashes([named]) == "CertificateExpired"


def test_hashes_of_what_nobody_knows(rig: Rig, bundle: str) -> None:
    _, named = issued(rig, bundle)
    never = OcspRequest(named.hash_algorithm, named.issuer_name_hash, named.issuer_key_hash, "abc123")
    foreign = OcspRequest("SHA256", "ab" * 32, "cd" * 32, named.serial_number)
    for asked in ([never], [foreign], [named, foreign], []):
        assert rig.authority.verify_hashes(asked) == "NoCertificateAvailable"


@pytest.mark.parametrize("kind", ["charger", "v2g", "v2g20"])
def test_a_certificate_of_equipment_is_no_contract(rig: Rig, bundle: str, kind: str) -> None:
    """Its charger chose the name in it: it could be a customer's."""
    leaf, named = issued(rig, bundle, kind)
    assert rig.authority.verify_chain(pem(leaf)) == "CertChainError"
    assert rig.authority.verify_hashes([named]) == "NoCertificateAvailable"


def test_an_authority_is_no_contract(rig: Rig, bundle: str) -> None:
    _, chain = opened(bundle)
    assert rig.authority.verify_hashes([hash_data(chain[0], chain[-1])]) == "NoCertificateAvailable"
    assert rig.authority.verify_chain(pem(chain[0])) == "CertChainError"


# -- the secret ---------------------------------------------------------------------------------------------------


def test_a_secret_that_is_no_authority_is_told_at_once(rig: Rig, bundle: str) -> None:
    key, chain = opened(bundle)
    stranger = make_bundle(rig.clock.now(), name="Somebody else")
    broken = [
        "",
        "hello",
        private_pem(key),
        pem(*chain),
        private_pem(key_of("forger")) + pem(*chain),
        private_pem(key) + pem(chain[0], opened(stranger)[1][0]),
    ]
    for secret in broken:
        with pytest.raises(PkiUnavailable):
            SelfSignedAuthority(secret, now=rig.clock.now, find_standing=lambda _: None)
