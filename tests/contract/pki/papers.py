"""What chargers and vehicles bring: keys, signing requests, certificates of others."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from chalicelib.maintenance.pki.self_signed import make_bundle

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def key_of(owner: str) -> ec.EllipticCurvePrivateKey:
    """One key per owner and process: they are what makes such tests slow."""
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name: str | None, organization: str | None = "Operator") -> x509.Name:
    said = [(NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATION_NAME, organization)]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in said if text is not None])


def signing_request(common_name: str | None, *, key: Key | None = None, organization: str | None = "Operator") -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(common_name, organization))
    return builder.sign(key or key_of("charger"), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def certificate(
    common_name: str,
    *,
    issuer: x509.Certificate | None,
    issuer_key: Key,
    valid_from: datetime,
    valid_until: datetime,
    key: Key | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    """`issuer` None: by itself."""
    subject = name(common_name)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key((key or key_of(common_name)).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def pem(*certificates: x509.Certificate) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def private_pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def opened(bundle: str) -> tuple[Key, list[x509.Certificate]]:
    """The key and the certificates of an authority's secret."""
    key = load_pem_private_key(bundle.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key, x509.load_pem_x509_certificates(bundle.encode())


def intermediate_bundle(now: datetime) -> str:
    """An authority that a root has signed; the root's key is elsewhere."""
    root_key, [root] = opened(make_bundle(now))
    key = key_of("sub authority")
    sub = certificate(
        "Sub authority",
        issuer=root,
        issuer_key=root_key,
        valid_from=now - timedelta(hours=1),
        valid_until=now + timedelta(days=1000),
        key=key,
        is_authority=True,
    )
    return private_pem(key) + pem(sub, root)
