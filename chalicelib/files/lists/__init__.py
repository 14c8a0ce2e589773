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
from chalicelib.charging import api_operator_payments as payments
from chalicelib.charging import api_operator_wallets as wallet_lines
from chalicelib.drivers import api_operator as drivers
from chalicelib.files.lists.listing import Listing, listing
from chalicelib.identity import api_operator as identity
from chalicelib.ledger import api_operator as ledger
from chalicelib.payments import api_operator as payments_operator
from chalicelib.settlement import api_operator as settlement
from chalicelib.wallets import api_operator as wallets

EXPORT_KINDS: Final[Mapping[str, Listing]] = {
    "drivers": listing(drivers.api, "list_drivers"),
    "id_tokens": listing(drivers.api, "list_id_tokens"),
    "chargers": listing(chargers.api, "list_chargers"),
    "locations": listing(chargers.api, "list_locations"),
    "sessions": listing(charging.api, "list_sessions"),
    "cdrs": listing(charging.api, "list_cdrs"),
    "abnormal_orders": listing(orders.api, "list_abnormal_orders"),
    "feedback": listing(feedback.api, "list_feedback"),
    "wallet_transactions": listing(wallet_lines.api, "list_wallet_transactions"),
    "local_transactions": listing(wallet_lines.api, "list_local_transactions"),
    "topups": listing(wallets.api, "list_topups"),
    "payments": listing(payments.api, "list_payments"),
    "refunds": listing(payments.api, "list_refunds"),
    "disputes": listing(payments_operator.api, "list_disputes"),
    "voucher_batches": listing(wallets.api, "list_voucher_batches"),
    "vouchers": listing(wallets.api, "list_vouchers"),
    "settlements": listing(settlement.api, "list_settlements", each="lines"),
    "income_shares": listing(settlement.api, "list_income_shares"),
    "balances": listing(settlement.api, "list_balances"),
    "withdrawals": listing(settlement.api, "list_withdrawals"),
    "enterprises": listing(drivers.api, "list_enterprises"),
    "invoices": listing(settlement.api, "list_invoices"),
    "invoice_lines": listing(settlement.api, "list_invoice_lines"),
    "invoice_payments": listing(settlement.api, "list_invoice_payments"),
    "credit_notes": listing(settlement.api, "list_credit_notes"),
    "commission_invoices": listing(settlement.api, "list_commission_invoices"),
    "ledger_entries": listing(ledger.api, "list_ledger_entries"),
    "reconciliations": listing(payments_operator.api, "list_reconciliations"),
    "reconciliation_differences": listing(payments_operator.api, "list_open_differences"),
    "audit_events": listing(identity.api, "list_audit_events"),
}

__all__ = ["EXPORT_KINDS", "Listing"]
