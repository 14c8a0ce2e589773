"""Use cases of withdrawals: ask, approve or reject, pay. Money moves in the same commit as the state, never beside it.

However many ask at once, the ledger gives no more than what is owed (an entry of kind `withdrawal` is refused below
zero), less what an operator owes that no run has settled yet (decision 0057). Whoever changes a withdrawal names the
revision that was read, so of two who decide at once one decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, invalid
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money, check_currency
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import business_day
from chalicelib.notifications import service as notifications
from chalicelib.payments import service as payments
from chalicelib.settlement.model import (
    BANK,
    WITHDRAWAL_LIFECYCLE,
    OpenWithdrawal,
    Withdrawal,
    WithdrawalEntry,
    WithdrawalMethod,
    WithdrawalState,
    check_four_eyes,
    payout_entry,
    returned_entry,
    withdrawal_entry,
)
from chalicelib.settlement.service.covering import check_covered
from chalicelib.settlement.service.numbering import next_number
from chalicelib.settlement.store.common import of_organization, organization_pk
from chalicelib.settlement.store.withdrawals import (
    OPEN_WITHDRAWALS,
    OPEN_WITHDRAWALS_PK,
    WITHDRAWAL_ENTRIES,
    WITHDRAWALS,
    OpenWithdrawalRow,
    WithdrawalEntryRow,
    WithdrawalRow,
    withdrawal_pk,
)
from chalicelib.wallets import service as wallets

# -- reading ------------------------------------------------------------------------------------------------------


def find_withdrawal(ctx: Context, withdrawal_id: str) -> Withdrawal | None:
    return WITHDRAWALS.get(ctx, withdrawal_pk(withdrawal_id), "withdrawal")


def list_withdrawals(
    ctx: Context, organization_id: str, *, state: WithdrawalState | None, limit: int, cursor: str | None
) -> Page[Withdrawal]:
    """An organisation's withdrawals, newest first."""
    entries = WITHDRAWAL_ENTRIES.walk(
        ctx,
        organization_pk(organization_id),
        WithdrawalEntryRow.sk.startswith("withdrawal#"),
        newest_first=True,
        cursor=cursor,
    )
    found = follow(ctx, entries, WITHDRAWALS, lambda entry: (withdrawal_pk(entry.withdrawal_id), "withdrawal"))
    return page_of(found, limit, lambda withdrawal: state in (None, withdrawal.state))


def list_open_withdrawals(
    ctx: Context, *, state: WithdrawalState | None, limit: int, cursor: str | None
) -> Page[Withdrawal]:
    """What waits for approval or payment, of all organisations."""
    entries = OPEN_WITHDRAWALS.walk(ctx, OPEN_WITHDRAWALS_PK, cursor=cursor)
    found = follow(ctx, entries, WITHDRAWALS, lambda entry: (withdrawal_pk(entry.withdrawal_id), "withdrawal"))
    return page_of(found, limit, lambda withdrawal: state in (None, withdrawal.state))


def open_withdrawals_of(ctx: Context, organization_id: str) -> Iterator[Withdrawal]:
    """What an organisation has asked for and has not got yet."""
    own = OpenWithdrawalRow.sk.startswith(of_organization(organization_id, ""))
    entries = OPEN_WITHDRAWALS.query_all(ctx, OPEN_WITHDRAWALS_PK, own, consistent=True)
    keys = [(withdrawal_pk(entry.withdrawal_id), "withdrawal") for entry in entries]
    return iter(WITHDRAWALS.batch_get(ctx, keys))


def open_withdrawals_between(ctx: Context, first_id: str, last_id: str) -> Iterator[Withdrawal]:
    """The same of the organisations from one id to another, both included."""
    within = OpenWithdrawalRow.sk.between(of_organization(first_id, ""), of_organization(last_id, "~"))
    entries = OPEN_WITHDRAWALS.query_all(ctx, OPEN_WITHDRAWALS_PK, within, consistent=True)
    keys = [(withdrawal_pk(entry.withdrawal_id), "withdrawal") for entry in entries]
    return iter(WITHDRAWALS.batch_get(ctx, keys))


# -- asking -------------------------------------------------------------------------------------------------------


