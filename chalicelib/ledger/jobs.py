"""The nightly proof of the ledger."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint, Cron

from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving

jobs = Blueprint(__name__)


@jobs.schedule(Cron("10", "3", "*", "*", "?", "*"), name="prove-ledger")
@task.entry
def prove_ledger(ctx: Context, _event: dict[str, Any]) -> dict[str, Any]:
    """Proves the books and keeps the result under the day. Faults are an error in the log, on which an alarm stands."""
    proof = proving.prove_ledger(ctx)
    uow = UnitOfWork(ctx)
    proving.keep_proof(uow, proof)
    uow.commit()
    proving.tell_forgotten_holds(ctx, proof)
    for fault in proof.faults:
        logger.error("ledger fault", extra={"code": fault.code, "account_id": fault.account_id, "detail": fault.detail})
    return {
        "day": proof.day,
        "entries": proof.entries,
        "balances": proof.balances,
        "faults": proof.fault_count,
        "totals": proof.totals,
    }
