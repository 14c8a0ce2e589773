"""The wallets of drivers who have left: noted when they leave, listed for the platform's people while money is there.

Called by drivers' leaving, the consumers of payments, and the endpoint. Nothing is committed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import wallet_account
from chalicelib.wallets.model import LeftBalance, LeftWallet
from chalicelib.wallets.service.funds import currencies_of
from chalicelib.wallets.store import LEFT_PK, LEFT_WALLETS

_LOOKED_AT_ONCE = 100


def note_left(uow: UnitOfWork, driver_id: str, left_at: datetime) -> None:
    """The driver leaves, or has left and got money of another currency."""
    uow.put(LEFT_WALLETS, LeftWallet(driver_id, currencies_of(uow.ctx, driver_id), left_at))


def list_left(ctx: Context, *, limit: int, cursor: str | None) -> Page[LeftBalance]:
    """Those in which there is money, of the youngest accounts first."""
    steps = LEFT_WALLETS.walk(ctx, LEFT_PK, newest_first=True, cursor=cursor)
    return page_of(_with_balances(ctx, steps), limit, keep=lambda wallet: bool(wallet.balances))


def _with_balances(ctx: Context, steps: Iterable[Step[LeftWallet]]) -> Iterator[Step[LeftBalance]]:
    walked = iter(steps)
    while chunk := list(islice(walked, _LOOKED_AT_ONCE)):
        accounts = {
            wallet.driver_id: [wallet_account(wallet.driver_id, each) for each in wallet.currencies]
            for wallet, _ in chunk
        }
        known = ledger.balances(ctx, [account_id for ids in accounts.values() for account_id in ids])
        for wallet, place in chunk:
            balances = [known[account_id] for account_id in accounts[wallet.driver_id] if known[account_id].amount]
            yield LeftBalance(wallet.driver_id, wallet.left_at, balances), place
