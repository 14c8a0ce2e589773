"""Wallets as operators see them: `wallets` those of their own drivers, `topups` what came in, `packages` what is
offered. Lines with their orders are `charging/api_operator_wallets.py`."""

from chalicelib.wallets.api_operator import packages, topups, wallets
from chalicelib.wallets.api_operator.common import api

__all__ = ["api", "packages", "topups", "wallets"]
