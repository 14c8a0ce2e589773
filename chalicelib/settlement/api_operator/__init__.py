"""The operator's endpoints of settlement: the statements of its business days, and the invoices of enterprises."""

from chalicelib.settlement.api_operator import invoices, settlements
from chalicelib.settlement.api_operator.common import api

__all__ = ["api", "invoices", "settlements"]
