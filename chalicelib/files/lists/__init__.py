"""What can be exported: lists of the REST API, each read to its end as the asker would page through it.

So a file shows what the list shows, to whom it is shown, by the same filters. One line per list; its columns are the
members of what it lists (`columns.columns_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.chargers import api_operator as chargers
from chalicelib.charging import api_operator as charging
from chalicelib.charging import api_operator_feedback as feedback
from chalicelib.charging import api_operator_orders as orders
from chalicelib.charging import api_operator_wallets as wallets
from chalicelib.drivers import api_operator as drivers
from chalicelib.files.lists.listing import Listing, listing
from chalicelib.identity import api_operator as identity

EXPORT_KINDS: Final[Mapping[str, Listing]] = {
    "drivers": listing(drivers.api, "list_drivers"),
    "id_tokens": listing(drivers.api, "list_id_tokens"),
    "chargers": listing(chargers.api, "list_chargers"),
    "locations": listing(chargers.api, "list_locations"),
    "sessions": listing(charging.api, "list_sessions"),
    "cdrs": listing(charging.api, "list_cdrs"),
    "abnormal_orders": listing(orders.api, "list_abnormal_orders"),
    "feedback": listing(feedback.api, "list_feedback"),
    "wallet_transactions": listing(wallets.api, "list_wallet_transactions"),
    "audit_events": listing(identity.api, "list_audit_events"),
}

__all__ = ["EXPORT_KINDS", "Listing"]
