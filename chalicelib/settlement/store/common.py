"""Where rows of settlement stand: the table, and the keys that several kinds of rows share. Private to settlement."""

from __future__ import annotations

from chalicelib.kernel.context import table_name

TABLE = table_name("settlement")


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def organization_pk(organization_id: str) -> str:
    return f"organization#{organization_id}"


def of_organization(organization_id: str, rest: str) -> str:
    """Below a list of everybody's, an organisation's own stand together."""
    return f"{organization_id}#{rest}"
