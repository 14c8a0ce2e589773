"""What the operator's endpoints of settlement share."""

from __future__ import annotations

from chalicelib.kernel.http import Answer, Api, Request
from chalicelib.kernel.rest import PDF_TYPE
from chalicelib.settlement import documents
from chalicelib.settlement.model.einvoice import EInvoice

api = Api("settlement", "operator")


def new_id(req: Request, prefix: str, *parts: str) -> str:
    """Of the person who asks."""
    return req.new_id(prefix, req.actor.login_id, *parts)


def pdf_answer(document: EInvoice) -> Answer:
    return file_answer(documents.as_pdf(document), PDF_TYPE, f"{document.number}.pdf")


def xml_answer(document: EInvoice) -> Answer:
    return file_answer(documents.as_xml(document), documents.XML_TYPE, f"{document.number}.xml")


def file_answer(content: bytes, media_type: str, name: str) -> Answer:
    headers = {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
    return Answer(content, headers=headers)
