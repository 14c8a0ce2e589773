"""Rows of the ledger: balances of guarded accounts, entries under their home account, proofs. Private to this folder.

`account_id` names a partition. Only entries with a `period` are in the first index, so what a driver holds costs no
index write; only those of money on its way through a provider in the second. Balances are changed by ADD, never put.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.ledger.model import Balance, Entry, Fault, Line, PeriodicAccount, Posting, Proof, account_owner

TABLE = table_name("ledger")
PROOFS_PK = "proofs"


class EntriesByPeriod(GlobalSecondaryIndex[Any]):
    """What settlement sums: `period` is `<income or cash account>#<YYYY-MM-DD>`."""

    class Meta:
        index_name = "by_period"
        projection = IncludeProjection(
            ["home_account_id", "kind", "currency", "postings", "occurred_at", "source_id", "business_day", "note"]
        )

    period = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class EntriesByClearing(GlobalSecondaryIndex[Any]):
    """What a reconciliation compares with the provider's list: `cleared` is `<provider>#<UTC day>`."""

    class Meta:
        index_name = "by_clearing"
        projection = IncludeProjection(["entry_id", "home_account_id", "kind", "currency", "postings", "source_id"])

    cleared = UnicodeAttribute(hash_key=True)
    occurred_at = MomentAttribute(range_key=True)


class EntryRow(Row):
    class Meta:
        table_name = TABLE

    entry_id = UnicodeAttribute()
    home_account_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    currency = UnicodeAttribute()
    postings = ValueAttribute(list[Posting])
    occurred_at = MomentAttribute()
    source_id = UnicodeAttribute()
    business_day = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    hold_state = UnicodeAttribute(null=True)
    hold_amount = NumberAttribute(null=True)
    hold_expires_at = MomentAttribute(null=True)
    hold_reason = UnicodeAttribute(null=True)
    reversed_by = UnicodeAttribute(null=True)
    period = UnicodeAttribute(null=True)
    cleared = UnicodeAttribute(null=True)
    by_period = EntriesByPeriod()
    by_clearing = EntriesByClearing()


class BalanceRow(Row):
    class Meta:
        table_name = TABLE

    account_id = UnicodeAttribute()
    balance = NumberAttribute()
    postings = NumberAttribute(attr_name="posting_count")
    blocks = NumberAttribute(null=True)


class ProofRow(Row):
    class Meta:
        table_name = TABLE

    day = UnicodeAttribute()
    proved_at = MomentAttribute()
    entries = NumberAttribute()
    balances = NumberAttribute()
    fault_count = NumberAttribute()
    faults = ValueAttribute(list[Fault])
    totals = ValueAttribute(dict[str, int])


class PeriodicAccountRow(Row):
    class Meta:
        table_name = TABLE

    account_id = UnicodeAttribute()


class LineRow(Row):
    class Meta:
        table_name = TABLE

    entry_id = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    postings = ValueAttribute(list[Posting], null=True)
    hold_state = UnicodeAttribute(null=True)
    hold_amount = NumberAttribute(null=True)
    hold_expires_at = MomentAttribute(null=True)
    balance = NumberAttribute(null=True)
    posting_count = NumberAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    business_day = UnicodeAttribute(null=True)


def periodic_pk(owner_id: str) -> str:
    """No account's id: the proof passes it over."""
    return f"periodic#{owner_id}"


def entry_sk(entry_id: str) -> str:
    return f"entry#{entry_id}"


ENTRIES: Table[Entry] = Table(
    EntryRow,
    Entry,
    key=lambda entry: (entry.home_account_id, entry_sk(entry.entry_id)),
    extra=lambda entry: {"period": entry.period, "cleared": entry.cleared},
)
BALANCES: Table[Balance] = Table(BalanceRow, Balance, key=lambda balance: (balance.account_id, "balance"))
PERIODIC_ACCOUNTS: Table[PeriodicAccount] = Table(
    PeriodicAccountRow,
    PeriodicAccount,
    key=lambda account: (periodic_pk(account_owner(account.account_id)), account.account_id),
)
PROOFS: Table[Proof] = Table(ProofRow, Proof, key=lambda proof: (PROOFS_PK, proof.day))
LINES: Table[Line] = Table(LineRow, Line, key=lambda line: (line.pk, line.sk))
