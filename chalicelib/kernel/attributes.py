"""PynamoDB attributes for the kernel's own types: moments, money, decimals, and msgspec-encoded values."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from pynamodb.attributes import Attribute
from pynamodb.constants import STRING

from chalicelib.kernel.clock import from_rfc3339, to_rfc3339
from chalicelib.kernel.money import Money


class MomentAttribute(Attribute[datetime]):
    """RFC 3339 in UTC with milliseconds: readable, and sorts as time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return to_rfc3339(value)

    def deserialize(self, value: str) -> datetime:
        return from_rfc3339(value)


class MoneyAttribute(Attribute[Money]):
    """`"1234 EUR"`. Balances that are counted in the store use a number attribute instead."""

    attr_type = STRING

    def serialize(self, value: Money) -> str:
        return f"{value.amount} {value.currency}"

    def deserialize(self, value: str) -> Money:
        amount, currency = value.split(" ")
        return Money(int(amount), currency)


class DecimalAttribute(Attribute[Decimal]):
    attr_type = STRING

    def serialize(self, value: Decimal) -> str:
        return str(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class ValueAttribute(Attribute[Any]):
    """A nested value (dataclass, list, dict) as compact JSON text; `shape` is what it is read back as."""

    attr_type = STRING

    def __init__(self, shape: Any, *, null: bool = False, default: Any = None) -> None:
        super().__init__(null=null, default=default)
        self._decoder = msgspec.json.Decoder(shape)

    def serialize(self, value: Any) -> str:
        return msgspec.json.encode(value).decode()

    def deserialize(self, value: str) -> Any:
        return self._decoder.decode(value)
