"""Redeeming vouchers: the code on a card becomes money in a wallet, once.

Called by the driver's endpoint and by the one for the counter. Nothing is committed here but the count of tries.
Invariants: whoever is first has it, and gets the same answer again; who guesses is stopped; the seller of a voucher
never comes to owe more than the platform lets it (decision 0057).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.guessing import network_of
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import business_day
from chalicelib.wallets.model import voucher_codes
from chalicelib.wallets.model import vouchers as rules
from chalicelib.wallets.model.vouchers import Voucher, VoucherUse
from chalicelib.wallets.service.credit import take_credit
from chalicelib.wallets.service.funds import remember_currency
from chalicelib.wallets.service.telling import tell_topup
from chalicelib.wallets.service.vouchers import find_by_code
from chalicelib.wallets.store import TOPUP_RECORDS, VOUCHER_BATCHES, VOUCHER_USES, VoucherBatchRow


@dataclass(frozen=True)
class Presenter:
    """Who types a code: their tries are counted, and those from their address."""

    person_id: str
    source_ip: str | None = None

    @property
    def subject(self) -> str:
        return f"vouchers#{self.person_id}"

    @property
    def network(self) -> str:
        return f"vouchers_ip#{network_of(self.source_ip or 'unknown')}"


@dataclass(frozen=True)
class Redemption:
    """What a voucher put into a wallet, and when."""

    voucher_id: str
    owner_id: str
    amount: Money
    transaction_id: str
    redeemed_at: datetime


def redeem_voucher(
    uow: UnitOfWork, *, typed: str, driver_id: str, presenter: Presenter, only_of: str | None = None
) -> Redemption:
    """Puts the voucher with this code into the driver's wallet; one that is there already is answered again.
    `only_of`: others' vouchers are as unknown as no code at all.

    Raises auth.too_many_attempts (429), voucher.code_invalid (422); and to who has a right code voucher.not_active,
    voucher.blocked, voucher.expired, voucher.redeemed, voucher.void, voucher.not_covered (409).
    """
    code = voucher_codes.read_code(typed)
    if code is None:
        raise rules.code_invalid()  # anybody can tell that it is mistyped: no guess, and not counted
    voucher = _find(uow, code, presenter, only_of)
    known = _known(voucher, driver_id)
    if known is not None:
        return known
    refusal = rules.refusal_of(voucher.state_at(uow.ctx.now()))
    if refusal is not None:
        raise refusal
    return _redeem(uow, voucher, driver_id, presenter)


def _find(uow: UnitOfWork, code: str, presenter: Presenter, only_of: str | None) -> Voucher:
    """Counted before it is looked up, so that refused and parallel tries count; a right code starts anew."""
    ctx = uow.ctx
    identity.refuse_after(ctx, presenter.network, rules.MAX_WRONG_PER_IP)
    identity.count_attempt(ctx, presenter.subject, rules.MAX_TRIES, rules.TRIES_WINDOW)
    voucher = find_by_code(ctx, code)
    if voucher is None or only_of not in (None, voucher.batch.owner_id):
        identity.count_attempt(ctx, presenter.network, rules.MAX_WRONG_PER_IP, rules.TRIES_WINDOW)
        raise rules.code_invalid()
    identity.forget_attempts(uow, presenter.subject)
    return voucher


def _known(voucher: Voucher, driver_id: str) -> Redemption | None:
    use = voucher.use
    if use is None or use.kind != "redeemed" or use.driver_id != driver_id or use.entry_id is None:
        return None
    return _redemption(voucher, use.entry_id, use.used_at)


def _redeem(uow: UnitOfWork, voucher: Voucher, driver_id: str, presenter: Presenter) -> Redemption:
    """All in one commit: the use of the voucher, which there can be one of, decides who is first. The batch counts on
    the condition that it is not blocked in the same moment."""
    ctx, batch = uow.ctx, voucher.batch
    now = ctx.now()
    day = business_day(now, identity.get_organization(ctx, batch.owner_id).time_zone)
    entry = rules.voucher_entry(voucher, driver_id, business_day=day, now=now)
    use = VoucherUse(
        batch_id=batch.batch_id,
        number=voucher.number,
        kind="redeemed",
        used_at=now,
        used_by=presenter.person_id,
        driver_id=driver_id,
        entry_id=entry.entry_id,
    )
    uow.create(VOUCHER_USES, use, on_conflict=StaleRead("The voucher"))
    uow.update(
        VOUCHER_BATCHES,
        VOUCHER_BATCHES.key_of(batch),
        [VoucherBatchRow.redeemed.add(1)],
        condition=VoucherBatchRow.state == "active",
        on_conflict=StaleRead("The batch"),
        name="redeemed",
    )
    ledger.post(uow, entry)
    _take_credit(uow, voucher)
    entered_by = None if presenter.person_id == driver_id else presenter.person_id
    records = rules.voucher_records(voucher, entry, driver_id, entered_by, PLATFORM_ID)
    for record in records:
        uow.put(TOPUP_RECORDS, record)
    tell_topup(uow, records)
    remember_currency(uow, driver_id, entry.currency)
    if batch.owner_id != PLATFORM_ID:
        drivers.link_operator(uow, batch.owner_id, driver_id)  # who buys at its counter is its customer
    return _redemption(voucher, entry.entry_id, now)


def _take_credit(uow: UnitOfWork, voucher: Voucher) -> None:
    try:
        take_credit(uow, voucher.batch.owner_id, voucher.batch.face_value)
    except DomainError as error:
        if error.code != "operator.credit_exhausted":
            raise
        # The driver has paid, and cannot help it: who can shall read it.
        logger.warning("voucher not covered", extra={"code": error.code, "operator_id": voucher.batch.owner_id})
        raise rules.not_covered() from error


def _redemption(voucher: Voucher, entry_id: str, redeemed_at: datetime) -> Redemption:
    batch = voucher.batch
    return Redemption(voucher.voucher_id, batch.owner_id, batch.face_value, entry_id, redeemed_at)
