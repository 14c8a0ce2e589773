"""Whether a driver may leave now: nobody leaves a charge, a reservation or money behind."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.charging import lookup
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import service as wallets

LOOKED_AT = 50
"""The newest of each kind: what is older than a day is over by itself."""
HOLDS_SINCE = timedelta(days=3)
"""Longer than any charge keeps its hold."""


def check_may_leave(uow: UnitOfWork, driver_id: str) -> None:
    """Raises driver.charging, driver.reserved, driver.topping_up, driver.wallet_not_empty (409).

    Lists of sessions lag behind; a charge of the last second is known by what it holds. One that begins, or money that
    comes, between this look and the commit makes the latter fail (StaleRead): nothing would ever be given back.
    """
    ctx = uow.ctx
    sessions = lookup.list_sessions(ctx, driver_id=driver_id, limit=LOOKED_AT, cursor=None)
    if any(session.is_open for session in sessions.data) or wallets.has_open_hold(
        ctx, driver_id, ctx.now() - HOLDS_SINCE
    ):
        raise conflict("driver.charging", "A charge is running or asked for; stop it first.")
    reservations = lookup.list_reservations(ctx, driver_id=driver_id, limit=LOOKED_AT, cursor=None)
    if any(reservation.keeps_others_out(ctx.now()) for reservation in reservations.data):
        raise conflict("driver.reserved", "A connector is reserved; cancel the reservation first.")
    topups = wallets.list_topups(ctx, driver_id, limit=LOOKED_AT, cursor=None)
    if any(topup.state == "pending" for topup in topups.data):
        raise conflict("driver.topping_up", "A top-up is not decided yet; wait until it is paid or has failed.")
    money = [balance for balance in wallets.expect_unmoved(uow, driver_id) if balance.amount]
    if money:
        raise _not_empty(money)


def _not_empty(money: list[Money]) -> DomainError:
    amounts = ", ".join(str(balance) for balance in money)
    detail = f"The wallet has {amounts}; spend it, or have it paid back, before the account is deleted."
    return conflict("driver.wallet_not_empty", detail)
