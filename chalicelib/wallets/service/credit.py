"""How far the platform trusts its operators: a bound on what they may owe (decision 0057).

Called by what puts money into wallets on an operator's word (cash, bonuses), by what gives back what it has earned,
and by the settlement, which turns what was unsettled into what is owed. Nothing is committed here. Invariant: cash
beyond the limit is refused, however many clerks take it at once.
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
from chalicelib.wallets.model.credit import credit_exhausted, room_of
from chalicelib.wallets.store import EXPOSURES, ExposureRow, exposure_key


def take_credit(uow: UnitOfWork, operator_id: str, amount: Money) -> None:
    """Counts what the operator owes from now on. Raises operator.credit_exhausted (409)."""
    if operator_id == PLATFORM_ID:
        return
    room = check_credit(uow.ctx, operator_id, amount)
    unchanged = ExposureRow.pk.does_not_exist() | (ExposureRow.unsettled <= room.amount - amount.amount)
    _count(uow, operator_id, amount, unchanged)


def note_credit(uow: UnitOfWork, operator_id: str, amount: Money) -> None:
    """Counts what cannot be refused any more (a bonus that was promised), or what is owed no more (below zero)."""
    if operator_id != PLATFORM_ID and amount.amount:
        _count(uow, operator_id, amount, None)


def check_credit(ctx: Context, operator_id: str, amount: Money) -> Money:
    """The room that there is in all. Raises operator.credit_exhausted (409) where `amount` more has no place."""
    limit = identity.credit_limit_of(ctx, identity.find_organization(ctx, operator_id), amount.currency)
    room = room_of(limit, ledger.balance(ctx, payable_account(operator_id, amount.currency)))
    known = EXPOSURES.get(ctx, *exposure_key(operator_id, amount.currency))
    unsettled = 0 if known is None else known.unsettled
    if unsettled + amount.amount > room.amount:
        raise credit_exhausted(room, unsettled)
    return room


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
