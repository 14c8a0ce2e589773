"""Rows of wallets: top-ups and the lists of them, packages, what operators took in cash, which currencies a driver has
money in. Private to this folder.

Only top-up rows carry `driver_id` and `topup_id` under these names: they are the keys of the index. Packages lie under
their owner, so that a list is one query; a second row finds the owner by the package's id alone. What an operator took
in cash is changed by ADD, never put.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.wallets.model import CashBalance, PackageOwner, TopUp, TopUpPackage, TopUpRecord, WalletCurrency
from chalicelib.wallets.model.credit import Exposure

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
    package_id = UnicodeAttribute(null=True)
    package_name = UnicodeAttribute(null=True)
    package_owner_id = UnicodeAttribute(null=True)
    bonus = MoneyAttribute(null=True)
    bonus_back = ValueAttribute(dict[str, int], null=True)
    by_driver = TopUpsByDriver()


class TopUpRecordRow(Row):
    class Meta:
        table_name = TABLE

    record_id = UnicodeAttribute()
    listed_for = UnicodeAttribute()
    source = UnicodeAttribute()
    driver_id = UnicodeAttribute(attr_name="record_of")
    amount = MoneyAttribute()
    occurred_at = MomentAttribute()
    transaction_id = UnicodeAttribute()
    operator_id = UnicodeAttribute(null=True)
    topup_id = UnicodeAttribute(attr_name="record_topup", null=True)
    payment_id = UnicodeAttribute(null=True)
    package_id = UnicodeAttribute(null=True)
    package_name = UnicodeAttribute(null=True)
    bonus = MoneyAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    entered_by = UnicodeAttribute(null=True)


class TopUpPackageRow(Row):
    class Meta:
        table_name = TABLE

    package_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    name = UnicodeAttribute()
    amount = MoneyAttribute()
    state = UnicodeAttribute()
    sort_order = NumberAttribute()
    created_at = MomentAttribute()
    bonus = MoneyAttribute(null=True)
    revision = NumberAttribute()


class PackageOwnerRow(Row):
    class Meta:
        table_name = TABLE

    package_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()


class CashBalanceRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="cash_of")
    operator_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    net = NumberAttribute()


class ExposureRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    unsettled = NumberAttribute()


class WalletCurrencyRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="wallet_of")
    currency = UnicodeAttribute()


def topup_pk(topup_id: str) -> str:
    return f"topup#{topup_id}"


def records_pk(listed_for: str) -> str:
    return f"topups#{listed_for}"


def packages_pk(owner_id: str) -> str:
    return f"packages#{owner_id}"


def package_sk(package_id: str) -> str:
    return f"package#{package_id}"


def package_owner_key(package_id: str) -> tuple[str, str]:
    return f"package#{package_id}", "owner"


def cash_key(driver_id: str, operator_id: str, currency: str) -> tuple[str, str]:
    return f"cash#{driver_id}", f"{operator_id}#{currency}"


def exposure_key(operator_id: str, currency: str) -> tuple[str, str]:
    return f"exposure#{operator_id}", currency


def wallet_pk(driver_id: str) -> str:
    return f"wallet#{driver_id}"


TOPUPS: Table[TopUp] = Table(TopUpRow, TopUp, key=lambda topup: (topup_pk(topup.topup_id), "topup"))
TOPUP_RECORDS: Table[TopUpRecord] = Table(
    TopUpRecordRow, TopUpRecord, key=lambda record: (records_pk(record.listed_for), record.record_id)
)
TOPUP_PACKAGES: Table[TopUpPackage] = Table(
    TopUpPackageRow,
    TopUpPackage,
    key=lambda package: (packages_pk(package.owner_id), package_sk(package.package_id)),
)
PACKAGE_OWNERS: Table[PackageOwner] = Table(
    PackageOwnerRow, PackageOwner, key=lambda owner: package_owner_key(owner.package_id)
)
CASH_BALANCES: Table[CashBalance] = Table(
    CashBalanceRow, CashBalance, key=lambda cash: cash_key(cash.driver_id, cash.operator_id, cash.currency)
)
EXPOSURES: Table[Exposure] = Table(
    ExposureRow, Exposure, key=lambda exposure: exposure_key(exposure.operator_id, exposure.currency)
)
WALLET_CURRENCIES: Table[WalletCurrency] = Table(
    WalletCurrencyRow,
    WalletCurrency,
    key=lambda wallet: (wallet_pk(wallet.driver_id), f"currency#{wallet.currency}"),
)
