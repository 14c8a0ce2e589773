"""Runs the nightly proof over the whole table and keeps its result. Called by `ledger/jobs.py`."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import Fault, Proof
from chalicelib.ledger.proof import AccountProof, prove_account, prove_accounts
from chalicelib.ledger.store import BALANCES, LINES, PROOFS

MAX_FAULTS = 100
SECOND_LOOKS = 5


def prove_ledger(ctx: Context) -> Proof:
    """Proves every account in one pass of bounded memory. A fault counts when a second, consistent look confirms it."""
    now = ctx.now()
    entries = balances = fault_count = 0
    faults: list[Fault] = []
    totals: Counter[str] = Counter()
    for account in prove_accounts(LINES.scan_all(ctx), now):
        entries += account.entries
        balances += account.balance is not None
        totals.update(account.totals)
        if account.faults:
            confirmed = _look_again(ctx, account.account_id, now).faults
            fault_count += len(confirmed)
            faults += confirmed[: MAX_FAULTS - len(faults)]
    return Proof(
        day=now.date().isoformat(),
        proved_at=now,
        entries=entries,
        balances=balances,
        fault_count=fault_count,
        faults=faults,
        totals=dict(sorted(totals.items())),
    )


def keep_proof(uow: UnitOfWork, proof: Proof) -> None:
    """Writes the day's proof; a second one of the same day replaces it."""
    uow.put(PROOFS, proof)


def tell_forgotten_holds(ctx: Context, proof: Proof) -> None:
    """One event each: whoever made the hold knows how to end what it was for. What is not heard is told tomorrow."""
    for fault in proof.faults:
        if fault.source_id is not None:
            uow = UnitOfWork(ctx)
            outbox.emit(uow, "hold.forgotten", fault.source_id)
            uow.commit()


def _look_again(ctx: Context, account_id: str, now: datetime) -> AccountProof:
    """A consistent look during which the balance did not change; the last look if somebody never stops posting."""
    for _ in range(SECOND_LOOKS):
        looked = prove_account(account_id, LINES.query_all(ctx, account_id, consistent=True), now)
        present = BALANCES.get(ctx, account_id, "balance")
        if not looked.faults or present is None or present.postings == looked.posting_count:
            return looked
    return looked
