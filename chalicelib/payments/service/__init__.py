"""Use cases of payments, for wallets, charging, settlement, the webhook, the reconciliation.

`paying` the provider's page; `capturing` what is reserved there; `refunding` money back; `payees`, `paying_out` money
out; `noticing` notifications; `reconciling`, `differences` a provider's list against the books; `listing` what there
is. Calls to a provider stand between two commits, never inside one; nothing is committed here.
"""

from chalicelib.payments.providers import is_configured
from chalicelib.payments.service.capturing import (
    request_capture,
    request_release,
    reverse_capture,
    send_capture,
    send_release,
)
from chalicelib.payments.service.differences import (
    close_difference,
    differences_of_hour,
    heal,
    judge,
    keep_part,
    list_differences_of_day,
    list_unclosed_differences,
    require_difference,
    unclosed_differences,
)
from chalicelib.payments.service.listing import (
    MAX_DAYS,
    find_payment,
    find_refund,
    list_of_day,
    list_of_days,
    list_of_operator,
    list_of_payer,
    list_refunds,
    overdue_payments,
    overdue_refunds,
    require_payment,
    require_refund,
)
from chalicelib.payments.service.noticing import take_event
from chalicelib.payments.service.payees import (
    begin_payout_account,
    check_payee,
    find_payee_of,
    find_payout_account,
    open_payout_account,
)
from chalicelib.payments.service.paying import create_payment, open_checkout, resolve_payment
from chalicelib.payments.service.paying_out import (
    find_payout,
    overdue_payouts,
    request_payout,
    require_payout,
    resolve_payout,
    send_payout,
)
from chalicelib.payments.service.reconciling import (
    begin_reconciliation,
    book_movement,
    compare_hour,
    due_reconciliations,
    find_reconciliation,
    finish_reconciliation,
    keep_hour,
    list_reconciliations,
    require_reconciliation,
    tell_due,
)
from chalicelib.payments.service.refunding import request_refund, resolve_refund, retry_refund, send_refund

__all__ = [
    "MAX_DAYS",
    "begin_payout_account",
    "begin_reconciliation",
    "book_movement",
    "check_payee",
    "close_difference",
    "compare_hour",
    "create_payment",
    "differences_of_hour",
    "due_reconciliations",
    "find_payee_of",
    "find_payment",
    "find_payout",
    "find_payout_account",
    "find_reconciliation",
    "find_refund",
    "finish_reconciliation",
    "heal",
    "is_configured",
    "judge",
    "keep_hour",
    "keep_part",
    "list_differences_of_day",
    "list_of_day",
    "list_of_days",
    "list_of_operator",
    "list_of_payer",
    "list_reconciliations",
    "list_refunds",
    "list_unclosed_differences",
    "open_checkout",
    "open_payout_account",
    "overdue_payments",
    "overdue_payouts",
    "overdue_refunds",
    "request_capture",
    "request_payout",
    "request_refund",
    "request_release",
    "require_difference",
    "require_payment",
    "require_payout",
    "require_reconciliation",
    "require_refund",
    "resolve_payment",
    "resolve_payout",
    "resolve_refund",
    "retry_refund",
    "reverse_capture",
    "send_capture",
    "send_payout",
    "send_refund",
    "send_release",
    "take_event",
    "tell_due",
    "unclosed_differences",
]
