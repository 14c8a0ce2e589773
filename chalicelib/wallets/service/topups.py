"""Top-ups: begun, credited once, failed, and listed for drivers and for those who ran them.

Called by the wallets' own endpoints and consumers. Nothing is committed here. Invariants: a top-up is credited once,
with its bonus, whatever became of the package it was chosen by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.settings import check_topup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.spans import Span, id_span
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, business_day
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.wallets import model
from chalicelib.wallets.model import TOPUP_LIFECYCLE, TopUp, TopUpPackage, TopUpRecord
from chalicelib.wallets.service.credit import note_credit, take_credit
from chalicelib.wallets.service.funds import remember_currency
from chalicelib.wallets.service.telling import tell_topup
from chalicelib.wallets.store import TOPUP_RECORDS, TOPUPS, TopUpRecordRow, TopUpRow, records_pk, topup_pk

MAX_OPEN = 5
"""Pages of one driver that wait for their payer at once, with a bonus of one operator."""
MAX_LOOKED_AT = 50


def begin_topup(
    uow: UnitOfWork,
    *,
    topup_id: str,
    payment_id: str,
    driver_id: str,
    amount: Money,
    package: TopUpPackage | None = None,
    payer_email: str | None = None,
) -> tuple[TopUp, Payment]:
    """Makes a top-up and its payment, or finds the ones of these ids (a request that is tried again). `package`, of
    which `amount` is the price, is frozen into it, and its owner owes the bonus until the page has ended unpaid: many
    pages that are open at once are no more than it may owe.

    Raises wallet.amount_invalid, wallet.amount_out_of_bounds, currency.invalid, operator.credit_exhausted,
    topup.too_many_open.
    """
    known = find_topup(uow.ctx, topup_id)
    if known is not None:
        return known, payments.require_payment(uow.ctx, known.payment_id)
    pointer = "/amount/amount" if package is None else "/package_id"
    model.check_topup_amount(amount, pointer)
    check_topup(identity.payments_of(uow.ctx, PLATFORM_ID), amount, pointer)
    payment = payments.create_payment(
        uow,
        payment_id=payment_id,
        purpose="topup",
        purpose_id=topup_id,
        payer_id=driver_id,
        amount=amount,
        description="Wallet top-up",
        payer_email=payer_email,
        offered_by=None if package is None or package.owner_id == PLATFORM_ID else package.owner_id,
    )
    topup = TopUp(
        topup_id=topup_id,
        driver_id=driver_id,
        payment_id=payment_id,
        amount=amount,
        state=TOPUP_LIFECYCLE.initial,
        created_at=uow.ctx.now(),
    )
    if package is not None:
        topup = model.with_package(topup, package)
        _check_open(uow.ctx, topup)
        take_credit(uow, package.owner_id, Money(topup.bonus_amount, amount.currency))
    uow.create(TOPUPS, topup)
    remember_currency(uow, driver_id, amount.currency)
    return topup, payment


def credit_topup(uow: UnitOfWork, topup_id: str, *, provider: str) -> bool:
    """Puts the money of a paid top-up into the wallet, and its bonus; False when it was there already. The bonus is
    counted since the page began, unless that has ended unpaid before. Raises topup.not_found."""
    topup = require_topup(uow.ctx, topup_id)
    if topup.state == "credited":
        return False
    now = uow.ctx.now()
    credited = replace(topup, state=TOPUP_LIFECYCLE.next(topup.state, "paid"), credited_at=now, failure=None)
    save_topup(uow, topup, credited)
    day = day_of_bonus(uow.ctx, topup) if topup.bonus_amount else None
    entry = model.topup_entry(topup, provider=provider, business_day=day, now=now)
    ledger.post(uow, entry)
    if topup.state == "failed":
        _note_bonus(uow, topup, topup.bonus_amount)
    records = model.topup_records(topup, entry, PLATFORM_ID)
    for record in records:
        uow.put(TOPUP_RECORDS, record)
    tell_topup(uow, records)
    return True


def fail_topup(uow: UnitOfWork, topup_id: str, *, failure: str) -> None:
    """Nothing was paid, and the bonus is owed no more. A top-up that is credited stays so (events overtake each
    other)."""
    topup = require_topup(uow.ctx, topup_id)
    if TOPUP_LIFECYCLE.allows(topup.state, "failed"):
        save_topup(uow, topup, replace(topup, state=TOPUP_LIFECYCLE.next(topup.state, "failed"), failure=failure))
        if topup.state == "pending":
            _note_bonus(uow, topup, -topup.bonus_amount)


def _check_open(ctx: Context, topup: TopUp) -> None:
    """One driver does not hold all that an operator may owe with pages that are never paid. From an index: who is
    quick gets one or two more."""
    if not topup.bonus_amount or topup.package_owner_id in (None, PLATFORM_ID):
        return
    steps = TOPUPS.walk(ctx, topup.driver_id, index=TopUpRow.by_driver, newest_first=True, chunk=MAX_LOOKED_AT)
    newest = (known for known, _ in islice(steps, MAX_LOOKED_AT))
    waiting = (known for known in newest if known.state == "pending" and known.bonus_amount)
    if sum(known.package_owner_id == topup.package_owner_id for known in waiting) >= MAX_OPEN:
        raise conflict("topup.too_many_open", "Pay one of the pages that you have opened, or wait until they end.")


def _note_bonus(uow: UnitOfWork, topup: TopUp, amount: int) -> None:
    """Of what the owner of its package owes, where an operator offered it."""
    note_credit(uow, topup.package_owner_id or PLATFORM_ID, Money(amount, topup.amount.currency))


def find_topup(ctx: Context, topup_id: str) -> TopUp | None:
    return TOPUPS.get(ctx, topup_pk(topup_id), "topup")


def require_topup(ctx: Context, topup_id: str) -> TopUp:
    """Raises topup.not_found."""
    topup = find_topup(ctx, topup_id)
    if topup is None:
        raise not_found("topup", topup_id)
    return topup


def list_topups(
    ctx: Context, driver_id: str, *, keep: Callable[[TopUp], bool] | None = None, limit: int, cursor: str | None
) -> Page[TopUp]:
    """A driver's top-ups, newest first."""
    steps = TOPUPS.walk(ctx, driver_id, index=TopUpRow.by_driver, newest_first=True, cursor=cursor)
    return page_of(steps, limit, keep)


