"""Vouchers: credit that an organisation sells at a counter, as cards with a code. Pure.

A batch is made, handed out (active), perhaps blocked. A voucher has no row of its own until it is used: redeemed, or
taken back (void). Invariants: a voucher is used once; what one puts into a wallet its seller has taken in cash, and
owes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError, conflict, invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.ledger import model as ledger
from chalicelib.ledger.model import Entry, Posting
from chalicelib.wallets.model.topups import TopUpRecord, record_id_of

BatchState = Literal["draft", "active", "blocked"]
VoucherState = Literal["draft", "active", "blocked", "expired", "redeemed", "void"]
UseKind = Literal["redeemed", "void"]

MAX_VOUCHERS: Final = 5_000
"""Of one batch."""
MAX_BATCHES: Final = 500
"""Of one owner, those that are over not counted."""
MAX_VALIDITY: Final = timedelta(days=3653)
MAX_TRIES: Final = 20
MAX_WRONG_PER_IP: Final = 100
TRIES_WINDOW: Final = timedelta(hours=1)

BATCH_LIFECYCLE: Lifecycle[BatchState] = Lifecycle(
    noun="voucher_batch",
    initial="draft",
    transitions={
        ("draft", "activate"): "active",
        ("draft", "block"): "blocked",
        ("active", "block"): "blocked",
        ("blocked", "activate"): "active",
    },
)


@dataclass(frozen=True)
class VoucherBatch:
    """`key_id` names the key that the codes are made of; `codes_listed` counts how often somebody had them shown."""

    batch_id: str
    owner_id: str
    name: str
    face_value: Money
    size: int
    valid_until: datetime
    state: BatchState
    key_id: str
    created_at: datetime
    created_by: str
    note: str | None = None
    redeemed: int = 0
    voided: int = 0
    codes_listed: int = 0
    codes_listed_at: datetime | None = None

    @property
    def outstanding(self) -> int:
        """Vouchers that nobody has used."""
        return self.size - self.redeemed - self.voided

    def worth(self, vouchers: int) -> Money:
        return Money(vouchers * self.face_value.amount, self.face_value.currency)

    def is_over(self, now: datetime) -> bool:
        return now >= self.valid_until


@dataclass(frozen=True)
class VoucherCard:
    """Where the voucher with a code is found. Never changes, so that making a batch twice does no harm."""

    code_hash: str
    owner_id: str
    batch_id: str
    number: int


@dataclass(frozen=True)
class VoucherUse:
    """A voucher was redeemed (`driver_id`, `entry_id`) or made void (`reason`). A fact: it never changes."""

    batch_id: str
    number: int
    kind: UseKind
    used_at: datetime
    used_by: str
    driver_id: str | None = None
    entry_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class BatchOwner:
    """Whose batch it is: where to find it by its id alone."""

    batch_id: str
    owner_id: str


@dataclass(frozen=True)
class Voucher:
    """One voucher of a batch, and what became of it."""

    batch: VoucherBatch
    number: int
    use: VoucherUse | None = None

    @property
    def voucher_id(self) -> str:
        return f"{self.batch.batch_id}-{self.number:04d}"

    def state_at(self, now: datetime) -> VoucherState:
        if self.use is not None:
            return self.use.kind
        return "expired" if self.batch.is_over(now) else self.batch.state


def parse_voucher_id(voucher_id: str) -> tuple[str, int] | None:
    """`(batch id, number)`; None for what is no voucher's id."""
    batch_id, _, number = voucher_id.rpartition("-")
    is_number = number.isascii() and number.isdecimal() and len(number) == 4
    return (batch_id, int(number)) if batch_id and is_number and int(number) else None


def check_batch(batch: VoucherBatch, *, currency: str | None, now: datetime) -> VoucherBatch:
    """`currency`: the only one that the owner may use; None for any. Raises voucher_batch.currency,
    voucher_batch.size, voucher_batch.valid_until."""
    if currency is not None and batch.face_value.currency != currency:
        detail = f"What vouchers put into wallets is settled in {currency}: they must be in it."
        raise invalid("voucher_batch.currency", detail, "/face_value/currency")
    if not 0 < batch.size <= MAX_VOUCHERS:
        raise invalid("voucher_batch.size", f"A batch has 1 to {MAX_VOUCHERS} vouchers.", "/count")
    if not now < batch.valid_until <= now + MAX_VALIDITY:
        raise invalid(
            "voucher_batch.valid_until", "Vouchers are good for some time, at most ten years.", "/valid_until"
        )
    return batch


def voucher_entry(voucher: Voucher, driver_id: str, *, business_day: str, now: datetime) -> Entry:
    """The seller of a voucher has taken cash for a wallet. `business_day` is the seller's."""
    face = voucher.batch.face_value
    wallet = ledger.wallet_account(driver_id, face.currency)
    cash = ledger.cash_account(voucher.batch.owner_id, face.currency)
    return Entry(
        entry_id=ids.derived_id("ent", now, voucher.voucher_id),
        home_account_id=wallet,
        kind="voucher",
        currency=face.currency,
        postings=[Posting(wallet, face.amount), Posting(cash, -face.amount)],
        occurred_at=now,
        source_id=voucher.voucher_id,
        business_day=business_day,
        note=voucher.batch.name,
    )


def voucher_records(
    voucher: Voucher, entry: Entry, driver_id: str, entered_by: str | None, platform_id: str
) -> list[TopUpRecord]:
    """The lines of a redeemed voucher in the lists of its seller and of the platform."""
    owner_id = voucher.batch.owner_id
    record = TopUpRecord(
        record_id=record_id_of(entry),
        listed_for=platform_id,
        source="voucher",
        driver_id=driver_id,
        amount=voucher.batch.face_value,
        occurred_at=entry.occurred_at,
        transaction_id=entry.entry_id,
        operator_id=owner_id,
        voucher_id=voucher.voucher_id,
        reason=entry.note,
        entered_by=entered_by,
    )
    return [replace(record, listed_for=listed_for) for listed_for in dict.fromkeys((platform_id, owner_id))]


# -- what is said -----------------------------------------------------------------------------------------------------


def code_invalid() -> DomainError:
    """One error for codes that are mistyped, made up, or of a batch that one may not redeem."""
    return invalid("voucher.code_invalid", "This is not the code of a voucher; see whether it is typed right.", "/code")


_REFUSALS: Final = {
    "draft": ("voucher.not_active", "This voucher was not handed out yet; ask where you got it."),
    "blocked": ("voucher.blocked", "This voucher is blocked; ask where you got it."),
    "expired": ("voucher.expired", "This voucher is not valid any more."),
    "redeemed": ("voucher.redeemed", "This voucher was redeemed before."),
    "void": ("voucher.void", "This voucher was taken back; ask where you got it."),
}


def refusal_of(state: VoucherState) -> DomainError | None:
    """Why a voucher in this state is not redeemed; said only to who has the right code. None: it is."""
    return None if state == "active" else conflict(*_REFUSALS[state])


def not_covered() -> DomainError:
    """Who sold the voucher owes as much as the platform lets it: nothing is lost, and the driver cannot help it."""
    detail = (
        "The voucher is good, but cannot be redeemed right now: who sold it has to settle with the platform first. "
        "Nothing is lost; try again later."
    )
    return conflict("voucher.not_covered", detail)


def key_gone() -> DomainError:
    return conflict("voucher_batch.key_gone", "The key of this batch was taken away: its codes are not made any more.")
