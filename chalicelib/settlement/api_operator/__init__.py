"""Statements, income, contracts, withdrawals, and the invoices of enterprises: what operators ask of settlement."""

from chalicelib.settlement.api_operator import (
    commission_invoices,
    contracts,
    debts,
    documents,
    income,
    invoices,
    settlements,
    withdrawals,
)
from chalicelib.settlement.api_operator.common import api

__all__ = [
    "api",
    "commission_invoices",
    "contracts",
    "debts",
    "documents",
    "income",
    "invoices",
    "settlements",
    "withdrawals",
]
