"""Wallets and their rules. Pure.

`sessions` holds and their ends, `topups` money paid in and back, `packages` what is offered, `adjustments` cash,
`statements` how people read it.
"""

from chalicelib.wallets.model.adjustments import (
    CashBalance,
    Direction,
    adjustment_entry,
    adjustment_records,
    deduct_exceeds_cash,
)
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
    bonus_share,
    check_amount,
    check_refund,
    check_topup_amount,
    most_refundable,
    topup_entry,
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
    "Direction",
    "EventType",
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
    "bonus_share",
    "check_amount",
    "check_number",
    "check_package",
    "check_refund",
    "check_topup_amount",
    "deduct_exceeds_cash",
    "is_event",
    "month_totals",
    "most_refundable",
    "paying_account",
    "place_of",
    "session_hold",
    "settle",
    "topup_entry",
    "topup_records",
    "with_package",
]