def request_withdrawal(
    uow: UnitOfWork,
    organization: Organization,
    *,
    amount: Money,
    method: WithdrawalMethod,
    requested_at: datetime,
    requested_by: str,
    login_id: str,
    key: str,
) -> Withdrawal:
    """Takes `amount` out of what the organisation is owed, to be paid to its bank account, or through its account at
    the payment provider. `requested_at` and `key` are those of the request, so that its repeat is the same withdrawal.

    Raises withdrawal.amount, currency.invalid (422), withdrawal.no_bank_account, payout.no_payee,
    payout.payee_not_ready, ledger.insufficient_funds (409).
    """
    check_currency(amount.currency, "/amount/currency")
    if amount.amount <= 0:
        raise invalid("withdrawal.amount", "A withdrawal is of more than nothing.", "/amount/amount")
    if method == "provider":
        payments.check_payee(uow.ctx, organization.organization_id)
    elif organization.bank_account is None:
        detail = "There is no bank account on file: PATCH /v1/organizations/{organization_id} with bank_account."
        raise conflict("withdrawal.no_bank_account", detail, "/bank_account")
    organization_id = organization.organization_id
    withdrawal = Withdrawal(
        withdrawal_id=derived_id("wdr", requested_at, organization_id, key),
        organization_id=organization_id,
        number="",
        state=WITHDRAWAL_LIFECYCLE.initial,
        amount=amount,
        method=method,
        requested_at=requested_at,
        requested_by=requested_by,
        requested_login=login_id,
        bank_account=organization.bank_account if method == "bank" else None,
    )
    known = find_withdrawal(uow.ctx, withdrawal.withdrawal_id)
    if known is not None:
        return known
    _reserve(uow, withdrawal)
    asked_on = business_day(uow.ctx.now(), organization.time_zone)
    withdrawal = replace(withdrawal, number=next_number(uow, organization, "withdrawal", asked_on))
    uow.create(WITHDRAWALS, withdrawal)
    uow.create(WITHDRAWAL_ENTRIES, WithdrawalEntry(organization_id, withdrawal.withdrawal_id))
    uow.create(OPEN_WITHDRAWALS, OpenWithdrawal(organization_id, withdrawal.withdrawal_id))
    return withdrawal


