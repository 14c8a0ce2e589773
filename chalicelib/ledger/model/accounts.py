"""The chart of accounts: which classes of accounts there are, and how their ids are written. Pure.

Sign: + is value that comes into the account. Transit accounts (`captures`, `refunds`, `withdrawals`) hold what one
commit has decided and a payment provider, or a bank, has not yet confirmed: what lies there long is somebody's work.
"""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import check_currency

GUARDED = frozenset({"wallet", "enterprise"})
"""Classes of accounts that keep a balance which never goes below zero: a driver's money, and what is still free of
the credit that an operator gives to an enterprise."""
BALANCED = GUARDED | {"payable"}
"""Classes that keep a balance. What an organisation is owed may fall below zero (it took more cash than it earned),
but never by paying it out (`NEVER_BELOW_ZERO`)."""
NEVER_BELOW_ZERO = frozenset({"withdrawal"})
"""Kinds of entries that refuse to take what is not there, wherever a balance is kept."""
PERIODIC = frozenset({"income", "cash", "promotion"})
"""Classes that are summed per business day; their entries are found by `period`."""
WITH_CURRENCY = frozenset(
    {
        "wallet",
        "income",
        "clearing",
        "payable",
        "cash",
        "enterprise",
        "credit_line",
        "receivable",
        "promotion",
        "fees",
        "captures",
        "refunds",
        "withdrawals",
        "disputes",
        "losses",
    }
)
CLASSES = WITH_CURRENCY | {"hold"}


def wallet_account(driver_id: str, currency: str) -> str:
    return f"wallet:{driver_id}:{currency}"


def hold_account(session_id: str) -> str:
    return f"hold:{session_id}"


def income_account(operator_id: str, currency: str) -> str:
    return f"income:{operator_id}:{currency}"


def clearing_account(provider: str, currency: str) -> str:
    """Money on its way between us and a provider, or a bank (`bank`): below zero by what it owes us."""
    return f"clearing:{provider}:{currency}"


def payable_account(operator_id: str, currency: str) -> str:
    return f"payable:{operator_id}:{currency}"


def promotion_account(organization_id: str, currency: str) -> str:
    """Bonuses that an organisation gave to wallets: below zero by what it owes for them."""
    return f"promotion:{organization_id}:{currency}"


def fees_account(provider: str, currency: str) -> str:
    """What a payment provider kept for its work: below zero."""
    return f"fees:{provider}:{currency}"


def captures_account(provider: str, currency: str) -> str:
    """Income that a provider was told to capture and has not confirmed: below zero by what is under way."""
    return f"captures:{provider}:{currency}"


def refunds_account(provider: str, currency: str) -> str:
    """What a provider was told to pay back and has not confirmed."""
    return f"refunds:{provider}:{currency}"


def withdrawals_account(organization_id: str, currency: str) -> str:
    """What an organisation has asked to be paid out and has not got yet."""
    return f"withdrawals:{organization_id}:{currency}"


def disputes_account(provider: str, currency: str) -> str:
    """Payments that payers' banks have taken back and that are not decided: below zero by what nobody has made good
    yet, above by what was withheld before the provider has taken it."""
    return f"disputes:{provider}:{currency}"


def losses_account(organization_id: str, currency: str) -> str:
    """What an organisation has lost to disputes that nobody made good: below zero."""
    return f"losses:{organization_id}:{currency}"


def cash_account(operator_id: str, currency: str) -> str:
    return f"cash:{operator_id}:{currency}"


def enterprise_account(enterprise_id: str, currency: str) -> str:
    """What is still free of an enterprise's credit: its limit, less what is held, used, or invoiced and not paid."""
    return f"enterprise:{enterprise_id}:{currency}"


def credit_line_account(enterprise_id: str, currency: str) -> str:
    """The other side of a credit limit: below zero by what was granted."""
    return f"credit_line:{enterprise_id}:{currency}"


def receivable_account(operator_id: str, currency: str) -> str:
    """Settled income that the operator collects itself, by invoices; what it has collected is taken out."""
    return f"receivable:{operator_id}:{currency}"


def account_class(account_id: str) -> str:
    return account_id.partition(":")[0]


def keeps_balance(account_id: str) -> bool:
    return account_class(account_id) in BALANCED


def is_guarded(account_id: str) -> bool:
    return account_class(account_id) in GUARDED


def account_owner(account_id: str) -> str:
    """The driver, enterprise, operator, provider or charging session that the account is about."""
    parts = account_id.split(":")
    return parts[1] if len(parts) > 1 else ""


def account_currency(account_id: str) -> str | None:
    """The currency in an account's id; None for holds, which take their entry's."""
    return account_id.rpartition(":")[2] if account_class(account_id) in WITH_CURRENCY else None


def check_account_id(account_id: str) -> str:
    """Returns a well-formed id: `<class>:<owner>:<currency>`, or `hold:<session id>`. DomainError otherwise."""
    parts = account_id.split(":")
    known = parts[0] in CLASSES and len(parts) == (3 if parts[0] in WITH_CURRENCY else 2) and all(parts)
    if not known:
        raise DomainError("ledger.account_invalid", f"{account_id!r} is not a ledger account.", Kind.UNPROCESSABLE)
    if parts[0] in WITH_CURRENCY:
        check_currency(parts[2])
    return account_id


def period_of(account_id: str, business_day: str) -> str:
    return f"{account_id}#{business_day}"


def cleared_of(provider: str, moment: datetime) -> str:
    """Providers cut their lists by UTC days."""
    return f"{provider}#{moment.astimezone(UTC).date().isoformat()}"
