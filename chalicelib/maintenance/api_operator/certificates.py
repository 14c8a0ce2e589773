"""Certificates on a charger, those it asked us to sign, and the authority's roots."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.maintenance import service
from chalicelib.maintenance.api_operator.common import api
from chalicelib.maintenance.model import CertificateKind, CertificateRequest, CertificateState, Entry


class InstalledCertificateView(Shape):
    """`kind` and hashes in OCPP's words; `pem` where we installed it. `source`: `reported` or `accepted`."""

    kind: str
    serial_number: str
    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    subject: str | None
    valid_until: str | None
    pem: str | None
    told_at: datetime
    source: str


class CertificateRequestView(Shape):
    """A charger's signing request. `reason` says why it was refused, rejected by the charger, or not delivered."""

    certificate_id: str
    kind: CertificateKind
    state: CertificateState
    reason: str
    requested_at: datetime
    changed_at: datetime
    serial_number: str | None
    issued_at: datetime | None
    valid_until: datetime | None
    csr_pem: str
    chain_pem: str | None
    command_id: str | None


class RootsQuery(Shape):
    kind: CertificateKind = "charger"


class RootsView(Shape):
    """PEMs of the roots that whoever meets our certificates must trust; empty where no authority is configured."""

    kind: CertificateKind
    roots: list[str]


def _installed_view(entry: Entry) -> InstalledCertificateView:
    said = entry.data
    return InstalledCertificateView(
        kind=said.get("kind", ""),
        serial_number=said.get("serial_number", ""),
        hash_algorithm=said.get("hash_algorithm", ""),
        issuer_name_hash=said.get("issuer_name_hash", ""),
        issuer_key_hash=said.get("issuer_key_hash", ""),
        subject=said.get("subject"),
        valid_until=said.get("valid_until"),
        pem=said.get("pem"),
        told_at=entry.told_at,
        source=entry.source,
    )


def _request_view(request: CertificateRequest) -> CertificateRequestView:
    return CertificateRequestView(
        certificate_id=request.certificate_id,
        kind=request.kind,
        state=request.state,
        reason=request.reason,
        requested_at=request.requested_at,
        changed_at=request.changed_at,
        serial_number=request.serial_number,
        issued_at=request.issued_at,
        valid_until=request.valid_until,
        csr_pem=request.csr_pem,
        chain_pem=request.chain_pem,
        command_id=request.command_id,
    )


@api.get("/v1/chargers/{charger_id}/certificates", "chargers:read")
def list_installed_certificates(req: Request, charger_id: str) -> PageView[InstalledCertificateView]:
    """The certificates on the charger, as far as it told or accepted.

    Ask the charger itself with the command GetInstalledCertificateIds.
    """
    charger = owned_charger(req, charger_id)
    inventory = service.list_entries(req.ctx, charger.charger_id, "certificate")
    return PageView(data=[_installed_view(entry) for entry in inventory.entries.values()], has_more=False)


@api.get("/v1/chargers/{charger_id}/certificate-requests", "chargers:read")
def list_certificate_requests(req: Request, charger_id: str, query: PageQuery) -> PageView[CertificateRequestView]:
    """What the charger asked us to sign, and what became of it."""
    charger = owned_charger(req, charger_id)
    page = service.list_certificate_requests(req.ctx, charger.charger_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _request_view)


@api.post("/v1/chargers/{charger_id}/certificate-requests/{certificate_id}/revoke", "chargers:write", status=200)
def revoke_certificate(req: Request, charger_id: str, certificate_id: str) -> CertificateRequestView:
    """Revokes a certificate that was issued: whoever asks for its status learns it. It cannot be undone."""
    charger = owned_charger(req, charger_id)
    former = service.find_certificate_request(req.ctx, charger.charger_id, certificate_id)
    after = _request_view(service.revoke_certificate(req.uow, charger, certificate_id))
    before = None if former is None else _request_view(former)
    req.audit("certificate", certificate_id, owner_id=charger.operator_id, before=before, after=after)
    return after


@api.get("/v1/certificate-authority", "chargers:read")
def get_certificate_authority(req: Request, query: RootsQuery) -> RootsView:
    """The roots to install on chargers and in whatever checks their certificates."""
    return RootsView(kind=query.kind, roots=service.authority_roots(req.ctx, query.kind))
