"""The reconciliation: what a provider's notification should have told us, and did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from chalice import Blueprint, Rate

from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.payments import service
from chalicelib.payments.providers import payment_provider
from chalicelib.payments.providers.port import PaymentProvider

MAX_PAYMENTS = 500
"""Per run: each is a call to the provider, and a Lambda has 15 minutes."""

jobs = Blueprint(__name__)


@jobs.schedule(Rate(10, Rate.MINUTES), name="reconcile-payments")
@task.entry
def reconcile_payments(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Looks up each payment that is undecided for 10 minutes at its provider. Counts by the state they are in now."""
    return reconcile(ctx, lambda name: payment_provider(ctx, name))


def reconcile(ctx: Context, provider_of: Callable[[str], PaymentProvider]) -> dict[str, int]:
    """The same with providers of the caller's. One payment's trouble does not hold up the others."""
    counts: Counter[str] = Counter()
    for overdue in islice(service.overdue_payments(ctx), MAX_PAYMENTS):
        resolve = partial(
            service.resolve_payment, provider=provider_of(overdue.provider), payment_id=overdue.payment_id
        )
        try:
            payment = decide_and_commit(ctx, resolve)
        except DomainError as error:
            logger.warning("payment not reconciled", extra={"payment_id": overdue.payment_id, "code": error.code})
            counts["unanswered"] += 1
        else:
            counts[payment.state] += 1
    return dict(counts)
