"""Rows of wallets: top-ups, and which currencies a driver has money in. Private to this folder.

Only top-up rows carry `driver_id` and `topup_id` under these names: they are the keys of the index.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.wallets.model import TopUp, WalletCurrency

TABLE = table_name("wallets")


class TopUpsByDriver(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_driver"
        projection = KeysOnlyProjection()

    driver_id = UnicodeAttribute(hash_key=True)
    topup_id = UnicodeAttribute(range_key=True)


class TopUpRow(Row):
    class Meta:
        table_name = TABLE

    topup_id = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    amount = MoneyAttribute()
    state = UnicodeAttribute()
    created_at = MomentAttribute()
    credited_at = MomentAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    by_driver = TopUpsByDriver()


class WalletCurrencyRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="wallet_of")
    currency = UnicodeAttribute()


def topup_pk(topup_id: str) -> str:
    return f"topup#{topup_id}"


def wallet_pk(driver_id: str) -> str:
    return f"wallet#{driver_id}"


TOPUPS: Table[TopUp] = Table(TopUpRow, TopUp, key=lambda topup: (topup_pk(topup.topup_id), "topup"))
WALLET_CURRENCIES: Table[WalletCurrency] = Table(
    WalletCurrencyRow,
    WalletCurrency,
    key=lambda wallet: (wallet_pk(wallet.driver_id), f"currency#{wallet.currency}"),
)
