"""Prices, for operators: tariffs and their versions, quotes.

What a tariff applies to: `charging/api_operator_prices.py`, because tariffs know no chargers and no drivers.
"""

from chalicelib.tariffs.api_operator import quotes, tariffs
from chalicelib.tariffs.api_operator.common import api
from chalicelib.tariffs.api_operator.shapes import elements_view
from chalicelib.tariffs.api_operator.tariffs import tariff_view

__all__ = ["api", "elements_view", "quotes", "tariff_view", "tariffs"]
