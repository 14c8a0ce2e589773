"""Use cases of wallets. None of them commits.

`funds` what is there, `sessions` holds of charging sessions, `topups` money paid in, `refunding` paid back, `disputes`
taken back, `packages` what is offered, `vouchers` sold at counters, `redeeming` them, `adjusting` cash, `credit` what
operators may owe, `statements` what is read, `left` wallets of drivers who have left.
"""

from typing import TYPE_CHECKING

from chalicelib.kernel import lazy
from chalicelib.wallets.model import Settlement
from chalicelib.wallets.service.funds import (
    MAX_CURRENCIES,
    available,
    balances,
    expect_unmoved,
    expect_untouched,
    has_open_hold,
    is_disputed,
    reservable,
)
from chalicelib.wallets.service.sessions import (
    extend_session_hold,
    hold_what_is_there,
    place_session_hold,
    release_session_hold,
    settle_session,
)

if TYPE_CHECKING:
    from chalicelib.wallets.service.adjusting import adjust_wallet, cash_left, cash_taken
    from chalicelib.wallets.service.credit import keep_back, note_credit, take_credit
    from chalicelib.wallets.service.disputes import answer_dispute, cover_dispute, disputes_to_answer, settle_dispute
    from chalicelib.wallets.service.left import list_left, note_left
    from chalicelib.wallets.service.packages import (
        change_package,
        choose_package,
        create_package,
        list_offered,
        list_packages,
        require_package,
        set_package_state,
    )
    from chalicelib.wallets.service.redeeming import Presenter, Redemption, redeem_voucher
    from chalicelib.wallets.service.refunding import note_failed_refund, refund_topup
    from chalicelib.wallets.service.statements import list_business, list_months, list_transactions
    from chalicelib.wallets.service.topups import (
        begin_topup,
        credit_topup,
        entered_by,
        fail_topup,
        find_topup,
        find_topup_record,
        list_topup_records,
        list_topups,
        require_topup,
    )
    from chalicelib.wallets.service.vouchers import (
        NewBatch,
        activate_batch,
        block_batch,
        create_batch,
        last_characters,
        list_batches,
        list_codes,
        list_vouchers,
        require_batch,
        require_voucher,
        void_voucher,
    )

__all__ = [
    "MAX_CURRENCIES",
    "NewBatch",
    "Presenter",
    "Redemption",
    "Settlement",
    "activate_batch",
    "adjust_wallet",
    "answer_dispute",
    "available",
    "balances",
    "begin_topup",
    "block_batch",
    "cash_left",
    "cash_taken",
    "change_package",
    "choose_package",
    "cover_dispute",
    "create_batch",
    "create_package",
    "credit_topup",
    "disputes_to_answer",
    "entered_by",
    "expect_unmoved",
    "expect_untouched",
    "extend_session_hold",
    "fail_topup",
    "find_topup",
    "find_topup_record",
    "has_open_hold",
    "hold_what_is_there",
    "is_disputed",
    "keep_back",
    "last_characters",
    "list_batches",
    "list_business",
    "list_codes",
    "list_left",
    "list_months",
    "list_offered",
    "list_packages",
    "list_topup_records",
    "list_topups",
    "list_transactions",
    "list_vouchers",
    "note_credit",
    "note_failed_refund",
    "note_left",
    "place_session_hold",
    "redeem_voucher",
    "refund_topup",
    "release_session_hold",
    "require_batch",
    "require_package",
    "require_topup",
    "require_voucher",
    "reservable",
    "set_package_state",
    "settle_dispute",
    "settle_session",
    "take_credit",
    "void_voucher",
]

__getattr__ = lazy.names_in(
    __name__,
    {
        "adjusting": ("adjust_wallet", "cash_left", "cash_taken"),
        "credit": ("keep_back", "note_credit", "take_credit"),
        "disputes": ("answer_dispute", "cover_dispute", "disputes_to_answer", "settle_dispute"),
        "left": ("list_left", "note_left"),
        "packages": (
            "change_package",
            "choose_package",
            "create_package",
            "list_offered",
            "list_packages",
            "require_package",
            "set_package_state",
        ),
        "redeeming": ("Presenter", "Redemption", "redeem_voucher"),
        "refunding": ("note_failed_refund", "refund_topup"),
        "statements": ("list_business", "list_months", "list_transactions"),
        "topups": (
            "begin_topup",
            "credit_topup",
            "entered_by",
            "fail_topup",
            "find_topup",
            "find_topup_record",
            "list_topup_records",
            "list_topups",
            "require_topup",
        ),
        "vouchers": (
            "NewBatch",
            "activate_batch",
            "block_batch",
            "create_batch",
            "last_characters",
            "list_batches",
            "list_codes",
            "list_vouchers",
            "require_batch",
            "require_voucher",
            "void_voucher",
        ),
    },
)