def find_topup_record(ctx: Context, organization_id: str, record_id: str) -> TopUpRecord | None:
    """A record as it is listed for an organisation."""
    return TOPUP_RECORDS.get(ctx, records_pk(organization_id), record_id)


def list_topup_records(
    ctx: Context,
    organization_id: str,
    *,
    span: Span = (None, None),
    keep: Callable[[TopUpRecord], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[TopUpRecord]:
    """Money that came into wallets, newest first: all of it for the platform, for an operator what its people entered
    and what came by its packages. `span`: when it came."""
    ids = id_span("tur", span)
    if ids is None:
        return Page([])
    steps = TOPUP_RECORDS.walk(
        ctx, records_pk(organization_id), TopUpRecordRow.sk.between(*ids), newest_first=True, cursor=cursor
    )
    # `between` takes both ends; the last one is the first id that is too late.
    return page_of(steps, limit, lambda record: record.record_id < ids[1] and (keep is None or keep(record)))


def entered_by(ctx: Context, organization_id: str, entries: Iterable[Entry]) -> dict[str, str]:
    """Who entered those of an organisation's entries that were made at its counter, by entry: in one round trip."""
    keys = {model.record_id_of(entry): entry.entry_id for entry in entries if entry.kind in ("manual_entry", "voucher")}
    found = TOPUP_RECORDS.batch_get(ctx, [(records_pk(organization_id), record_id) for record_id in keys])
    return {keys[record.record_id]: record.entered_by for record in found if record.entered_by is not None}


def day_of_bonus(ctx: Context, topup: TopUp) -> str:
    """The business day on which the owner of the package gives the bonus, or gets it back."""
    owner = identity.get_organization(ctx, topup.package_owner_id or PLATFORM_ID)
    return business_day(ctx.now(), owner.time_zone)


def save_topup(uow: UnitOfWork, before: TopUp, after: TopUp) -> None:
    """Writes the top-up if neither its state nor what went back of its bonus changed since it was read."""
    back = TopUpRow.bonus_back
    unchanged = back.does_not_exist() if before.bonus_back is None else back == before.bonus_back
    uow.put(TOPUPS, after, condition=(TopUpRow.state == before.state) & unchanged, on_conflict=StaleRead("The top-up"))
