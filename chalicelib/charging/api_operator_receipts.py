"""Receipts of charges as PDF, for those who sold them."""

from __future__ import annotations

from chalicelib.chargers.scope import may_see_at
from chalicelib.charging import lookup
from chalicelib.charging.receipts import receipt
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer, Api, Request

api = Api("charging", "operator")


@api.get("/v1/cdrs/{cdr_id}/receipt", permission="cdrs:read")
def get_cdr_receipt(req: Request, cdr_id: str) -> Answer:
    """The receipt of a billed session as PDF: of the record that is valid now, if this one was corrected."""
    session = lookup.find_session(req.ctx, "ses_" + cdr_id.removeprefix("cdr_").partition("-")[0])
    if session is None or not may_see_at(req, session.operator_id, session.location_id):
        raise not_found("cdr", cdr_id)
    return receipt(req.ctx, session)
