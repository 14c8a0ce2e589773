"""Rows of wallets: top-ups and the lists of them, packages, vouchers, what operators took in cash, which currencies a
driver has money in. Private to this folder.

Only top-up rows carry `driver_id` and `topup_id` under these names: they are the keys of the index. Packages lie under
their owner, so that a list is one query; a second row finds the owner by the package's id alone. So do batches of
vouchers; a voucher is found by the hash of its code, and what became of it lies under its batch. What an operator took
in cash is changed by ADD, never put.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.wallets.model import (
    CashBalance,
    CashLeft,
    LeftWallet,
    PackageOwner,
    TopUp,
    TopUpPackage,
    TopUpRecord,
    WalletCurrency,
)
from chalicelib.wallets.model.credit import Exposure
from chalicelib.wallets.model.vouchers import BatchOwner, VoucherBatch, VoucherCard, VoucherUse

TABLE = table_name("wallets")
LEFT_PK = "left_wallets"


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
    source = UnicodeAttribute(default="online")
    operator_id = UnicodeAttribute(null=True)
    voucher_id = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
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
    voucher_id = UnicodeAttribute(null=True)
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


class VoucherBatchRow(Row):
    class Meta:
        table_name = TABLE

    batch_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    name = UnicodeAttribute()
    face_value = MoneyAttribute()
    size = NumberAttribute()
    valid_until = MomentAttribute()
    state = UnicodeAttribute()
    key_id = UnicodeAttribute()
    created_at = MomentAttribute()
    created_by = UnicodeAttribute()
    note = UnicodeAttribute(null=True)
    redeemed = NumberAttribute()
    voided = NumberAttribute()
    codes_listed = NumberAttribute()
    codes_listed_at = MomentAttribute(null=True)


class BatchOwnerRow(Row):
    class Meta:
        table_name = TABLE

    batch_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()


class VoucherCardRow(Row):
    class Meta:
        table_name = TABLE

    code_hash = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    number = NumberAttribute()


class VoucherUseRow(Row):
    class Meta:
        table_name = TABLE

    batch_id = UnicodeAttribute()
    number = NumberAttribute()
    kind = UnicodeAttribute()
    used_at = MomentAttribute()
    used_by = UnicodeAttribute()
    driver_id = UnicodeAttribute(attr_name="used_for", null=True)
    entry_id = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)


class CashBalanceRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="cash_of")
    operator_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    net = NumberAttribute()


class CashLeftRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="cash_of")
    currency = UnicodeAttribute()
    left = ValueAttribute(tuple[tuple[str, int], ...])
    spent = ValueAttribute(tuple[tuple[str, int], ...])
    total = NumberAttribute()
    moves = NumberAttribute()
    through = UnicodeAttribute()


class ExposureRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    unsettled = NumberAttribute()


class LeftWalletRow(Row):
    class Meta:
        table_name = TABLE

    driver_id = UnicodeAttribute(attr_name="left_by")
    currencies = ValueAttribute(list[str])
    left_at = MomentAttribute()


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


def batches_pk(owner_id: str) -> str:
    return f"vouchers#{owner_id}"


def batch_owner_key(batch_id: str) -> tuple[str, str]:
    return f"vouchers#{batch_id}", "owner"


def voucher_use_key(batch_id: str, number: int) -> tuple[str, str]:
    return f"vouchers#{batch_id}", f"use#{number:04d}"


def voucher_card_key(code_hash: str) -> tuple[str, str]:
    return f"voucher#{code_hash}", "card"


def cash_key(driver_id: str, operator_id: str, currency: str) -> tuple[str, str]:
    return f"cash#{driver_id}", f"{operator_id}#{currency}"


def cash_left_key(driver_id: str, currency: str) -> tuple[str, str]:
    return f"cash#{driver_id}", f"left#{currency}"


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
VOUCHER_BATCHES: Table[VoucherBatch] = Table(
    VoucherBatchRow, VoucherBatch, key=lambda batch: (batches_pk(batch.owner_id), batch.batch_id)
)
BATCH_OWNERS: Table[BatchOwner] = Table(BatchOwnerRow, BatchOwner, key=lambda owner: batch_owner_key(owner.batch_id))
VOUCHER_CARDS: Table[VoucherCard] = Table(
    VoucherCardRow, VoucherCard, key=lambda card: voucher_card_key(card.code_hash)
)
VOUCHER_USES: Table[VoucherUse] = Table(
    VoucherUseRow, VoucherUse, key=lambda use: voucher_use_key(use.batch_id, use.number)
)
CASH_BALANCES: Table[CashBalance] = Table(
    CashBalanceRow, CashBalance, key=lambda cash: cash_key(cash.driver_id, cash.operator_id, cash.currency)
)
CASH_LEFT: Table[CashLeft] = Table(CashLeftRow, CashLeft, key=lambda cash: cash_left_key(cash.driver_id, cash.currency))
EXPOSURES: Table[Exposure] = Table(
    ExposureRow, Exposure, key=lambda exposure: exposure_key(exposure.operator_id, exposure.currency)
)
LEFT_WALLETS: Table[LeftWallet] = Table(LeftWalletRow, LeftWallet, key=lambda wallet: (LEFT_PK, wallet.driver_id))
WALLET_CURRENCIES: Table[WalletCurrency] = Table(
    WalletCurrencyRow,
    WalletCurrency,
    key=lambda wallet: (wallet_pk(wallet.driver_id), f"currency#{wallet.currency}"),
)
