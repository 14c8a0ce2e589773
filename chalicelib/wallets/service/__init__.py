"""Use cases of wallets. None of them commits.

`funds` what is there, `sessions` holds of charging sessions, `topups` money paid in, `refunding` paid back, `packages`
what is offered, `adjusting` cash, `credit` what operators may owe, `statements` what is read.
"""

from chalicelib.wallets.model import Settlement
from chalicelib.wallets.service.adjusting import adjust_wallet, cash_taken
from chalicelib.wallets.service.credit import check_credit, note_credit
from chalicelib.wallets.service.funds import (
    MAX_CURRENCIES,
    available,
    balances,
    expect_unmoved,
    expect_untouched,
    has_open_hold,
)
from chalicelib.wallets.service.packages import (
    change_package,
    choose_package,
    create_package,
    list_offered,
    list_packages,
    require_package,
    set_package_state,
)
from chalicelib.wallets.service.refunding import note_failed_refund, refund_topup
from chalicelib.wallets.service.sessions import (
    extend_session_hold,
    hold_what_is_there,
    place_session_hold,
    release_session_hold,
    settle_session,
)
from chalicelib.wallets.service.statements import list_business, list_months, list_transactions
from chalicelib.wallets.service.topups import (
    begin_topup,
    credit_topup,
    fail_topup,
    find_topup,
    list_topup_records,
    list_topups,
    require_topup,
)

__all__ = [
    "MAX_CURRENCIES",
    "Settlement",
    "adjust_wallet",
    "available",
    "balances",
    "begin_topup",
    "cash_taken",
    "change_package",
    "check_credit",
    "choose_package",
    "create_package",
    "credit_topup",
    "expect_unmoved",
    "expect_untouched",
    "extend_session_hold",
    "fail_topup",
    "find_topup",
    "has_open_hold",
    "hold_what_is_there",
    "list_business",
    "list_months",
    "list_offered",
    "list_packages",
    "list_topup_records",
    "list_topups",
    "list_transactions",
    "note_credit",
    "note_failed_refund",
    "place_session_hold",
    "refund_topup",
    "release_session_hold",
    "require_package",
    "require_topup",
    "set_package_state",
    "settle_session",
]