def _reserve(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    """Who asks for too much reads how much there is: it is what they are owed, and theirs to know."""
    entry = withdrawal_entry(withdrawal)
    kept = wallets.keep_back(uow, withdrawal.organization_id, withdrawal.amount.currency)
    try:
        ledger.post(uow, entry, keep=kept.amount)
    except DomainError as error:
        if error.code != "ledger.insufficient_funds":
            raise
        most = max(ledger.balance(uow.ctx, entry.home_account_id) - kept, Money.zero(withdrawal.amount.currency))
        owing = f"; {kept} is kept for what is not settled yet" if kept.amount else ""
        raise conflict(error.code, f"At most {most} can be withdrawn{owing}.", "/amount/amount") from None


# -- deciding -----------------------------------------------------------------------------------------------------


def approve_withdrawal(uow: UnitOfWork, withdrawal: Withdrawal, *, decided_by: str, login_id: str) -> Withdrawal:
    """One that a provider pays is on its way with this.

    Raises withdrawal.own (who asked does not approve), withdrawal.owing, withdrawal.not_covered (the money is not
    there), withdrawal.illegal_transition, payout.no_payee, payout.payee_not_ready (409).
    """
    state = WITHDRAWAL_LIFECYCLE.next(withdrawal.state, "approved")
    check_four_eyes(withdrawal, login_id)
    check_covered(uow.ctx, withdrawal)
    if withdrawal.method == "provider":
        state = WITHDRAWAL_LIFECYCLE.next(state, "payout_begun")
        payments.request_payout(
            uow,
            payout_id=withdrawal.withdrawal_id,
            organization_id=withdrawal.organization_id,
            amount=withdrawal.amount,
            description=f"Withdrawal {withdrawal.number}",
        )
    return _save(uow, replace(withdrawal, state=state, decided_at=uow.ctx.now(), decided_by=decided_by))


def reject_withdrawal(uow: UnitOfWork, withdrawal: Withdrawal, *, reason: str, decided_by: str) -> Withdrawal:
    """What was asked for is owed again. Raises withdrawal.illegal_transition (409)."""
    state = WITHDRAWAL_LIFECYCLE.next(withdrawal.state, "rejected")
    rejected = replace(withdrawal, state=state, reason=reason, decided_at=uow.ctx.now(), decided_by=decided_by)
    saved = _save(uow, rejected)
    _give_back(uow, withdrawal)
    _tell(uow, rejected, "withdrawal_rejected")
    return saved


def mark_paid(uow: UnitOfWork, withdrawal: Withdrawal, *, reference: str, paid_at: datetime) -> Withdrawal:
    """The bank has paid: `reference` as it stands on the statement of account.

    Raises withdrawal.illegal_transition (409), withdrawal.paid_in_future (422).
    """
    state = WITHDRAWAL_LIFECYCLE.next(withdrawal.state, "marked_paid")
    if paid_at > uow.ctx.now():
        raise invalid("withdrawal.paid_in_future", "This is still to come.", "/paid_at")
    ledger.post(uow, payout_entry(withdrawal, BANK, uow.ctx.now()))
    paid = replace(withdrawal, state=state, reference=reference, paid_at=paid_at)
    _tell_paid(uow, paid)
    return _save(uow, paid)


# -- what a provider tells ----------------------------------------------------------------------------------------


def payout_paid(uow: UnitOfWork, withdrawal_id: str, *, provider: str, reference: str | None) -> bool:
    """A provider has paid it out. False where that is known already, or nobody waits for it."""
    withdrawal = find_withdrawal(uow.ctx, withdrawal_id)
    if withdrawal is None or not WITHDRAWAL_LIFECYCLE.allows(withdrawal.state, "payout_paid"):
        return False
    now = uow.ctx.now()
    ledger.post(uow, payout_entry(withdrawal, provider, now))
    paid = replace(withdrawal, state="paid", reference=reference, paid_at=now)
    _tell_paid(uow, paid)
    _save(uow, paid)
    return True


def payout_failed(uow: UnitOfWork, withdrawal_id: str, *, provider: str, reason: str) -> bool:
    """A provider could not pay it, or got it back: it is owed again. False where that is known already, and for what a
    bank paid."""
    withdrawal = find_withdrawal(uow.ctx, withdrawal_id)
    if withdrawal is None or withdrawal.method != "provider":
        return False
    if not WITHDRAWAL_LIFECYCLE.allows(withdrawal.state, "payout_failed"):
        return False
    failed = replace(withdrawal, state="failed", reason=reason)
    _save(uow, failed)
    if withdrawal.state == "paid":
        ledger.post(uow, returned_entry(withdrawal, provider, uow.ctx.now()))
    else:
        _give_back(uow, withdrawal)
    _tell(uow, failed, "withdrawal_rejected")
    return True


def _give_back(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    """Somebody who was faster is no mistake of the ledger's: who comes second finds the withdrawal decided."""
    asked = withdrawal_entry(withdrawal)
    entry = ledger.require_entry(uow.ctx, asked.home_account_id, asked.entry_id)
    if entry.reversed_by is not None:
        raise StaleRead("The withdrawal")
    ledger.reverse(uow, entry)


def _tell_paid(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    _tell(uow, withdrawal, "withdrawal_paid")
    outbox.emit(uow, "withdrawal.paid", withdrawal.withdrawal_id)


def _tell(uow: UnitOfWork, withdrawal: Withdrawal, template: str) -> None:
    organization = identity.get_organization(uow.ctx, withdrawal.organization_id)
    if organization.email:
        notifications.queue_mail(
            uow,
            dedupe_key=f"{template}:{withdrawal.withdrawal_id}:{withdrawal.state}",
            to=organization.email,
            template=template,
            language=organization.language,
            data={
                "number": withdrawal.number,
                "amount": str(withdrawal.amount),
                "bank_account": (
                    withdrawal.bank_account.masked_number
                    if withdrawal.bank_account
                    else "on file with the payment provider"
                ),
                "reference": withdrawal.reference or "",
                "reason": withdrawal.reason or "",
            },
        )


def _save(uow: UnitOfWork, after: Withdrawal) -> Withdrawal:
    """Writes the withdrawal if nobody changed it since it was read; what is over leaves the list of what waits."""
    saved = replace(after, revision=after.revision + 1)
    uow.put(
        WITHDRAWALS,
        saved,
        condition=WithdrawalRow.revision == after.revision,
        on_conflict=StaleRead("The withdrawal"),
    )
    if not saved.is_open:
        entry = OpenWithdrawal(saved.organization_id, saved.withdrawal_id)
        uow.delete(OPEN_WITHDRAWALS, OPEN_WITHDRAWALS.key_of(entry))
    return saved
