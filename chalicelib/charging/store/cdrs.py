"""Rows of CDRs, and the indexes by which settlement and invoices read them."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

from chalicelib.charging.model.billing import Cdr, CdrTotals, place_of
from chalicelib.charging.store import TABLE, session_pk
from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

CDR_SK = "cdr"
"""All sort keys of a session's CDRs begin so, and no other of its rows does."""


class CdrsByDay(GlobalSecondaryIndex[Any]):
    """What settlement and the day's list read; `operator_day` is `<operator id>#<YYYY-MM-DD>`."""

    class Meta:
        index_name = "cdrs_by_day"
        projection = IncludeProjection(
            [
                "energy_wh",
                "total_cost",
                "captured",
                "uncollected",
                "cdr_session",
                "cdr_driver",
                "location_id",
                "enterprise_id",
                "payment_id",
                "agency_id",
                "captured_tax",
                "credit_reference_id",
                "charger_id",
            ]
        )

    operator_day = UnicodeAttribute(hash_key=True)
    cdr_id = UnicodeAttribute(range_key=True)


class CdrsByEnterprise(GlobalSecondaryIndex[Any]):
    """What invoices are made of; `enterprise_month` is `<enterprise id>#<YYYY-MM>`. CDRs of wallets are not in it."""

    class Meta:
        index_name = "cdrs_by_enterprise"
        projection = KeysOnlyProjection()

    enterprise_month = UnicodeAttribute(hash_key=True)
    cdr_id = UnicodeAttribute(range_key=True)


class CdrRow(Row):
    class Meta:
        table_name = TABLE

    cdr_id = UnicodeAttribute()
    session_id = UnicodeAttribute(attr_name="cdr_session")
    operator_id = UnicodeAttribute(attr_name="cdr_operator")
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    id_token = UnicodeAttribute()
    started_at = MomentAttribute()
    ended_at = MomentAttribute()
    energy_wh = NumberAttribute()
    total_cost = MoneyAttribute()
    captured = MoneyAttribute()
    uncollected = MoneyAttribute()
    business_day = UnicodeAttribute()
    lines = ValueAttribute(list[dict[str, Any]])
    location_id = UnicodeAttribute(null=True)
    driver_id = UnicodeAttribute(null=True, attr_name="cdr_driver")
    tariff_id = UnicodeAttribute(null=True)
    tariff_version = NumberAttribute(null=True)
    stop_reason = UnicodeAttribute(null=True)
    abnormal_cause = UnicodeAttribute(null=True)
    enterprise_id = UnicodeAttribute(null=True)
    payment_id = UnicodeAttribute(null=True)
    agency_id = UnicodeAttribute(null=True)
    captured_tax = MoneyAttribute(null=True)
    credit_reference_id = UnicodeAttribute(null=True)
    operator_day = UnicodeAttribute()
    enterprise_month = UnicodeAttribute(null=True)
    by_day = CdrsByDay()
    by_enterprise = CdrsByEnterprise()


def cdr_key(session_id: str, cdr_id: str) -> tuple[str, str]:
    """All CDRs of a session stand beside each other: the first, what takes it back, what replaces it, and so on."""
    number, is_credit = place_of(cdr_id)
    if is_credit:
        return session_pk(session_id), f"{CDR_SK}#credit#{number}"
    return session_pk(session_id), CDR_SK if number == 1 else f"{CDR_SK}#{number}"


def enterprise_month(enterprise_id: str, month: str) -> str:
    return f"{enterprise_id}#{month}"


CDRS: Table[Cdr] = Table(
    CdrRow,
    Cdr,
    key=lambda cdr: cdr_key(cdr.session_id, cdr.cdr_id),
    extra=lambda cdr: {
        "operator_day": f"{cdr.operator_id}#{cdr.business_day}",
        "enterprise_month": enterprise_month(cdr.enterprise_id, cdr.business_day[:7]) if cdr.enterprise_id else None,
    },
)
CDR_TOTALS: Table[CdrTotals] = Table(CdrRow, CdrTotals, key=lambda entry: cdr_key(entry.session_id, entry.cdr_id))
