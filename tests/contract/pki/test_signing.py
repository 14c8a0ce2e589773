"""What an authority signs, and what it never does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chalicelib.maintenance.model import CertificateKind
from chalicelib.maintenance.pki import objection_to
from chalicelib.maintenance.pki.port import PkiRefused
from tests.contract.pki.conftest import Rig
from tests.contract.pki.papers import key_of, signing_request

CHARGER = "CP-001"


def leaf_of(chain_pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain_pem.encode())[0]


def test_a_chargers_certificate_says_who_it_is_and_is_its_keys(rig: Rig) -> None:
    signed = rig.authority.sign(signing_request(CHARGER), "charger", CHARGER)
    leaf = leaf_of(signed.chain_pem)
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == CHARGER
    assert leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Operator"
    assert leaf.public_key() == key_of("charger").public_key()
    assert f"{leaf.serial_number:x}" == signed.serial_number
    assert leaf.not_valid_before_utc == signed.valid_from < rig.clock.now()
    assert leaf.not_valid_after_utc == signed.valid_until > rig.clock.now() + timedelta(days=30)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_chain_leads_to_a_root_that_is_not_in_it(rig: Rig) -> None:
    chain = x509.load_pem_x509_certificates(
        rig.authority.sign(signing_request(CHARGER), "charger", CHARGER).chain_pem.encode()
    )
    [root_pem] = rig.authority.roots("charger")
    root = x509.load_pem_x509_certificate(root_pem.encode())
    for one, above in zip(chain, [*chain[1:], root], strict=True):
        one.verify_directly_issued_by(above)
    root.verify_directly_issued_by(root)
    assert root not in chain


def test_the_identity_is_written_as_it_is_registered(rig: Rig) -> None:
    """Identities are compared without case; a certificate has one spelling."""
    leaf = leaf_of(rig.authority.sign(signing_request("cp-001"), "charger", CHARGER).chain_pem)
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == CHARGER


@pytest.mark.parametrize(
    ("kind", "usage"),
    [
        ("charger", ExtendedKeyUsageOID.CLIENT_AUTH),
        ("v2g", ExtendedKeyUsageOID.SERVER_AUTH),
        ("v2g20", ExtendedKeyUsageOID.SERVER_AUTH),
    ],
)
def test_each_kind_is_for_its_use(rig: Rig, kind: CertificateKind, usage: x509.ObjectIdentifier) -> None:
    leaf = leaf_of(rig.authority.sign(signing_request(CHARGER), kind, CHARGER).chain_pem)
    assert usage in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value


def test_supply_equipment_has_its_own_name(rig: Rig) -> None:
    """ISO 15118: the common name is the equipment's, not the identity of OCPP."""
    leaf = leaf_of(rig.authority.sign(signing_request("DE*ABC*E1"), "v2g", CHARGER).chain_pem)
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "DE*ABC*E1"


def test_two_certificates_are_two(rig: Rig) -> None:
    first, second = (rig.authority.sign(signing_request(CHARGER), "charger", CHARGER) for _ in range(2))
    assert first.serial_number != second.serial_number


WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
TAMPERED = signing_request(CHARGER).splitlines()
TAMPERED[-2] = TAMPERED[-2][:8] + ("A" if TAMPERED[-2][8] != "A" else "B") + TAMPERED[-2][9:]

REFUSED = {
    "nothing": "",
    "no PEM": "hello",
    "PEM of nothing": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
    "half a surrogate": "\ud800",
    "tampered": "\n".join(TAMPERED),
    "another charger's name": signing_request("CP-002"),
    "no name": signing_request(None),
    "weak RSA": signing_request(CHARGER, key=WEAK),
    "small curve": signing_request(CHARGER, key=ec.generate_private_key(ec.SECP192R1())),
    "a key of an old kind": signing_request(CHARGER, key=dsa.generate_private_key(1024)),  # type: ignore[arg-type]
    "empty organisation": signing_request(CHARGER, organization=" "),
}


@pytest.mark.parametrize("csr_pem", REFUSED.values(), ids=[name.replace(" ", "-") for name in REFUSED])
def test_what_is_refused_and_objected_to_before(rig: Rig, csr_pem: str) -> None:
    with pytest.raises(PkiRefused):
        rig.authority.sign(csr_pem, "charger", CHARGER)
    assert objection_to(csr_pem, "charger", CHARGER)


def test_nothing_is_said_against_a_good_one() -> None:
    assert objection_to(signing_request(CHARGER), "charger", CHARGER) == ""


def test_there_is_no_mobility_operator_behind_it(rig: Rig) -> None:
    assert rig.authority.ev_certificate("Install", "AAAA", "urn:iso:15118:2:2013:MsgDef") is None
