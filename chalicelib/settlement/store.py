"""Rows of settlement. Private to this folder."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import Line, Run

TABLE = table_name("settlement")


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


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def run_sk(business_day: str) -> str:
    return f"run#{business_day}"


RUNS: Table[Run] = Table(RunRow, Run, key=lambda run: (operator_pk(run.operator_id), run_sk(run.business_day)))
