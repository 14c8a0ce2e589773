"""Certificates that chargers ask for: asked, signed (between two commits, by the job), delivered, answered, renewed.

A renewal is a request with a new key: when the charger has taken its certificate, the older ones of the same kind are
superseded. At most MAX_REQUESTS rows per charger; each request is signed once and delivered as often as it is asked
for again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import pki
from chalicelib.maintenance.model.certificates import (
    CERTIFICATE_LIFECYCLE,
    MAX_REASON,
    MAX_REQUESTS,
    RETRY_PAUSE,
    CertificateKind,
    CertificateRequest,
    IssuedCertificate,
    certificate_id_of,
)
from chalicelib.maintenance.model.journal import Severity
from chalicelib.maintenance.pki.port import PkiUnavailable, SignedCertificate
from chalicelib.maintenance.service.journal import record_event
from chalicelib.maintenance.service.renewing import PLATFORM, plan_renewal
from chalicelib.maintenance.service.trusting import configured_authority
from chalicelib.maintenance.store import (
    CERTIFICATE_REQUESTS,
    ISSUED,
    REQUEST_PREFIX,
    CertificateRequestRow,
    IssuedCertificateRow,
    charger_pk,
    issued_key,
    request_key,
)

INTENT: Final = "install_signed_certificate"
_UNDER_WAY: Final = frozenset({"requested", "issued"})


def request_signature(
    uow: UnitOfWork, charger: Charger, *, csr_pem: str, kind: CertificateKind, request_id: int | None
) -> bool:
    """A charger's SignCertificate. True (Accepted): it is signed soon, by event `certificate.requested`.

    False (Rejected): no authority, or not a request that this charger may make; the journal says why. Asked again
    with the same request: the same answer, and the same certificate where it was answered or lost long ago.
    """
    now = uow.ctx.now()
    certificate_id = certificate_id_of(kind, csr_pem)
    known = CERTIFICATE_REQUESTS.get(uow.ctx, *request_key(charger.charger_id, certificate_id))
    if known is not None and (known.state in _UNDER_WAY or now - known.changed_at < RETRY_PAUSE):
        return known.state != "refused"
    if known is not None and known.state != "refused":
        return _ask_again(uow, known, request_id)
    if known is None and _is_full(uow.ctx, charger.charger_id):
        _tell(uow, charger, f"Refused: more than {MAX_REQUESTS} signing requests.", at=_midnight(now))
        return False
    reason = _objection(uow.ctx, charger, csr_pem, kind)
    if known is not None and reason and reason == known.reason:
        return False
    request = CertificateRequest(
        certificate_id=certificate_id,
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        kind=kind,
        csr_pem=csr_pem,
        state="refused" if reason else "requested",
        requested_at=now,
        changed_at=now,
        request_id=request_id,
        reason=reason,
        revision=0 if known is None else known.revision,
    )
    _save(uow, known, request)
    if reason:
        _tell(uow, charger, f"Signing request refused: {reason}", certificate_id=certificate_id, severity="warning")
        return False
    _emit(uow, request)
    return True


def _objection(ctx: Context, charger: Charger, csr_pem: str, kind: CertificateKind) -> str:
    try:
        configured_authority(ctx)
    except PkiUnavailable as unavailable:
        return unavailable.detail
    return pki.objection_to(csr_pem, kind, charger.charger_id)[:MAX_REASON]


def _ask_again(uow: UnitOfWork, known: CertificateRequest, request_id: int | None) -> bool:
    """The certificate is there already: it is delivered once more, unless it is over."""
    now = uow.ctx.now()
    if not known.may_be_asked_again or known.valid_until is None or known.valid_until <= now:
        return False
    after = replace(known, state="issued", changed_at=now, command_id=None, request_id=request_id, reason="")
    _save(uow, known, after)
    _emit(uow, after)
    return True


# -- what the job does --------------------------------------------------------------------------------------------


def record_issued(uow: UnitOfWork, charger_id: str, certificate_id: str, signed: SignedCertificate) -> None:
    """The authority has signed. A request that is not waiting any more (signed by another run) stays as it is."""
    request = find_certificate_request(uow.ctx, charger_id, certificate_id)
    if request is None or request.state != "requested":
        return
    now = uow.ctx.now()
    issued = IssuedCertificate(
        serial_number=signed.serial_number,
        charger_id=request.charger_id,
        operator_id=request.operator_id,
        certificate_id=certificate_id,
        kind=request.kind,
        issued_at=now,
        valid_until=signed.valid_until,
    )
    uow.create(ISSUED, issued)
    plan_renewal(uow, issued, now.date())
    after = _moved(request, "issue", now)
    _save(
        uow,
        request,
        replace(
            after,
            chain_pem=signed.chain_pem,
            serial_number=signed.serial_number,
            issued_at=now,
            valid_until=signed.valid_until,
            reason="",
        ),
    )


def record_refused(uow: UnitOfWork, charger_id: str, certificate_id: str, reason: str) -> None:
    """The authority will not sign, or there is none any more. The charger may ask again."""
    request = find_certificate_request(uow.ctx, charger_id, certificate_id)
    charger = chargers.get_charger(uow.ctx, charger_id)
    if request is None or charger is None or request.state != "requested":
        return
    _save(uow, request, replace(_moved(request, "refuse", uow.ctx.now()), reason=reason[:MAX_REASON]))
    _tell(uow, charger, f"Signing request refused: {reason}", certificate_id=certificate_id, severity="warning")


def deliver_certificate(uow: UnitOfWork, charger_id: str, certificate_id: str) -> None:
    """Queues what was issued for the charger, once. Raises command.queue_full: try later."""
    request = find_certificate_request(uow.ctx, charger_id, certificate_id)
    if request is None or request.state != "issued" or request.command_id is not None:
        return
    number = {} if request.request_id is None else {"request_id": request.request_id}
    command = chargers.queue_command(
        uow,
        charger_id=charger_id,
        action=INTENT,
        payload={
            "chain_pem": request.chain_pem,
            "kind": request.kind,
            "certificate_id": certificate_id,
            **number,
        },
        requested_by=PLATFORM,
    )
    after = replace(request, command_id=command.command_id, deliveries=request.deliveries + 1, changed_at=uow.ctx.now())
    _save(uow, request, after)


def record_certificate_answer(
    uow: UnitOfWork, charger_id: str, certificate_id: str, command_id: str, accepted: bool, detail: str
) -> None:
    """What the charger said to its certificate, or that it said nothing. An answer to an older delivery changes
    nothing. Accepted: older certificates of the kind are superseded."""
    request = find_certificate_request(uow.ctx, charger_id, certificate_id)
    charger = chargers.get_charger(uow.ctx, charger_id)
    if request is None or charger is None or request.state != "issued" or request.command_id != command_id:
        return
    now = uow.ctx.now()
    event = "accept" if accepted else "reject" if detail.startswith("Rejected") else "fail"
    after = replace(_moved(request, event, now), reason="" if accepted else detail[:MAX_REASON])
    _save(uow, request, after)
    if accepted:
        _supersede(uow, after, now)
    summary = {"accept": "Certificate installed", "reject": "Certificate rejected", "fail": "Certificate not delivered"}
    _tell(
        uow,
        charger,
        summary[event] if accepted else f"{summary[event]}: {detail}",
        certificate_id=certificate_id,
        serial_number=request.serial_number,
        severity="info" if accepted else "warning",
    )


def _supersede(uow: UnitOfWork, installed: CertificateRequest, now: datetime) -> None:
    for other in _requests(uow.ctx, installed.charger_id):
        is_older = other.certificate_id != installed.certificate_id and other.kind == installed.kind
        if is_older and other.state == "installed":
            _save(uow, other, _moved(other, "supersede", now))


# -- operators ----------------------------------------------------------------------------------------------------


def find_certificate_request(ctx: Context, charger_id: str, certificate_id: str) -> CertificateRequest | None:
    return CERTIFICATE_REQUESTS.get(ctx, *request_key(charger_id, certificate_id))


def list_certificate_requests(
    ctx: Context, charger_id: str, *, limit: int, cursor: str | None
) -> Page[CertificateRequest]:
    steps = CERTIFICATE_REQUESTS.walk(
        ctx, charger_pk(charger_id), CertificateRequestRow.sk.startswith(REQUEST_PREFIX), cursor=cursor
    )
    return page_of(steps, limit)


def revoke_certificate(uow: UnitOfWork, charger: Charger, certificate_id: str) -> CertificateRequest:
    """Whoever asks about it is told that it is revoked (OCSP). The second click changes nothing.

    Raises certificate_request.not_found, certificate.illegal_transition for one that was never issued.
    """
    request = find_certificate_request(uow.ctx, charger.charger_id, certificate_id)
    if request is None:
        raise not_found("certificate_request", certificate_id)
    if request.state == "revoked":
        return request
    now = uow.ctx.now()
    after = _moved(request, "revoke", now)
    _save(uow, request, after)
    if request.serial_number is not None:
        uow.update(
            ISSUED,
            issued_key(request.serial_number),
            [IssuedCertificateRow.revoked_at.set(now)],
            condition=IssuedCertificateRow.pk.exists(),
            name="issued certificate",
        )
    _tell(uow, charger, "Certificate revoked", certificate_id=certificate_id, serial_number=request.serial_number)
    return after


# -- the row ------------------------------------------------------------------------------------------------------


def _requests(ctx: Context, charger_id: str) -> list[CertificateRequest]:
    page = CERTIFICATE_REQUESTS.query(
        ctx,
        charger_pk(charger_id),
        CertificateRequestRow.sk.startswith(REQUEST_PREFIX),
        limit=MAX_REQUESTS,
        consistent=True,
    )
    return page.data


def _is_full(ctx: Context, charger_id: str) -> bool:
    return len(_requests(ctx, charger_id)) >= MAX_REQUESTS


def _moved(request: CertificateRequest, event: str, now: datetime) -> CertificateRequest:
    return replace(request, state=CERTIFICATE_LIFECYCLE.next(request.state, event), changed_at=now)


def _save(uow: UnitOfWork, before: CertificateRequest | None, after: CertificateRequest) -> None:
    unchanged = (
        CertificateRequestRow.pk.does_not_exist()
        if before is None
        else CertificateRequestRow.revision == before.revision
    )
    revision = 1 if before is None else before.revision + 1
    uow.put(CERTIFICATE_REQUESTS, replace(after, revision=revision), condition=unchanged, name="certificate request")


def _emit(uow: UnitOfWork, request: CertificateRequest) -> None:
    outbox.emit(uow, "certificate.requested", request.certificate_id, {"charger_id": request.charger_id})


def _tell(
    uow: UnitOfWork,
    charger: Charger,
    summary: str,
    *,
    certificate_id: str | None = None,
    serial_number: str | None = None,
    severity: Severity = "info",
    at: datetime | None = None,
) -> None:
    said = {"certificate_id": certificate_id, "serial_number": serial_number}
    record_event(
        uow,
        charger,
        kind="certificate",
        at=at or uow.ctx.now(),
        summary=summary,
        data={name: value for name, value in said.items() if value is not None},
        severity=severity,
    )


def _midnight(now: datetime) -> datetime:
    """One entry a day, however often it is told."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
