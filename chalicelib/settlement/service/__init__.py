"""Use cases of settlement: `runs` the statements of business days, `invoices` what enterprises owe for a month."""

from chalicelib.settlement.service.invoices import (
    close_month,
    draft_invoice,
    find_invoice,
    issue_invoice,
    keep_lines,
    list_invoices,
    list_lines,
    list_payments,
    newest_month,
    record_payment,
    void_invoice,
)
from chalicelib.settlement.service.runs import (
    changed_after_posting,
    compute_statement,
    find_run,
    list_runs,
    newest_day,
    open_run,
    post_statement,
)

__all__ = [
    "changed_after_posting",
    "close_month",
    "compute_statement",
    "draft_invoice",
    "find_invoice",
    "find_run",
    "issue_invoice",
    "keep_lines",
    "list_invoices",
    "list_lines",
    "list_payments",
    "list_runs",
    "newest_day",
    "newest_month",
    "open_run",
    "post_statement",
    "record_payment",
    "void_invoice",
]
