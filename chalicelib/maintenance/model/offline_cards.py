"""Which cards chargers are to know by themselves, and when they are told. Pure.

An operator's policy says whether, whose, and how much money the driver must have. A change marks what is due; what is
due is done after a pause, so that a thousand changes are one synchronisation. What there is to know is composed once
for all chargers of an operator, the cards that were used last first, since a charger's list has an end.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from chalicelib.drivers.model import IdToken, id_token_key
from chalicelib.kernel.errors import invalid
from chalicelib.maintenance.model.local_lists import MAX_ENTRIES, ListEntry, by_key, entry_of

MAX_MIN_BALANCE: Final = 1_000_000
"""Minor units: more than anybody has in a wallet to charge a car."""
QUIET: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=5)
"""An operator's chargers are told when nothing has changed for a while, or has for that long."""
AFTER_BOOT: Final = timedelta(seconds=60)
"""A charger that boots is asked for its configuration first: how long its list may be is in it."""
AFTER_BUSY: Final = timedelta(minutes=2)
AFTER_OFFLINE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A charger that was away for longer has its turn when it boots, or with the nightly round."""
COMPOSED_FOR: Final = timedelta(minutes=10)
"""How long one composition serves chargers that boot one after the other."""


@dataclass(frozen=True)
class LocalListPolicy:
    """Whether an operator's chargers know cards by themselves. `drivers_cards`: also those that drivers on the
    operator's list added. `min_balance`: minor units that the driver must have when the list is made (0: none)."""

    operator_id: str
    enabled: bool = True
    drivers_cards: bool = True
    min_balance: int = 1
    revision: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True)
class ListDue:
    """A synchronisation that is due: of one charger, or (None) of all of the operator's. It is done from `not_before`
    on, which each change moves, or at `no_later`, which none does."""

    operator_id: str
    not_before: datetime
    no_later: datetime
    charger_id: str | None = None

    def is_due(self, now: datetime) -> bool:
        return now >= min(self.not_before, self.no_later)


@dataclass(frozen=True)
class Composition:
    """What an operator's chargers are to know, the cards that were used last first; `left_out` found no room even
    here."""

    operator_id: str
    composed_at: datetime
    entries: list[ListEntry] = field(default_factory=list)
    left_out: int = 0

    def within(self, room: int) -> tuple[dict[str, ListEntry], int]:
        """What a list of that length gets, by key, and how many cards it leaves out."""
        chosen = by_key((id_token_key(entry.id_token), entry) for entry in self.entries[:room])
        return chosen, self.left_out + max(0, len(self.entries) - room)


def compose(operator_id: str, cards: Iterable[IdToken], now: datetime) -> Composition:
    """Of these cards, which must differ. Bounded: no list is longer than MAX_ENTRIES."""
    count = 0

    def counted() -> Iterable[IdToken]:
        nonlocal count
        for card in cards:
            count += 1
            yield card

    chosen = heapq.nsmallest(MAX_ENTRIES, counted(), key=_rank)
    entries = [entry_of(card.id_token, card.expires_at, card.group) for card in chosen]
    return Composition(operator_id, now, entries, count - len(entries))


def _rank(card: IdToken) -> tuple[float, str]:
    """By latest use, or since when there is the card; always the same."""
    return -(card.last_used_at or card.created_at).timestamp(), id_token_key(card.id_token)


def digest_of(entries: dict[str, ListEntry]) -> str:
    """By which two lists are told apart without reading them."""
    return hashlib.sha256(msgspec.json.encode(entries)).hexdigest()[:32]


def is_payable(card: IdToken, operator_id: str, balance: int, min_balance: int) -> bool:
    """Nobody can be asked while the charger is offline: the money must be there when the list is made. Where an
    enterprise pays at this operator, its limits are the operator's own risk."""
    return operator_id in card.enterprises or balance >= min_balance


def check_policy(min_balance: int) -> None:
    """Raises local_list_policy.min_balance (422)."""
    if not 0 <= min_balance <= MAX_MIN_BALANCE:
        raise invalid("local_list_policy.min_balance", f"0 to {MAX_MIN_BALANCE} minor units.", "/min_balance")
