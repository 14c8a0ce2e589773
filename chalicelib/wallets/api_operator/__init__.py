"""Wallets as operators see them: `wallets` those of their own drivers, `topups` what came in, `packages` what is
offered, `vouchers` sold at counters, `disputes` what is missing. Lines with their orders are
`charging/api_operator_wallets.py`."""

from chalicelib.wallets.api_operator import disputes, packages, topups, vouchers, wallets
from chalicelib.wallets.api_operator.common import api

__all__ = ["api", "disputes", "packages", "topups", "vouchers", "wallets"]
