"""How far the platform trusts its operators: a bound on what they may owe (decision 0057).

Called by what puts money into wallets on an operator's word (cash, bonuses, vouchers), by what gives back what it has
earned, by the settlement, which turns what was unsettled into what is owed, and by withdrawals, which leave enough for
it. Nothing is committed here. Invariant: what is owed to an operator, less what is unsettled, never gets below its
limit by what people do, however many do it at once; only what cannot be refused is noted beyond.
"""

from __future__ import annotations

from pynamodb.expressions.condition import Condition

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.wallets.model.credit import credit_exhausted, kept_back, room_for_promises, room_of
from chalicelib.wallets.store import EXPOSURES, ExposureRow, exposure_key


def take_credit(uow: UnitOfWork, operator_id: str, amount: Money) -> None:
    """Counts what the operator owes from now on. Raises operator.credit_exhausted (409).

    What it is owed is as it was read when this is committed, and what is unsettled leaves room: a night that comes in
    between makes the caller decide again."""
    if operator_id == PLATFORM_ID or not amount.amount:
        return
    unsettled = _unsettled(uow.ctx, operator_id, amount.currency)
    payable = ledger.expect_unmoved(uow, payable_account(operator_id, amount.currency))
    room = room_of(_limit(uow.ctx, operator_id, amount.currency), payable)
    if unsettled + amount > room:
        raise credit_exhausted(room, unsettled)
    most_before = (room - amount).amount
    leaves_room = ExposureRow.unsettled <= most_before
    if most_before >= 0:
        leaves_room = ExposureRow.pk.does_not_exist() | leaves_room
    _count(uow, operator_id, amount, leaves_room)


def note_credit(uow: UnitOfWork, operator_id: str, amount: Money) -> None:
    """Counts what cannot be refused any more (a charger's word, a page that was paid after its end), or what is owed no
    more (below zero)."""
    if operator_id != PLATFORM_ID and amount.amount:
        _count(uow, operator_id, amount, None)


def check_credit(ctx: Context, operator_id: str, amount: Money) -> None:
    """Looks whether a promise of `amount` has a place, and reserves nothing. Raises operator.credit_exhausted (409)."""
    # In this order: what a night settles in between is counted twice rather than not at all.
    unsettled = _unsettled(ctx, operator_id, amount.currency)
    payable = ledger.balance(ctx, payable_account(operator_id, amount.currency))
    room = room_for_promises(_limit(ctx, operator_id, amount.currency), payable)
    if unsettled + amount > room:
        raise credit_exhausted(room, unsettled)


def keep_back(uow: UnitOfWork, organization_id: str, currency: str) -> Money:
    """What has to stay of what is owed to an organisation, on the condition that it is no more when this is
    committed."""
    kept = kept_back(_unsettled(uow.ctx, organization_id, currency))
    uow.check(
        EXPOSURES,
        exposure_key(organization_id, currency),
        ExposureRow.pk.does_not_exist() | (ExposureRow.unsettled <= kept.amount),
        StaleRead("The operator's credit"),
        name="credit",
    )
    return kept


def _unsettled(ctx: Context, operator_id: str, currency: str) -> Money:
    known = EXPOSURES.get(ctx, *exposure_key(operator_id, currency))
    return Money(0 if known is None else known.unsettled, currency)


def _limit(ctx: Context, operator_id: str, currency: str) -> Money:
    return identity.credit_limit_of(ctx, identity.find_organization(ctx, operator_id), currency)


def _count(uow: UnitOfWork, operator_id: str, amount: Money, condition: Condition | None) -> None:
    uow.update(
        EXPOSURES,
        exposure_key(operator_id, amount.currency),
        [
            ExposureRow.operator_id.set(operator_id),
            ExposureRow.currency.set(amount.currency),
            ExposureRow.unsettled.add(amount.amount),
        ],
        condition=condition,
        on_conflict=StaleRead("The operator's credit"),
        name="credit",
    )
