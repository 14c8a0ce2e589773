"""Rows of what the energy of a CDR cost, beside the CDR."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.charging.model.margins import EnergyCost
from chalicelib.charging.store import TABLE, session_pk
from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute
from chalicelib.kernel.table import Row, Table


class EnergyCostRow(Row):
    class Meta:
        table_name = TABLE

    cdr_id = UnicodeAttribute(attr_name="costed_cdr")
    session_id = UnicodeAttribute(attr_name="costed_session")
    tariff_id = UnicodeAttribute()
    tariff_version = NumberAttribute()
    energy_wh = NumberAttribute()
    cost = MoneyAttribute(attr_name="energy_cost")
    tax = MoneyAttribute()
    computed_at = MomentAttribute()


def energy_cost_key(session_id: str, cdr_id: str) -> tuple[str, str]:
    return session_pk(session_id), f"energy_cost#{cdr_id}"


ENERGY_COSTS: Table[EnergyCost] = Table(
    EnergyCostRow, EnergyCost, key=lambda cost: energy_cost_key(cost.session_id, cost.cdr_id)
)
