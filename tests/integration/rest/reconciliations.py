"""What payment providers say of the platform's money, for the walks: a day, a difference, and whom the operator's
withdrawals are paid to."""

from __future__ import annotations

from chalicelib.kernel.money import Money
from chalicelib.payments import service as payments
from chalicelib.payments.model import difference_id_of, hour_span, lines_of_movement
from chalicelib.payments.model.reconciling import Tally
from chalicelib.payments.providers.port import Movement
from tests.integration.money.memory_provider import MemoryProvider
from tests.site import Site

LONG_AGO = "2026-01-15"


def things_of_reconciliation(site: Site) -> dict[str, str]:
    commit = site.world.commit
    commit(lambda uow: payments.begin_reconciliation(uow, LONG_AGO, "stripe"))
    tally = Tally()
    at, _ = hour_span(LONG_AGO, 8)
    stray = Movement(
        movement_ref="txn_stray", kind="payment", amount=Money(7, "EUR"), fee=None, created_at=at, source_ref="py_stray"
    )
    for line in lines_of_movement(stray, None):
        tally.add(line)
    [item] = tally.unmatched()
    difference_id = difference_id_of("stripe", item.kind, item.item_id)
    commit(lambda uow: payments.keep_part(uow, "stripe", f"{LONG_AGO}T08", difference_id, item))
    account = commit(lambda uow: payments.begin_payout_account(uow, site.operator.organization))
    commit(lambda uow: payments.open_payout_account(uow, MemoryProvider(site.world.ctx.now), account))
    return {"day": LONG_AGO, "difference_id": difference_id}
