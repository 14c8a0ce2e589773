"""The books as operators and the platform read them.

An operator sees its own accounts, and of an entry its own side.
"""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.kernel.errors import forbidden, invalid, not_found
from chalicelib.kernel.http import Api, Moment, PageQuery, PageView, Request, Shape, check_span, page_view
from chalicelib.kernel.money import Money
from chalicelib.ledger import model, service
from chalicelib.ledger.model import Entry, Fault, Proof

api = Api("ledger", "operator")

OPERATORS_CLASSES = frozenset({"income", "payable", "cash", "promotion", "receivable", "withdrawals"})

UNLISTED = frozenset({"clearing", "credit_line", "hold", "refunds", "withdrawals"})
"""Classes of which entries are stored under the account at their other side: a list would be empty, or have gaps."""


class EntryQuery(PageQuery, kw_only=True):
    """`account_id`: `<class>:<owner>:<currency>`, e.g. `wallet:drv_…:EUR`. Income, cash and promotion
    accounts are listed by `business_day`; others as a whole, or from date to date. Money in transit (clearing, refunds,
    withdrawals) has no list of its own: its entries stand with the account at the other side.
    """

    account_id: str
    business_day: date | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class AccountQuery(Shape):
    business_day: date | None = None


class PostingView(Shape):
    account_id: str
    amount: int


class EntryView(Shape):
    """`amount` is what came into the account that was asked for."""

    entry_id: str
    kind: str
    amount: Money
    occurred_at: datetime
    source_id: str
    business_day: str | None
    reason: str | None
    postings: list[PostingView]


class AccountView(Shape):
    """`balance`: now for wallets, enterprises' credit and payable; of the business day for income, cash and
    promotion."""

    account_id: str
    balance: Money
    business_day: str | None = None


class ProofView(Shape):
    day: str
    proved_at: datetime
    entries: int
    balances: int
    fault_count: int
    faults: list[Fault]
    totals: dict[str, int]


@api.get("/v1/ledger/entries", "ledger:read")
def list_ledger_entries(req: Request, query: EntryQuery) -> PageView[EntryView]:
    """Entries of an account, newest first."""
    account_id = _visible(req, query.account_id)
    if _is_periodic(account_id):
        day = _required_day(query.business_day)
        page = service.page_of_period(req.ctx, account_id, day, limit=query.limit, cursor=query.cursor)
    elif model.account_class(account_id) in UNLISTED:
        detail = "Of this account there is no list: its entries stand with the accounts at their other side."
        raise invalid("ledger.not_listed", detail, "/account_id")
    else:
        date_from, date_to = check_span(query.date_from, query.date_to)
        page = service.list_entries(
            req.ctx,
            account_id,
            date_from=date_from,
            date_to=date_to,
            limit=query.limit,
            cursor=query.cursor,
        )
    return page_view(page, lambda entry: _entry_view(req, entry, account_id))


@api.get("/v1/ledger/accounts/{account_id}", "ledger:read")
def get_ledger_account(req: Request, account_id: str, query: AccountQuery) -> AccountView:
    """What is in an account."""
    _visible(req, account_id)
    if model.keeps_balance(account_id):
        return AccountView(account_id=account_id, balance=service.balance(req.ctx, account_id))
    if not _is_periodic(account_id):
        raise invalid("ledger.no_balance", "This account is summed by the nightly proof only.", "/account_id")
    day = _required_day(query.business_day)
    total = service.total_of_period(req.ctx, account_id, day)
    return AccountView(account_id=account_id, balance=total, business_day=day)


@api.get("/v1/ledger/proofs", "ledger:read")
def list_ledger_proofs(req: Request, query: PageQuery) -> PageView[ProofView]:
    """The nightly proofs of the whole ledger, newest first. For the platform's people."""
    req.actor.require_everywhere()
    if not req.actor.is_platform:
        raise forbidden("The proof is about everybody's money.")
    return page_view(service.list_proofs(req.ctx, limit=query.limit, cursor=query.cursor), _proof_view)


def _visible(req: Request, account_id: str) -> str:
    """Another organisation's account is answered like one that is not there."""
    req.actor.require_everywhere()
    model.check_account_id(account_id)
    own = model.account_class(account_id) in OPERATORS_CLASSES and (
        model.account_owner(account_id) == req.organization_id
    )
    if not own and not req.actor.is_platform:
        raise not_found("ledger_account", account_id)
    return account_id


def _is_periodic(account_id: str) -> bool:
    return model.account_class(account_id) in model.PERIODIC


def _required_day(day: date | None) -> str:
    if day is None:
        raise invalid("ledger.day_missing", "This account is read by business_day=YYYY-MM-DD.", "/business_day")
    return day.isoformat()


def _entry_view(req: Request, entry: Entry, account_id: str) -> EntryView:
    shown = [p for p in entry.postings if req.actor.is_platform or p.account_id == account_id]
    return EntryView(
        entry_id=entry.entry_id,
        kind=entry.kind,
        amount=Money(entry.amount_on(account_id), entry.currency),
        occurred_at=entry.occurred_at,
        source_id=entry.source_id,
        business_day=entry.business_day,
        reason=entry.note,
        postings=[PostingView(account_id=p.account_id, amount=p.amount) for p in shown],
    )


def _proof_view(proof: Proof) -> ProofView:
    return ProofView(
        day=proof.day,
        proved_at=proof.proved_at,
        entries=proof.entries,
        balances=proof.balances,
        fault_count=proof.fault_count,
        faults=proof.faults,
        totals=proof.totals,
    )
