"""Disputes as the backoffice reads them: the platform's people see all, an operator those of what guests paid at its
chargers. What is missing in a wallet is covered or forgiven above (`wallets/api_operator/disputes.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.payments import service
from chalicelib.payments.api_operator.common import api
from chalicelib.payments.model import Dispute, DisputeStateName, Purpose


class DisputeQuery(OperatorPageQuery):
    """`uncovered`: only those of which something is missing, or nothing is."""

    state: DisputeStateName | None = None
    purpose: Purpose | None = None
    uncovered: bool | None = None


class DisputeView(Shape):
    """`state`: inquiry (the payer's bank asks, no money has moved), open (it has taken `amount` back and hears our side
    at the provider until `respond_by`), won, lost. `withheld` was taken out of the driver's wallet, with
    `bonus_withheld` of the gift that came with it; `recovered` after the loss was booked; `borne` is what an operator's
    income made good. `uncovered` is missing: while it is, the driver's wallet begins no charge (`wallet_blocked`),
    unless it is forgiven (`forgiven_at`)."""

    dispute_id: str
    payment_id: str
    provider: str
    dispute_ref: str
    purpose: str
    purpose_id: str
    payer_id: str
    operator_id: str | None
    state: DisputeStateName
    reason: str | None
    amount: Money
    withheld: Money
    bonus_withheld: Money
    recovered: Money
    borne: Money
    uncovered: Money
    wallet_blocked: bool
    fees: list[Money]
    opened_at: datetime
    respond_by: datetime | None
    closed_at: datetime | None
    forgiven_at: datetime | None


@api.get("/v1/disputes", "payments:read")
def list_disputes(req: Request, query: DisputeQuery) -> PageView[DisputeView]:
    """Payments that payers' banks ask about or have taken back, newest first."""
    check_works_everywhere(req)

    def keep(dispute: Dispute) -> bool:
        return (
            query.state in (None, dispute.state)
            and query.purpose in (None, dispute.purpose)
            and query.uncovered in (None, dispute.uncovered.amount > 0)
        )

    listed_for = listed_operator(req, query.operator_id)
    page = service.list_disputes(req.ctx, listed_for, keep=keep, limit=query.limit, cursor=query.cursor)
    return page_view(page, dispute_view)


@api.get("/v1/disputes/{dispute_id}", "payments:read")
def get_dispute(req: Request, dispute_id: str) -> DisputeView:
    """One dispute, and what became of its money."""
    return dispute_view(visible_dispute(req, dispute_id))


def visible_dispute(req: Request, dispute_id: str) -> Dispute:
    """Another organisation's is answered like one that is not there."""
    check_works_everywhere(req)
    dispute = service.find_dispute(req.ctx, dispute_id)
    if dispute is None or not may_see(req, dispute.operator_id):
        raise not_found("dispute", dispute_id)
    return dispute


def dispute_view(dispute: Dispute) -> DisputeView:
    own = (
        *("dispute_id", "payment_id", "provider", "dispute_ref", "purpose", "purpose_id", "payer_id", "operator_id"),
        *("state", "reason", "amount", "uncovered", "opened_at", "respond_by", "closed_at", "forgiven_at"),
    )
    values: dict[str, Any] = {name: getattr(dispute, name) for name in own}
    for name in ("withheld", "bonus_withheld", "recovered", "borne"):
        values[name] = Money(getattr(dispute, name), dispute.currency)
    return DisputeView(
        **values,
        wallet_blocked=dispute.is_blocking,
        fees=[Money(amount, currency) for currency, amount in sorted(dispute.fees.items())],
    )
