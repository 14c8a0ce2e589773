"""Payments and refunds as they are found and listed. Called by endpoints, consumers, and the other modules here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.pages import Page, Step, decode_cursor, page_of
from chalicelib.kernel.spans import id_span
from chalicelib.payments.model import ENDING_NOTICE, RECONCILE_AFTER, Payment, Refund, Work
from chalicelib.payments.store import (
    PAYMENTS,
    REFUNDS,
    UNFINISHED_REFUNDS,
    WORK_LISTS,
    PaymentRow,
    RefundRow,
    payment_pk,
    refund_sk,
)

MAX_DAYS = 92
"""How far a list over all payments reaches: each day is a look-up."""

Keep = Callable[[Payment], bool]


def find_payment(ctx: Context, payment_id: str) -> Payment | None:
    return PAYMENTS.get(ctx, payment_pk(payment_id), "payment")


def require_payment(ctx: Context, payment_id: str) -> Payment:
    """Raises payment.not_found."""
    payment = find_payment(ctx, payment_id)
    if payment is None:
        raise not_found("payment", payment_id)
    return payment


def payments_by_id(ctx: Context, payment_ids: Iterable[str]) -> dict[str, Payment]:
    """Those that exist: for a page of what they paid for."""
    keys = [(payment_pk(payment_id), "payment") for payment_id in dict.fromkeys(payment_ids)]
    return {payment.payment_id: payment for payment in PAYMENTS.batch_get(ctx, keys)}


def find_refund(ctx: Context, payment_id: str, refund_id: str) -> Refund | None:
    return REFUNDS.get(ctx, payment_pk(payment_id), refund_sk(refund_id))


def require_refund(ctx: Context, payment_id: str, refund_id: str) -> Refund:
    """Raises refund.not_found."""
    refund = find_refund(ctx, payment_id, refund_id)
    if refund is None:
        raise not_found("refund", refund_id)
    return refund


def list_refunds(ctx: Context, payment_id: str, *, limit: int, cursor: str | None = None) -> Page[Refund]:
    """A payment's refunds, newest first."""
    return REFUNDS.query(
        ctx,
        payment_pk(payment_id),
        RefundRow.sk.startswith(refund_sk("")),
        newest_first=True,
        limit=limit,
        cursor=cursor,
        consistent=True,
    )


def list_of_payer(
    ctx: Context, payer_id: str, *, keep: Keep | None = None, limit: int, cursor: str | None
) -> Page[Payment]:
    """Newest first."""
    steps = PAYMENTS.walk(ctx, payer_id, index=PaymentRow.by_payer, newest_first=True, cursor=cursor)
    return page_of(steps, limit, keep)


def list_of_operator(
    ctx: Context,
    operator_id: str,
    *,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    keep: Keep | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Payment]:
    """Payments made at an operator's chargers and for its top-up packages, newest first; `date_from` inclusive,
    `date_to` exclusive."""
    span = id_span("pay", (date_from, date_to))
    if span is None:
        return Page([])
    steps = PAYMENTS.walk(
        ctx,
        operator_id,
        PaymentRow.payment_id.between(*span),
        index=PaymentRow.by_operator,
        newest_first=True,
        cursor=cursor,
    )
    return page_of(steps, limit, keep)


def list_of_day(ctx: Context, day: str, *, limit: int, cursor: str | None) -> Page[Payment]:
    """Payments made on a UTC day (YYYY-MM-DD), newest first."""
    steps = PAYMENTS.walk(ctx, day, index=PaymentRow.by_day, newest_first=True, cursor=cursor)
    return page_of(steps, limit)


def list_of_days(
    ctx: Context,
    date_from: datetime,
    date_to: datetime,
    *,
    keep: Keep | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Payment]:
    """All payments made from `date_from` until before `date_to`, newest first; at most MAX_DAYS days."""

    def kept(payment: Payment) -> bool:
        return date_from <= payment.created_at < date_to and (keep is None or keep(payment))

    first = date_from.astimezone(UTC).date()
    last = (date_to - timedelta(microseconds=1)).astimezone(UTC).date()
    return page_of(_walk_days(ctx, first, last, cursor), limit, kept)


def _walk_days(ctx: Context, first: date, last: date, cursor: str | None) -> Iterator[Step[Payment]]:
    day = last
    if cursor is not None:
        # The cursor's own day is where the list goes on; what is not one of ours, the store refuses.
        goes_on = decode_cursor(cursor).get("created_day", {}).get("S", "")
        day = next((each for each in _days(first, last) if each.isoformat() == goes_on), last)
    while day >= first:
        yield from PAYMENTS.walk(ctx, day.isoformat(), index=PaymentRow.by_day, newest_first=True, cursor=cursor)
        cursor = None
        day -= timedelta(days=1)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def overdue_payments(ctx: Context, work: Work = "undecided") -> Iterator[Payment]:
    """Payments that wait for this work for longer than RECONCILE_AFTER, oldest first; of those that are authorised
    the ones that run out soon."""
    now = ctx.now()
    for payment, _ in PAYMENTS.walk(ctx, WORK_LISTS[work], index=PaymentRow.unresolved_payments):
        if payment.created_at > now - RECONCILE_AFTER:
            return
        if payment.work == work and _is_overdue(payment, now):
            yield payment


def _is_overdue(payment: Payment, now: datetime) -> bool:
    if payment.work == "undecided":
        return True
    if payment.work != "authorized":
        return payment.changed_at <= now - RECONCILE_AFTER
    ends_at = payment.authorization_ends_at()
    return now >= ends_at or (payment.ending_told_at is None and now >= ends_at - ENDING_NOTICE)


def overdue_refunds(ctx: Context) -> Iterator[Refund]:
    """Refunds that the provider has not ended for longer than RECONCILE_AFTER, by their payments, oldest first."""
    before = ctx.now() - RECONCILE_AFTER
    for refund, _ in REFUNDS.walk(ctx, UNFINISHED_REFUNDS, index=PaymentRow.unresolved_payments):
        if refund.is_unfinished and refund.changed_at <= before:
            yield refund
