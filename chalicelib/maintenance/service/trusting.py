"""Whom to trust: certificate status, contract certificates of vehicles, and what vehicles ask of their operator.

Reads only. Where no authority is configured the answers are the honest no of OCPP, never a guess.
"""

from __future__ import annotations

import base64
from typing import Any

from chalicelib.kernel.context import Context
from chalicelib.maintenance import pki
from chalicelib.maintenance.model.certificates import CertificateKind, ContractVerdict, hash_data_of
from chalicelib.maintenance.pki.port import CertificateAuthority, OcspRequest, PkiUnavailable, Standing
from chalicelib.maintenance.store import ISSUED, issued_key


def configured_authority(ctx: Context) -> CertificateAuthority:
    """Raises PkiUnavailable."""

    def find_standing(serial_number: str) -> Standing | None:
        issued = ISSUED.get(ctx, *issued_key(serial_number))
        return None if issued is None else Standing(issued.kind, issued.valid_until, issued.revoked_at)

    return pki.authority(ctx, find_standing)


def certificate_status(ctx: Context, ocsp_request: dict[str, Any]) -> str | None:
    """The OCSP response (base64 of DER) for OCPP's OCSPRequestDataType; None: nobody here can tell (Failed)."""
    request = _read(ocsp_request)
    if request is None:
        return None
    try:
        response = configured_authority(ctx).ocsp(request)
    except PkiUnavailable:
        return None
    return None if response is None else base64.b64encode(response).decode()


def certificate_standing(ctx: Context, hash_data: dict[str, Any]) -> str:
    """`good`, `revoked` or `unknown`: what the OCSP response would say, for OCPP's CertificateHashDataType."""
    response = certificate_status(ctx, hash_data)
    return "unknown" if response is None else pki.status_in(base64.b64decode(response))


def ev_certificate(ctx: Context, *, action: str, exi_request: str, schema_version: str) -> tuple[bool, str]:
    """`(accepted, exiResponse)` for Get15118EVCertificate; (False, "") where no mobility operator is behind us."""
    try:
        answer = configured_authority(ctx).ev_certificate(action, exi_request, schema_version)
    except PkiUnavailable:
        return False, ""
    return (False, "") if answer is None else (True, answer)


def verify_contract(ctx: Context, *, hash_data: list[dict[str, Any]] | None, pem: str | None) -> ContractVerdict:
    """A vehicle's contract certificate (OCPP 2.0.1 C07): its chain where it is given, else what is known by hash."""
    try:
        authority = configured_authority(ctx)
    except PkiUnavailable:
        return "NoCertificateAvailable"
    if pem:
        return authority.verify_chain(pem)
    requests = [_read(entry) for entry in hash_data or ()]
    known = [request for request in requests if request is not None]
    return authority.verify_hashes(known) if len(known) == len(requests) else "NoCertificateAvailable"


def authority_roots(ctx: Context, kind: CertificateKind) -> list[str]:
    """PEMs to install on chargers and vehicles; none without an authority."""
    try:
        return configured_authority(ctx).roots(kind)
    except PkiUnavailable:
        return []


def _read(entry: dict[str, Any]) -> OcspRequest | None:
    """None unless all of it is hexadecimal, as OCPP says."""
    algorithm, *numbers = hash_data_of(entry)
    try:
        for number in numbers[:2]:
            bytes.fromhex(number)
        int(numbers[2], 16)
    except ValueError:
        return None
    return OcspRequest(algorithm, *numbers)
