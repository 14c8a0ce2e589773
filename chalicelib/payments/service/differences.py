"""Differences between a provider's list and the books: kept, made good where asking again does it, told, closed.

Called by the reconciliation's jobs and by the endpoints. Invariants: one row per item; who becomes open is told in the
same commit (`payment.fault_found`), once; what agrees again closes itself, and was never there if nobody was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import clearing_account
from chalicelib.payments import model
from chalicelib.payments.model import (
    RECONCILE_AFTER,
    DayDifference,
    Difference,
    DifferenceState,
    Facts,
    Item,
    OpenDifference,
    Payment,
)
from chalicelib.payments.providers.port import PaymentProvider
from chalicelib.payments.service.disputing import find_dispute, take_dispute
from chalicelib.payments.service.listing import find_payment, find_refund
from chalicelib.payments.service.paying import asked, resolve_payment
from chalicelib.payments.service.paying_out import find_payout, resolve_payout, tell_payout
from chalicelib.payments.service.refunding import resolve_refund, take_refund_outcome
from chalicelib.payments.service.saving import save, tell_fault
from chalicelib.payments.store.reconciliations import (
    DAY_DIFFERENCES,
    DIFFERENCES,
    OPEN_DIFFERENCES,
    OPEN_DIFFERENCES_PK,
    DayDifferenceRow,
    DifferenceRow,
    OpenDifferenceRow,
    day_pk,
    difference_pk,
    hour_sk,
)


def find_difference(ctx: Context, difference_id: str) -> Difference | None:
    return DIFFERENCES.get(ctx, difference_pk(difference_id), "difference")


def require_difference(ctx: Context, difference_id: str) -> Difference:
    """Raises difference.not_found."""
    difference = find_difference(ctx, difference_id)
    if difference is None:
        raise not_found("difference", difference_id)
    return difference


def differences_of_hour(ctx: Context, provider: str, hour: str) -> Iterator[str]:
    """The ids of those that have a part in an hour (YYYY-MM-DDThh)."""
    own = DayDifferenceRow.sk.startswith(hour_sk(hour))
    for entry in DAY_DIFFERENCES.query_all(ctx, day_pk(provider, hour[:10]), own, consistent=True):
        yield entry.difference_id


def unclosed_differences(ctx: Context, provider: str) -> Iterator[str]:
    """The ids of those that are open or settle."""
    own = OpenDifferenceRow.sk.startswith(f"{provider}#")
    for entry in OPEN_DIFFERENCES.query_all(ctx, OPEN_DIFFERENCES_PK, own, consistent=True):
        yield entry.difference_id


def list_differences_of_day(
    ctx: Context, provider: str, day: str, *, limit: int, cursor: str | None = None
) -> Page[Difference]:
    """What did not match on a day, whatever became of it."""
    entries = DAY_DIFFERENCES.walk(ctx, day_pk(provider, day), cursor=cursor)
    found = follow(ctx, entries, DIFFERENCES, lambda entry: (difference_pk(entry.difference_id), "difference"))
    return page_of(found, limit)


def list_unclosed_differences(ctx: Context, *, limit: int, cursor: str | None = None) -> Page[Difference]:
    entries = OPEN_DIFFERENCES.walk(ctx, OPEN_DIFFERENCES_PK, cursor=cursor)
    found = follow(ctx, entries, DIFFERENCES, lambda entry: (difference_pk(entry.difference_id), "difference"))
    return page_of(found, limit)


def keep_part(uow: UnitOfWork, provider: str, hour: str, difference_id: str, item: Item | None) -> Difference | None:
    """Keeps what of an item does not match in an hour (YYYY-MM-DDThh); None: it matches now."""
    now = uow.ctx.now()
    known = find_difference(uow.ctx, difference_id)
    if known is not None:
        return _save(uow, known, model.with_part(known, hour, item, now))
    if item is None:
        return None
    made = model.new_difference(provider, hour, item, now)
    uow.create(DIFFERENCES, made, on_conflict=StaleRead("The difference"))
    uow.put(OPEN_DIFFERENCES, OpenDifference(provider, difference_id))
    uow.put(DAY_DIFFERENCES, DayDifference(provider, hour, difference_id))
    return made


def heal(uow: UnitOfWork, provider: PaymentProvider, difference_id: str, day: str) -> bool:
    """Asks the provider how the thing stands, as if it had just told us; True when that changed something of ours,
    which the books then show. What is decided here and was not heard is told again, once. What has time until the next
    day is left alone.

    Raises difference.not_found, ProviderUnavailable, ProviderRefused.
    """
    difference = require_difference(uow.ctx, difference_id)
    facts = facts_of(uow.ctx, difference)
    if difference.is_closed or model.is_expected(difference, day, facts, uow.ctx.now()):
        return False
    is_told = difference.healed_at is not None
    if not (_ask_again(uow, provider, difference, facts) or (not is_told and _tell_again(uow, difference, facts))):
        return False
    _save(uow, difference, replace(difference, healed_at=uow.ctx.now()))
    return True


def _ask_again(uow: UnitOfWork, provider: PaymentProvider, difference: Difference, facts: Facts) -> bool:
    if model.is_of_dispute(difference):
        return _ask_dispute(uow, provider, difference, facts)
    if difference.kind in ("payment", "fee") and facts.payment is not None:
        before = facts.payment
        if before.work is not None:
            return resolve_payment(uow, provider, before.payment_id) != before
        if before.provider_ref is not None:
            return save(uow, before, asked(uow, provider, before)) != before
    if difference.kind == "refund" and facts.refund is not None:
        refund = facts.refund
        if refund.is_unfinished:
            return resolve_refund(uow, provider, refund.payment_id, refund.refund_id) != refund
        if refund.refund_ref is not None:
            return take_refund_outcome(uow, refund, provider.find_refund(refund.refund_ref)) != refund
    if difference.kind == "payout" and facts.payout is not None:
        return resolve_payout(uow, provider, facts.payout.payout_id) != facts.payout
    return False


def _ask_dispute(uow: UnitOfWork, provider: PaymentProvider, difference: Difference, facts: Facts) -> bool:
    """Also of one that we have never heard of."""
    if facts.payment is None:
        return False
    taken = take_dispute(uow, provider, facts.payment, difference.item_id)
    return facts.dispute is None or taken.booked != facts.dispute.booked


def _tell_again(uow: UnitOfWork, difference: Difference, facts: Facts) -> bool:
    """The provider has moved it, and we know for a while; who books it has not heard."""
    is_fresh = facts.changed_at is not None and facts.changed_at > uow.ctx.now() - RECONCILE_AFTER
    if is_fresh or any(sums.ours for sums in difference.sums.values()):
        return False
    payment, payout = facts.payment, facts.payout
    if difference.kind == "payment" and payment is not None and payment.state == "succeeded":
        told = {"payment_id": payment.payment_id, "purpose": payment.purpose, "purpose_id": payment.purpose_id}
        outbox.emit(uow, "payment.succeeded", payment.payment_id, told)
        return True
    if difference.kind == "payout" and payout is not None and payout.state in ("paid", "failed"):
        tell_payout(uow, payout)
        return True
    return False


def judge(uow: UnitOfWork, difference_id: str, day: str) -> DifferenceState | Literal["opened"]:
    """What a difference is at the end of a day's reconciliation; `opened`: it became so now, and somebody is told."""
    before = find_difference(uow.ctx, difference_id)
    if before is None or before.is_closed:
        return "closed"
    after = _save(uow, before, model.judged(before, day, facts_of(uow.ctx, before), uow.ctx.now()))
    if after.state != "open" or before.state == "open":
        return after.state
    account_id = clearing_account(after.provider, next(iter(after.remaining)))
    tell_fault(uow, after.item_id, f"reconciliation_{after.code}", account_id, after.detail)
    return "opened"


