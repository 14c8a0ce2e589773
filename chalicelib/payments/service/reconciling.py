"""A UTC day of a provider's list against the books, hour by hour: every movement, every clearing posting.

Called by the nightly job, the consumer of `reconciliation.due`, and the endpoints. The provider is asked between two
commits. Invariants: an hour may be compared any number of times, each time its result replaces the one before; no more
is in memory than an hour brings; nothing that differs is forgotten before it agrees or a person has closed it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import dropwhile, islice

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid, not_found
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry
from chalicelib.payments import model
from chalicelib.payments.model import HourSums, Payment, Reconciliation, Tally
from chalicelib.payments.providers.port import Movement, PaymentProvider
from chalicelib.payments.service.listing import list_of_day
from chalicelib.payments.store import PAYMENTS, payment_pk
from chalicelib.payments.store.reconciliations import (
    RECONCILIATIONS,
    RECONCILIATIONS_PK,
    ReconciliationRow,
    reconciliation_sk,
)

MOST_DAYS = 7
"""That one run catches up with."""
_LATEST = 60
_PAYMENTS_AT_ONCE = 100


def find_reconciliation(ctx: Context, day: str, provider: str) -> Reconciliation | None:
    return RECONCILIATIONS.get(ctx, RECONCILIATIONS_PK, reconciliation_sk(day, provider))


def require_reconciliation(ctx: Context, day: str, provider: str) -> Reconciliation:
    found = find_reconciliation(ctx, day, provider)
    if found is None:
        raise not_found("reconciliation", day)
    return found


def list_reconciliations(ctx: Context, *, limit: int, cursor: str | None = None) -> Page[Reconciliation]:
    """Of all providers, newest day first."""
    return RECONCILIATIONS.query(ctx, RECONCILIATIONS_PK, newest_first=True, limit=limit, cursor=cursor)


def due_reconciliations(ctx: Context, provider: str) -> list[str]:
    """The days that are to be compared, oldest first: those that began and did not end, and those that are over. Before
    the first payment there is nothing to compare, and perhaps nobody to ask."""
    latest = [each for each in list_reconciliations(ctx, limit=_LATEST).data if each.provider == provider]
    running = {each.day for each in latest if each.state == "running"}
    newest = max((each.day for each in latest), default=None)
    over = model.due_days(newest, ctx.now(), MOST_DAYS)
    if newest is None:
        over = list(dropwhile(lambda day: not list_of_day(ctx, day, limit=1, cursor=None).data, over))
    return sorted(running | set(over))


def begin_reconciliation(
    uow: UnitOfWork, day: str, provider: str, *, requested_by: str | None = None
) -> Reconciliation:
    """Opens a day, or goes on with one that is open. A day that is done is compared again, if a person asks.

    Raises reconciliation.day_not_over (422).
    """
    if day >= uow.ctx.now().date().isoformat():
        raise invalid("reconciliation.day_not_over", "A day is compared when it is over, in UTC.", "/day")
    known = find_reconciliation(uow.ctx, day, provider)
    if known is not None and (known.state == "running" or requested_by is None):
        return known
    begun = _save(uow, known, Reconciliation(day, provider, "running", uow.ctx.now(), requested_by))
    if requested_by is not None:
        tell_due(uow, begun)
    return begun


def tell_due(uow: UnitOfWork, reconciliation: Reconciliation) -> None:
    facts = {"day": reconciliation.day, "provider": reconciliation.provider}
    outbox.emit(uow, "reconciliation.due", f"{reconciliation.provider}.{reconciliation.day}", facts)


def book_movement(uow: UnitOfWork, movement: Movement, provider: str) -> bool:
    """Our own money to our own bank, and what the provider charges for the account. False when it is there already."""
    entry = model.booked_entry(movement, provider)
    return entry is not None and ledger.post(uow, entry)


def compare_hour(ctx: Context, provider: PaymentProvider, day: str, hour: int) -> Tally:
    """Both sides of an hour. What the reconciliation itself books (`Tally.own`) counts as booked: the caller sees to it
    before the hour is kept."""
    tally = Tally()
    begin, end = model.hour_span(day, hour)
    booked: set[str] = set()
    movements = iter(provider.list_movements(begin, end))
    while chunk := list(islice(movements, _PAYMENTS_AT_ONCE)):
        payments = _payments_of(ctx, chunk)
        for movement in chunk:
            tally.movements += 1
            for line in model.lines_of_movement(movement, payments.get(movement.payment_id or "")):
                tally.add(line)
            entry = model.booked_entry(movement, provider.name)
            if entry is not None:
                booked.add(entry.entry_id)
                tally.own.append(movement)
                _add_entry(tally, entry, provider.name)
    for entry in ledger.cleared_between(ctx, provider.name, begin, end):
        if entry.entry_id not in booked:
            _add_entry(tally, entry, provider.name, _reversed_by(ctx, entry))
    return tally


def _add_entry(tally: Tally, entry: Entry, provider: str, about: Entry | None = None) -> None:
    tally.entries += 1
    for line in model.lines_of_entry(entry, provider, about):
        tally.add(line)


def _reversed_by(ctx: Context, entry: Entry) -> Entry | None:
    if not model.is_reversal_of_entry(entry):
        return None
    return ledger.find_entry(ctx, entry.home_account_id, entry.source_id)


def _payments_of(ctx: Context, movements: list[Movement]) -> dict[str, Payment]:
    ids = {movement.payment_id for movement in movements if movement.kind == "payment" and movement.payment_id}
    found = PAYMENTS.batch_get(ctx, [(payment_pk(payment_id), "payment") for payment_id in sorted(ids)])
    return {payment.payment_id: payment for payment in found}


def keep_hour(uow: UnitOfWork, day: str, provider: str, hour: int, tally: Tally, booked: int) -> Reconciliation:
    """Says that an hour is compared; its differences are kept before."""
    reconciliation = require_reconciliation(uow.ctx, day, provider)
    sums = HourSums(tally.movements, tally.entries, booked, tally.totals)
    hours = reconciliation.hours | {f"{hour:02d}": sums}
    return _save(uow, reconciliation, replace(reconciliation, hours=dict(sorted(hours.items()))))


def finish_reconciliation(
    uow: UnitOfWork, day: str, provider: str, *, opened: int, settling: int, healed: int
) -> Reconciliation:
    reconciliation = require_reconciliation(uow.ctx, day, provider)
    done = replace(
        reconciliation,
        state="done",
        finished_at=uow.ctx.now(),
        opened=opened,
        settling=settling,
        healed=healed,
    )
    return _save(uow, reconciliation, done)


def _save(uow: UnitOfWork, before: Reconciliation | None, after: Reconciliation) -> Reconciliation:
    """The job and the turns of the relay may be at one day at once: no hour is lost."""
    if before is None:
        uow.create(RECONCILIATIONS, after, on_conflict=StaleRead("The reconciliation"))
        return after
    saved = replace(after, revision=before.revision + 1)
    uow.put(
        RECONCILIATIONS,
        saved,
        condition=ReconciliationRow.revision == before.revision,
        on_conflict=StaleRead("The reconciliation"),
    )
    return saved
