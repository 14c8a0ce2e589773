"""The lines of a driver's wallet, with the orders that they are of.

Here and not with the wallets, because wallets know no charging sessions.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.charging import lookup
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Api, PageView, Request, page_view
from chalicelib.ledger.model import Entry
from chalicelib.wallets import views
from chalicelib.wallets.views import OrderFacts, TransactionQuery, TransactionView

api = Api("wallets", "driver")


@api.get("/v1/driver/wallet/transactions")
def list_my_transactions(req: Request, query: TransactionQuery) -> PageView[TransactionView]:
    """What came into my wallet and went out of it, newest first."""
    page = views.find_transactions(req.ctx, req.driver_id, query)
    orders = orders_of(req.ctx, page.data)
    return page_view(page, lambda entry: views.transaction_view(entry, orders.get(entry.source_id)))


def orders_of(ctx: Context, entries: Iterable[Entry]) -> dict[str, OrderFacts]:
    """What the charges of these entries are called, by session: a round trip per hundred."""
    session_ids = {session_id for entry in entries if (session_id := views.session_of(entry)) is not None}
    sessions = lookup.sessions_by_id(ctx, sorted(session_ids)) if session_ids else {}
    return {
        session_id: OrderFacts(session.order_no, session.charger_id, session.operator_id)
        for session_id, session in sessions.items()
    }
