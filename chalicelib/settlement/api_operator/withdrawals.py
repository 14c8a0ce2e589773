"""Withdrawals: an organisation asks for what it is owed, the platform approves and pays.

Of the bank account people see the end; the whole number only the platform's people who are to pay.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.identity import service as identity
from chalicelib.identity.scope import check_works_everywhere, may_see, visible_organization
from chalicelib.kernel.errors import forbidden, invalid, not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api
from chalicelib.settlement.model import OPEN_STATES, Withdrawal, WithdrawalMethod, WithdrawalState

ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class WithdrawalsQuery(PageQuery):
    """The platform's people see what waits, of all, unless they name an organisation; what is over only of one."""

    organization_id: str | None = None
    state: WithdrawalState | None = None


class PaidToView(Shape):
    """The account as it was when the withdrawal was asked for. `changed_at`: since when it was on file."""

    holder: str
    number: str
    bic: str | None
    bank_name: str | None
    changed_at: datetime


class WithdrawalView(Shape):
    withdrawal_id: str
    organization_id: str
    number: str
    state: WithdrawalState
    amount: Money
    method: WithdrawalMethod
    bank_account: PaidToView | None
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    paid_at: datetime | None
    reference: str | None


class WithdrawalCreate(Shape):
    """At most what is withdrawable (`GET /v1/balances`)."""

    amount: Money
    method: WithdrawalMethod = "bank"


class WithdrawalReject(Shape):
    reason: ReasonText


class WithdrawalPaid(Shape):
    """What the bank says: `reference` as it stands on the statement of account."""

    reference: ReasonText
    paid_at: Moment


@api.get("/v1/withdrawals", permission="withdrawals:read")
def list_withdrawals(req: Request, query: WithdrawalsQuery) -> PageView[WithdrawalView]:
    """Withdrawals of an organisation, newest first. For the platform's people, unless they name one: what waits, of
    all."""
    check_works_everywhere(req)
    if query.organization_id is None and req.actor.is_platform:
        if query.state is not None and query.state not in OPEN_STATES:
            detail = f"Of all organisations there is a list of what waits: to see what is {query.state}, name one."
            raise invalid("organization_id.missing", detail, "/organization_id")
        page = service.list_open_withdrawals(req.ctx, state=query.state, limit=query.limit, cursor=query.cursor)
    else:
        organization_id = visible_organization(req, query.organization_id or req.organization_id)
        page = service.list_withdrawals(
            req.ctx, organization_id, state=query.state, limit=query.limit, cursor=query.cursor
        )
    return page_view(page, withdrawal_view)


@api.get("/v1/withdrawals/{withdrawal_id}", permission="withdrawals:read")
def get_withdrawal(req: Request, withdrawal_id: str) -> WithdrawalView:
    """One withdrawal. Who may approve it sees where to pay."""
    whole = req.actor.is_platform and req.actor.may("withdrawals:approve")
    return withdrawal_view(_owned(req, withdrawal_id), whole_number=whole)


@api.post("/v1/withdrawals", permission="withdrawals:write", idempotency_key=True)
def create_withdrawal(req: Request, body: WithdrawalCreate) -> WithdrawalView:
    """Asks for a part of what is owed, or all of it. It is reserved at once."""
    check_works_everywhere(req)
    if req.actor.is_platform and req.actor.kind != "person":
        raise forbidden("Of the platform's own money a person asks: who made the key could approve what it asks for.")
    withdrawal = service.request_withdrawal(
        req.uow,
        identity.get_organization(req.ctx, req.organization_id),
        amount=body.amount,
        method=body.method,
        requested_at=req.claim.first_claimed_at if req.claim else req.ctx.now(),
        requested_by=req.actor.person_id,
        login_id=_login(req),
        key=req.claim.idempotency_key if req.claim else req.request_id,
    )
    _audit(req, withdrawal)
    return withdrawal_view(withdrawal)


@api.post("/v1/withdrawals/{withdrawal_id}/approve", permission="withdrawals:approve", status=200, idempotency_key=True)
def approve_withdrawal(req: Request, withdrawal_id: str) -> WithdrawalView:
    """Approves a withdrawal of somebody else, to be paid."""
    withdrawal = _to_decide(req, withdrawal_id)
    approved = service.approve_withdrawal(req.uow, withdrawal, decided_by=req.actor.person_id, login_id=_login(req))
    _audit(req, approved, withdrawal)
    return withdrawal_view(approved)


@api.post("/v1/withdrawals/{withdrawal_id}/reject", permission="withdrawals:approve", status=200, idempotency_key=True)
def reject_withdrawal(req: Request, withdrawal_id: str, body: WithdrawalReject) -> WithdrawalView:
    """Rejects a withdrawal that is not paid: the amount is owed again."""
    withdrawal = _to_decide(req, withdrawal_id)
    rejected = service.reject_withdrawal(req.uow, withdrawal, reason=body.reason, decided_by=req.actor.person_id)
    _audit(req, rejected, withdrawal)
    return withdrawal_view(rejected)


@api.post(
    "/v1/withdrawals/{withdrawal_id}/mark-paid", permission="withdrawals:approve", status=200, idempotency_key=True
)
def mark_withdrawal_paid(req: Request, withdrawal_id: str, body: WithdrawalPaid) -> WithdrawalView:
    """Notes that the bank has paid an approved withdrawal."""
    withdrawal = _to_decide(req, withdrawal_id)
    paid = service.mark_paid(
        req.uow, withdrawal, reference=body.reference, paid_at=check_moment(body.paid_at, "/paid_at")
    )
    _audit(req, paid, withdrawal)
    return withdrawal_view(paid)


def withdrawal_view(withdrawal: Withdrawal, *, whole_number: bool = False) -> WithdrawalView:
    values = {name: getattr(withdrawal, name) for name in WithdrawalView.__struct_fields__}
    account = withdrawal.bank_account
    if account is not None:
        values["bank_account"] = PaidToView(
            holder=account.holder,
            number=account.number if whole_number else account.masked_number,
            bic=account.bic,
            bank_name=account.bank_name,
            changed_at=account.changed_at,
        )
    return WithdrawalView(**values)


def _owned(req: Request, withdrawal_id: str) -> Withdrawal:
    check_works_everywhere(req)
    withdrawal = service.find_withdrawal(req.ctx, withdrawal_id)
    if withdrawal is None or not may_see(req, withdrawal.organization_id):
        raise not_found("withdrawal", withdrawal_id)
    return withdrawal


def _to_decide(req: Request, withdrawal_id: str) -> Withdrawal:
    if not req.actor.is_platform:
        raise forbidden("The platform's people decide about withdrawals.")
    return _owned(req, withdrawal_id)


def _login(req: Request) -> str:
    """Whose sign-in it is: two users may be one person. An API key is itself."""
    return req.actor.login_id or req.actor.person_id


def _audit(req: Request, after: Withdrawal, before: Withdrawal | None = None) -> None:
    req.audit(
        "withdrawal",
        after.withdrawal_id,
        owner_id=after.organization_id,
        before=None if before is None else withdrawal_view(before),
        after=withdrawal_view(after),
    )
