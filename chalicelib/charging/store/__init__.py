"""The table of charging, private to this folder: whose rows stand under which key.

`sessions` has the charging sessions, `transactions` what chargers tell of them, `cdrs` what they are billed by,
`reservations` who keeps an EVSE.

Only session rows may carry `operator_id`, `driver_id` and `session_id` under these names: they are the keys of the
session indexes, and a row that had them would be listed (and paid for) there. Other rows store them as `attr_name`
says.
"""

from __future__ import annotations

from chalicelib.charging.model import TransactionId
from chalicelib.kernel.context import table_name

TABLE = table_name("charging")


def session_pk(session_id: str) -> str:
    return f"session#{session_id}"


def charger_pk(charger_key: str) -> str:
    return f"charger#{charger_key}"


def transaction_pk(charger_key: str, transaction_id: TransactionId) -> str:
    """Where the readings of a 2.x transaction are: there before any session is."""
    return f"transaction#{charger_key}#{transaction_id}"


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def driver_pk(driver_id: str) -> str:
    return f"driver#{driver_id}"
