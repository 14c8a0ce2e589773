"""The reconciliation of days: every night, and when somebody asks. Each hour is commits of its own.

What stops on the way is gone on with by the next run. Consumer and job do the same and may do it at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chalice import Blueprint, Cron

from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.payments import service
from chalicelib.payments.model import Item, Reconciliation, difference_id_of
from chalicelib.payments.providers import PROVIDERS, payment_provider
from chalicelib.payments.providers.port import PaymentProvider

MAX_HEALED = 500
"""Per day: each is a call to the provider."""

ProviderOf = Callable[[str], PaymentProvider]

jobs = Blueprint(__name__)


@jobs.schedule(Cron("50", "*", "*", "*", "?", "*"), name="reconcile-days")
@task.entry
def reconcile_days(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Compares the UTC days that are over with the providers' lists. Nightly; every hour it looks whether one is left,
    so that a provider's outage does not cost a day."""
    return reconcile_due(ctx, partial(payment_provider, ctx))


def on_reconciliation_due(ctx: Context, event: Event) -> None:
    """Compares an hour of the day, and tells that the next one is due."""
    provider = payment_provider(ctx, event.payload["provider"])
    take_turn(ctx, provider, event.payload["day"])


def reconcile_due(ctx: Context, provider_of: ProviderOf) -> dict[str, int]:
    """As the job, with providers of the caller's. One provider's trouble does not hold up the others."""
    counts = {"days": 0, "opened": 0, "settling": 0, "healed": 0}
    failed: list[str] = []
    for name in PROVIDERS:
        for day in service.due_reconciliations(ctx, name):
            try:
                done = reconcile_day(ctx, provider_of(name), day)
            except DomainError as error:
                failed.append(f"{name} {day}: {error.code}")
                break
            counts["days"] += 1
            counts["opened"] += done.opened
            counts["settling"] += done.settling
            counts["healed"] += done.healed
    if failed:
        raise RuntimeError(f"days not reconciled: {', '.join(failed)}")
    return counts


def reconcile_day(ctx: Context, provider: PaymentProvider, day: str) -> Reconciliation:
    """All of a day that is not compared yet, to its end."""
    begun = decide_and_commit(ctx, lambda uow: service.begin_reconciliation(uow, day, provider.name))
    for hour in begun.missing_hours():
        compare_hour(ctx, provider, day, hour)
    return finish(ctx, provider, day)


def take_turn(ctx: Context, provider: PaymentProvider, day: str) -> None:
    """One hour, so that it fits the relay."""
    reconciliation = service.require_reconciliation(ctx, day, provider.name)
    if reconciliation.state != "running":
        return
    missing = reconciliation.missing_hours()
    if not missing:
        finish(ctx, provider, day)
        return
    kept = compare_hour(ctx, provider, day, missing[0])
    decide_and_commit(ctx, lambda uow: service.tell_due(uow, kept))


def compare_hour(ctx: Context, provider: PaymentProvider, day: str, hour: int) -> Reconciliation:
    """Compares, books what nobody else books, keeps what differs; says last that the hour is done."""
    tally = service.compare_hour(ctx, provider, day, hour)
    booked = 0
    for movement in tally.own:
        booked += decide_and_commit(ctx, partial(service.book_movement, movement=movement, provider=provider.name))
    name = f"{day}T{hour:02d}"
    unmatched: dict[str, Item | None] = {
        difference_id_of(provider.name, item.kind, item.item_id): item for item in tally.unmatched()
    }
    for known in list(service.differences_of_hour(ctx, provider.name, name)):
        unmatched.setdefault(known, None)
    for difference_id, item in unmatched.items():
        keep = partial(service.keep_part, provider=provider.name, hour=name, difference_id=difference_id, item=item)
        decide_and_commit(ctx, keep)
    return decide_and_commit(ctx, lambda uow: service.keep_hour(uow, day, provider.name, hour, tally, booked))


def finish(ctx: Context, provider: PaymentProvider, day: str) -> Reconciliation:
    """What does not match after all hours is made good where that is possible, then told."""
    counts = {"opened": 0, "settling": 0, "open": 0, "closed": 0}
    healed = 0
    for number, difference_id in enumerate(list(service.unclosed_differences(ctx, provider.name))):
        if number < MAX_HEALED:
            healed += _heal(ctx, provider, difference_id, day)
        counts[decide_and_commit(ctx, partial(service.judge, difference_id=difference_id, day=day))] += 1
    return decide_and_commit(
        ctx,
        lambda uow: service.finish_reconciliation(
            uow, day, provider.name, opened=counts["opened"], settling=counts["settling"], healed=healed
        ),
    )


def _heal(ctx: Context, provider: PaymentProvider, difference_id: str, day: str) -> bool:
    """The provider's silence about one thing leaves it different."""
    try:
        return decide_and_commit(ctx, partial(service.heal, provider=provider, difference_id=difference_id, day=day))
    except DomainError as error:
        logger.warning("difference not healed", extra={"difference_id": difference_id, "code": error.code})
        return False
