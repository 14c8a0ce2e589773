"""What a charger remembers of a customer, told in parts on request (OCPP 2.0.1 N09). Pure.

Data of people: kept no longer than whoever asked needs to read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

RETENTION: Final = timedelta(days=30)
MAX_SEQ_NO: Final = 999
MAX_PART: Final = 2_000
"""OCPP has 512 characters; who sends more is cut, not lost."""


@dataclass(frozen=True)
class InformationPart:
    """One message of the report to `request_id`; `last` is on the one after which nothing comes."""

    charger_id: str
    operator_id: str
    request_id: int
    seq_no: int
    data: str
    last: bool
    received_at: datetime


@dataclass(frozen=True)
class CustomerInformation:
    """All that came for one request. `is_complete`: the last part came, and none before it is missing."""

    request_id: int
    text: str
    parts: int
    is_complete: bool
    received_at: datetime


def assemble(parts: Iterable[InformationPart]) -> CustomerInformation | None:
    """The text of all parts in their order, whatever order they came in. None without any."""
    ordered = sorted(parts, key=lambda part: part.seq_no)
    if not ordered:
        return None
    numbers = [part.seq_no for part in ordered]
    return CustomerInformation(
        request_id=ordered[0].request_id,
        text="".join(part.data for part in ordered),
        parts=len(ordered),
        is_complete=ordered[-1].last and numbers == list(range(len(ordered))),
        received_at=max(part.received_at for part in ordered),
    )
