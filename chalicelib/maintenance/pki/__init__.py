"""The public key infrastructure: a port, one module per authority, and the way to the one that is configured.

Called by `maintenance` alone. The modules behind it load `cryptography`, which the WebSocket functions must not pay for
at their start: they are imported by the functions below, when a certificate is really meant.
"""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from chalicelib.kernel.context import Context
from chalicelib.maintenance.model.certificates import CertificateKind
from chalicelib.maintenance.pki.port import CertificateAuthority, FindStanding, PkiUnavailable

SECRET_NAME: Final = "certificate-authority"
"""PEM: the authority's private key, its certificate, and those above it up to the root."""


def authority(ctx: Context, find_standing: FindStanding) -> CertificateAuthority:
    """The authority of this deployment. Raises PkiUnavailable where none is configured, or not usably."""
    from chalicelib.maintenance.pki.self_signed import SelfSignedAuthority

    bundle_pem = _bundle(ctx)
    if not bundle_pem:
        raise PkiUnavailable("No certificate authority is configured.")
    return SelfSignedAuthority(bundle_pem, now=ctx.now, find_standing=find_standing)


def objection_to(csr_pem: str, kind: CertificateKind, charger_id: str) -> str:
    """Why this signing request cannot be granted to this charger; empty where nothing speaks against it."""
    from chalicelib.maintenance.pki import documents

    return documents.objection_to(csr_pem, kind, charger_id)


def describe(pem: str) -> dict[str, Any] | None:
    """Hash data (SHA256), subject and end of a certificate, in neutral words; None if nobody can read it."""
    from chalicelib.maintenance.pki import documents

    return documents.describe(pem)


def status_in(response_der: bytes) -> str:
    """What an OCSP response says of its certificate: `good`, `revoked` or `unknown`."""
    from chalicelib.maintenance.pki import documents

    return documents.status_in(response_der)


def _bundle(ctx: Context) -> str:
    try:
        return ctx.secret(SECRET_NAME)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return ""
        raise
