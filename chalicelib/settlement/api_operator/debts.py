"""What organisations pay of what they owe: noted by the platform's people, as their bank says it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity import service as identity
from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import Moment, Request, Shape, check_moment
from chalicelib.kernel.money import Money
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api, new_id
from chalicelib.settlement.api_operator.invoices import ReferenceText


class DebtPaymentCreate(Shape):
    """`reference` as it stands on the bank statement."""

    organization_id: str
    amount: Money
    reference: ReferenceText
    paid_at: Moment


class DebtPaymentView(Shape):
    """An entry of the ledger, in the organisation's account of what is owed."""

    entry_id: str
    organization_id: str
    amount: Money
    reference: str
    recorded_at: datetime


@api.post("/v1/debt-payments", permission="withdrawals:approve", idempotency_key=True)
def create_debt_payment(req: Request, body: DebtPaymentCreate) -> DebtPaymentView:
    """Notes that an organisation has paid of what it owes (`GET /v1/balances?owing=true`)."""
    check_works_everywhere(req)
    if not req.actor.is_platform:
        raise forbidden("What is owed to the platform is noted by its people.")
    organization = identity.get_organization(req.ctx, body.organization_id)
    entry = service.record_debt_payment(
        req.uow,
        entry_id=new_id(req, "ent", organization.organization_id),
        organization_id=organization.organization_id,
        amount=body.amount,
        reference=body.reference,
        paid_at=check_moment(body.paid_at, "/paid_at"),
    )
    view = DebtPaymentView(
        entry_id=entry.entry_id,
        organization_id=organization.organization_id,
        amount=body.amount,
        reference=body.reference,
        recorded_at=entry.occurred_at,
    )
    req.audit("balance", organization.organization_id, owner_id=organization.organization_id, after=view)
    return view
