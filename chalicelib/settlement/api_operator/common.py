"""What the operator's endpoints of settlement share."""

from __future__ import annotations

from typing import Final

from chalicelib.kernel.http import Answer, Api, Request
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.rest import PDF_TYPE
from chalicelib.settlement import documents
from chalicelib.settlement.model.einvoice import EInvoice

XML_TYPE: Final = "application/xml"

api = Api("settlement", "operator")


def new_id(req: Request, prefix: str, *parts: str) -> str:
    """The same request tried again (Idempotency-Key) makes the same thing."""
    claimed_at = req.claim.first_claimed_at if req.claim else req.ctx.now()
    key = req.claim.idempotency_key if req.claim else req.request_id
    return derived_id(prefix, claimed_at, req.actor.login_id, *parts, key)


def pdf_answer(document: EInvoice) -> Answer:
    return file_answer(documents.as_pdf(document), PDF_TYPE, f"{document.number}.pdf")


def xml_answer(document: EInvoice) -> Answer:
    return file_answer(documents.as_xml(document), XML_TYPE, f"{document.number}.xml")


def file_answer(content: bytes, media_type: str, name: str) -> Answer:
    headers = {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
    return Answer(content, headers=headers)
