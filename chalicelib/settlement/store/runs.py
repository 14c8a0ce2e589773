"""Rows of settlement runs, of what they gave to beneficiaries, of who was ever owed anything. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import (
    Line,
    Payee,
    PendingRun,
    Received,
    Run,
    Share,
)
from chalicelib.settlement.store.common import TABLE, of_organization, operator_pk, organization_pk


class RunRow(Row):
    """Runs of an operator stand under its key in the order of days: no index is needed."""

    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    business_day = UnicodeAttribute()
    state = UnicodeAttribute()
    opened_at = MomentAttribute()
    lines = ValueAttribute(list[Line])
    computed_at = MomentAttribute(null=True)
    posted_at = MomentAttribute(null=True)
    difference = UnicodeAttribute(null=True)
    number = NumberAttribute()


class PendingRunRow(Row):
    """All runs that are not posted, of everybody: a handful."""

    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    business_day = UnicodeAttribute()
    number = NumberAttribute()
    attempt = NumberAttribute()
    started_at = MomentAttribute()


class ShareRow(Row):
    class Meta:
        table_name = TABLE

    beneficiary_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    business_day = UnicodeAttribute()
    settlement_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    kind = UnicodeAttribute()
    sessions = NumberAttribute()
    energy_wh = NumberAttribute()
    gross = NumberAttribute()
    tax = NumberAttribute()
    card_payments = NumberAttribute()
    amount = NumberAttribute()
    fee = NumberAttribute()
    vat = NumberAttribute()


class PayeeRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    currency = UnicodeAttribute()


class ReceivedRow(Row):
    """Counted in the commit that gives a share, so that nobody sums shares of years in a request."""

    class Meta:
        table_name = TABLE

    beneficiary_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    total = NumberAttribute()


PENDING_PK = "pending_runs"


PAYEES_PK = "payees"


def run_sk(business_day: str, number: int = 1) -> str:
    return f"run#{business_day}" if number == 1 else f"run#{business_day}#{number:04d}"


def pending_sk(operator_id: str, business_day: str, number: int) -> str:
    return f"{operator_id}#{business_day}#{number}"


def share_sk(business_day: str, settlement_id: str = "", currency: str = "") -> str:
    return f"share#{business_day}#{settlement_id}#{currency}" if settlement_id else f"share#{business_day}"


def received_sk(currency: str, operator_id: str = "") -> str:
    return f"received#{currency}#{operator_id}"


RUNS: Table[Run] = Table(
    RunRow, Run, key=lambda run: (operator_pk(run.operator_id), run_sk(run.business_day, run.number))
)


PENDING_RUNS: Table[PendingRun] = Table(
    PendingRunRow,
    PendingRun,
    key=lambda run: (PENDING_PK, pending_sk(run.operator_id, run.business_day, run.number)),
)


SHARES: Table[Share] = Table(
    ShareRow,
    Share,
    key=lambda share: (
        organization_pk(share.beneficiary_id),
        share_sk(share.business_day, share.settlement_id, share.currency),
    ),
)


PAYEES: Table[Payee] = Table(
    PayeeRow, Payee, key=lambda payee: (PAYEES_PK, of_organization(payee.organization_id, payee.currency))
)


RECEIVED: Table[Received] = Table(
    ReceivedRow,
    Received,
    key=lambda received: (
        organization_pk(received.beneficiary_id),
        received_sk(received.currency, received.operator_id),
    ),
)
