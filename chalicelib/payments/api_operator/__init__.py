"""Payments, accounts for payouts, and reconciliations: what the backoffice asks of payments."""

from chalicelib.payments.api_operator import payments, payout_accounts, reconciliations
from chalicelib.payments.api_operator.common import api

__all__ = ["api", "payments", "payout_accounts", "reconciliations"]
