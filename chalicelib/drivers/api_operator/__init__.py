"""Drivers ("customers" on the screens) and cards, for operators.

An operator sees the drivers on its list: those who charged at its chargers. "Deleting" a driver turns them away at
this operator's chargers only and can be undone; the platform's people do it everywhere.
"""

from chalicelib.drivers.api_operator import cards, drivers, enterprises, groups
from chalicelib.drivers.api_operator.common import api

__all__ = ["api", "cards", "drivers", "enterprises", "groups"]
