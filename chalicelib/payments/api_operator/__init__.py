"""Payments, disputes, accounts for payouts, and reconciliations: what the backoffice asks of payments."""

from chalicelib.payments.api_operator import disputes, payments, payout_accounts, reconciliations
from chalicelib.payments.api_operator.common import api

__all__ = ["api", "disputes", "payments", "payout_accounts", "reconciliations"]