def close_difference(uow: UnitOfWork, difference_id: str, *, by: str, note: str) -> Difference:
    """A person has seen to it. Raises difference.not_found, difference.closed (409)."""
    before = require_difference(uow.ctx, difference_id)
    return _save(uow, before, model.closed_by_person(before, by, note, uow.ctx.now()))


def facts_of(ctx: Context, difference: Difference) -> Facts:
    """Our own rows about it, as far as the provider or the books name them."""
    item_id = difference.item_id
    if model.is_of_dispute(difference):
        dispute = find_dispute(ctx, model.dispute_id_of(difference.provider, item_id))
        return Facts(payment=_payment_of(ctx, difference), dispute=dispute)
    if difference.kind in ("payment", "fee"):
        return Facts(payment=_payment_of(ctx, difference))
    if difference.kind == "refund" and difference.payment_id is not None:
        return Facts(refund=find_refund(ctx, difference.payment_id, item_id))
    if difference.kind == "payout":
        return Facts(payout=find_payout(ctx, item_id))
    return Facts()


def _payment_of(ctx: Context, difference: Difference) -> Payment | None:
    payment = find_payment(ctx, difference.payment_id or difference.item_id)
    return payment if payment is not None and payment.provider == difference.provider else None


def _save(uow: UnitOfWork, before: Difference, after: Difference) -> Difference:
    """Writes the difference, and its place in the lists of days and of what is open."""
    if after is before:
        return before
    unmoved = DifferenceRow.revision == before.revision
    gone = StaleRead("The difference")
    is_forgotten = _may_forget(before, after)
    for hour in sorted({*before.parts, *after.parts}):
        entry = DayDifference(after.provider, hour, after.difference_id)
        if is_forgotten or hour not in after.parts:
            uow.delete(DAY_DIFFERENCES, DAY_DIFFERENCES.key_of(entry))
        elif hour not in before.parts:
            uow.put(DAY_DIFFERENCES, entry)
    open_entry = OpenDifference(after.provider, after.difference_id)
    if after.is_closed and not before.is_closed:
        uow.delete(OPEN_DIFFERENCES, OPEN_DIFFERENCES.key_of(open_entry))
    elif before.is_closed and not after.is_closed:
        uow.put(OPEN_DIFFERENCES, open_entry)
    if is_forgotten:
        uow.delete(DIFFERENCES, DIFFERENCES.key_of(after), condition=unmoved, on_conflict=gone)
        return after
    saved = replace(after, revision=before.revision + 1)
    uow.put(DIFFERENCES, saved, condition=unmoved, on_conflict=gone)
    return saved


def _may_forget(before: Difference, after: Difference) -> bool:
    """Nobody was told, and comparing its day again would find both sides."""
    days = {hour[:10] for hour in (*before.parts, *after.parts)}
    return after.is_closed and after.opened_at is None and len(days) == 1
