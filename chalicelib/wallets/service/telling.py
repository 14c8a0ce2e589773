"""What others hear of money that came into a wallet, and its line in the driver's own list. Called by whoever writes
the records of it, in the same commit."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.kernel import outbox
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import model
from chalicelib.wallets.model import TopUpRecord
from chalicelib.wallets.store import TOPUPS


def tell_topup(uow: UnitOfWork, records: Sequence[TopUpRecord]) -> None:
    """The records of one top-up, in the lists of all whom it concerns. What was taken back out of a wallet is none."""
    if not records or records[0].amount.amount <= 0:
        return
    record = records[0]
    if record.source != "online":  # online ones are in the driver's list since they were begun
        uow.put(TOPUPS, model.topup_of_record(record))
    organization_ids = [each.listed_for for each in records]
    outbox.emit(uow, "topup.credited", record.record_id, {"organization_ids": organization_ids})
