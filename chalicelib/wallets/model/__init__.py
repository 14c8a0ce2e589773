"""Wallets and their rules. Pure.

`sessions` holds and their ends, `topups` money paid in and back, `packages` what is offered, `adjustments` cash, `cash`
what is left of it, `statements` how people read it.
"""

from chalicelib.wallets.model.adjustments import (
    CashBalance,
    Direction,
    adjustment_entry,
    adjustment_records,
    deduct_exceeds_cash,
)
from chalicelib.wallets.model.cash import CashLeft, folded
from chalicelib.wallets.model.left import LeftBalance, LeftWallet
from chalicelib.wallets.model.packages import (
    MAX_PACKAGES,
    PackageOwner,
    PackageState,
    TopUpPackage,
    check_number,
    check_package,
    place_of,
)
from chalicelib.wallets.model.sessions import Settlement, WalletCurrency, paying_account, session_hold, settle
from chalicelib.wallets.model.statements import (
    LABELS,
    EventType,
    MonthTotal,
    bonus_in,
    is_event,
    label_of,
    month_totals,
)
from chalicelib.wallets.model.topups import (
    MAX_REFUNDS,
    MAX_TOPUP,
    TOPUP_LIFECYCLE,
    TopUp,
    TopUpRecord,
    TopUpSource,
    bonus_due_back,
    bonus_of_dispute,
    bonus_share,
    check_amount,
    check_refund,
    check_topup_amount,
    most_refundable,
    record_id_of,
    topup_entry,
    topup_of_record,
    topup_records,
    with_package,
)

__all__ = [
    "LABELS",
    "MAX_PACKAGES",
    "MAX_REFUNDS",
    "MAX_TOPUP",
    "TOPUP_LIFECYCLE",
    "CashBalance",
    "CashLeft",
    "Direction",
    "EventType",
    "LeftBalance",
    "LeftWallet",
    "MonthTotal",
    "PackageOwner",
    "PackageState",
    "Settlement",
    "TopUp",
    "TopUpPackage",
    "TopUpRecord",
    "TopUpSource",
    "WalletCurrency",
    "adjustment_entry",
    "adjustment_records",
    "bonus_due_back",
    "bonus_in",
    "bonus_of_dispute",
    "bonus_share",
    "check_amount",
    "check_number",
    "check_package",
    "check_refund",
    "check_topup_amount",
    "deduct_exceeds_cash",
    "folded",
    "is_event",
    "label_of",
    "month_totals",
    "most_refundable",
    "paying_account",
    "place_of",
    "record_id_of",
    "session_hold",
    "settle",
    "topup_entry",
    "topup_of_record",
    "topup_records",
    "with_package",
]
