"""Wallets whose drivers have left. Pure.

A wallet is empty when its driver leaves; a bill that is corrected, a refund that fails, a page that is paid late may
fill it again. That money is still the driver's: it is listed until somebody pays it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.money import Money


@dataclass(frozen=True)
class LeftWallet:
    """`currencies`: of which there was ever money in it, and that of the platform."""

    driver_id: str
    currencies: list[str]
    left_at: datetime


@dataclass(frozen=True)
class LeftBalance:
    """What lies in the wallet of a driver who has left: currencies of which there is some."""

    driver_id: str
    left_at: datetime
    balances: list[Money]
