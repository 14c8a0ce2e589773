"""Time to live: which second an item expires, read from the table's attribute."""

from __future__ import annotations

from infra.local.dynamodb import decimals
from infra.local.dynamodb.values import Item

# What lies further back than five years is taken for a mistake and never expires (AWS "Using TTL").
MAX_AGE_S = 5 * 365 * 24 * 3600
_LATEST_S = 1 << 62


def expiry_of(item: Item, attribute: str) -> int | None:
    """Epoch seconds; None if the attribute is missing or no number."""
    raw = item.get(attribute, {}).get("N")
    if raw is None:
        return None
    second = int(decimals.decimal(raw))
    return second if abs(second) < _LATEST_S else None
