"""What disputes post to the ledger. Pure.

`disputes:<provider>` takes in what the provider has taken back, and what the wallet gives for it; a dispute that is
over leaves nothing there. Entries of a wallet carry the moment of their posting, by which its owner reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.kernel.ids import derived_id
from chalicelib.ledger.model import (
    Entry,
    EntryKind,
    Posting,
    clearing_account,
    disputes_account,
    fees_account,
    losses_account,
    wallet_account,
)
from chalicelib.payments.model.disputes import Dispute
from chalicelib.payments.providers.port import DisputeLine


def line_entries(dispute: Dispute, line: DisputeLine, now: datetime) -> list[Entry]:
    """The provider has taken the money (or gives it back), and what it charges for that. Named as its list of
    movements names them."""
    money, fee = line.amount, line.fee
    entries = []
    if money.amount:
        home = disputes_account(dispute.provider, money.currency)
        clearing = clearing_account(dispute.provider, money.currency)
        postings = [Posting(home, money.amount), Posting(clearing, -money.amount)]
        entries.append(_of_line(dispute, line, home, "dispute", money.currency, postings, now))
    if fee is not None and fee.amount:
        home = fees_account(dispute.provider, fee.currency)
        clearing = clearing_account(dispute.provider, fee.currency)
        postings = [Posting(home, -fee.amount), Posting(clearing, fee.amount)]
        entries.append(_of_line(dispute, line, home, "fee", fee.currency, postings, now))
    return entries


def _of_line(
    dispute: Dispute,
    line: DisputeLine,
    home: str,
    kind: EntryKind,
    currency: str,
    postings: list[Posting],
    now: datetime,
) -> Entry:
    return Entry(
        entry_id=derived_id("ent", dispute.noted_at, dispute.dispute_id, line.movement_ref, kind),
        home_account_id=home,
        kind=kind,
        currency=currency,
        postings=postings,
        occurred_at=now,
        source_id=dispute.dispute_ref,
    )


def wallet_of(dispute: Dispute) -> str:
    """Where the money of a disputed top-up went."""
    return wallet_account(dispute.payer_id, dispute.currency)


def withheld_entry(dispute: Dispute, amount: int, now: datetime) -> Entry:
    """Out of the wallet, while the bank decides; below zero: back into it."""
    return _of_wallet(dispute, amount, disputes_account(dispute.provider, dispute.currency), now)


def recovered_entry(dispute: Dispute, amount: int, now: datetime) -> Entry:
    """Out of the wallet, for a loss that is booked."""
    return _of_wallet(dispute, amount, losses_account(dispute.loser_id or "", dispute.currency), now)


def _of_wallet(dispute: Dispute, amount: int, other_account_id: str, now: datetime) -> Entry:
    wallet = wallet_of(dispute)
    return Entry(
        entry_id=derived_id("ent", now, dispute.dispute_id, str(dispute.revision)),
        home_account_id=wallet,
        kind="dispute",
        currency=dispute.currency,
        postings=[Posting(wallet, -amount), Posting(other_account_id, amount)],
        occurred_at=now,
        source_id=dispute.dispute_id,
    )


def loss_entry(
    dispute: Dispute, loss: int, others: Sequence[Posting], business_day: str | None, now: datetime
) -> Entry | None:
    """It is lost: `loss` is the loser's, `others` whatever else leaves or makes good for it (a bonus that goes back to
    whoever gave it, an operator's income). None where nothing is left to book."""
    home = disputes_account(dispute.provider, dispute.currency)
    postings = [posting for posting in others if posting.amount]
    if loss:
        postings.append(Posting(losses_account(dispute.loser_id or "", dispute.currency), -loss))
    rest = -sum(posting.amount for posting in postings)
    if rest:
        postings.append(Posting(home, rest))
    if not postings:
        return None
    return Entry(
        entry_id=derived_id("ent", now, dispute.dispute_id, str(dispute.revision), "loss"),
        home_account_id=home,
        kind="dispute",
        currency=dispute.currency,
        postings=postings,
        occurred_at=now,
        source_id=dispute.dispute_id,
        business_day=business_day,
    )
