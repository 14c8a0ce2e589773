"""Batches of vouchers: made, handed out, blocked; their codes, and what became of each (decision 0062).

Called by the wallets' own endpoints. Nothing is committed here but the rows by which codes are found: they never
change, and without their batch they say nothing. Codes are not stored: they are made of a key of the deployment's own,
again whenever somebody may see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.settings import check_topup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, Step, cursor_invalid, decode_cursor, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import model
from chalicelib.wallets.model import voucher_codes
from chalicelib.wallets.model import vouchers as rules
from chalicelib.wallets.model.vouchers import (
    BATCH_LIFECYCLE,
    BatchOwner,
    Voucher,
    VoucherBatch,
    VoucherCard,
    VoucherUse,
)
from chalicelib.wallets.service.credit import check_credit
from chalicelib.wallets.store import (
    BATCH_OWNERS,
    VOUCHER_BATCHES,
    VOUCHER_CARDS,
    VOUCHER_USES,
    VoucherBatchRow,
    batch_owner_key,
    batches_pk,
    voucher_card_key,
    voucher_use_key,
)

KEY_NAME: Final = "voucher-key"
"""Several keys may stand in the secret, with blanks between them: the first makes new batches, the others are known."""
_READ_AT_ONCE: Final = 100


@dataclass(frozen=True)
class NewBatch:
    batch_id: str
    owner_id: str
    name: str
    face_value: Money
    size: int
    valid_until: datetime
    created_by: str
    note: str | None = None


def create_batch(uow: UnitOfWork, new: NewBatch) -> VoucherBatch:
    """Makes a batch; nothing can be redeemed before it is activated. A request that is tried again finds its own.

    Raises wallet.amount_invalid, wallet.amount_out_of_bounds, currency.invalid, voucher_batch.currency,
    voucher_batch.size, voucher_batch.valid_until, voucher_batch.too_many.
    """
    ctx = uow.ctx
    known = VOUCHER_BATCHES.get(ctx, batches_pk(new.owner_id), new.batch_id)
    if known is not None:
        return known
    key = _keys(ctx)[0]
    batch = VoucherBatch(
        batch_id=new.batch_id,
        owner_id=new.owner_id,
        name=new.name,
        face_value=new.face_value,
        size=new.size,
        valid_until=new.valid_until,
        state=BATCH_LIFECYCLE.initial,
        key_id=voucher_codes.key_id(key),
        created_at=ctx.now(),
        created_by=new.created_by,
        note=new.note,
    )
    model.check_amount(batch.face_value)
    check_topup(identity.payments_of(ctx, batch.owner_id), batch.face_value)
    currency = None if batch.owner_id == PLATFORM_ID else identity.get_organization(ctx, batch.owner_id).currency
    rules.check_batch(batch, currency=currency, now=ctx.now())
    _check_number(ctx, batch.owner_id)
    VOUCHER_CARDS.batch_put(ctx, [_card(key, batch, number) for number in range(1, batch.size + 1)])
    uow.create(VOUCHER_BATCHES, batch)
    uow.create(BATCH_OWNERS, BatchOwner(batch.batch_id, batch.owner_id))
    return batch


def activate_batch(uow: UnitOfWork, batch: VoucherBatch) -> VoucherBatch:
    """Its vouchers are handed out, and may be redeemed. Said twice, it is as said once.

    More than its owner may owe the platform, with all that it has handed out before, is refused: nobody shall buy what
    cannot be redeemed. That is looked at, not reserved: the bound itself is where vouchers are redeemed. Raises
    operator.credit_exhausted, voucher_batch.over.
    """
    if batch.state == "active":
        return batch
    if batch.is_over(uow.ctx.now()):
        raise conflict("voucher_batch.over", "These vouchers are not valid any more.")
    if batch.owner_id != PLATFORM_ID:
        outstanding = _outstanding(uow.ctx, batch.owner_id, batch.face_value.currency)
        check_credit(uow.ctx, batch.owner_id, outstanding + batch.worth(batch.outstanding))
    return _move(uow, batch, "activate")


def block_batch(uow: UnitOfWork, batch: VoucherBatch) -> VoucherBatch:
    """None of its vouchers is redeemed until it is activated again. Said twice, it is as said once."""
    return batch if batch.state == "blocked" else _move(uow, batch, "block")


def list_codes(uow: UnitOfWork, batch: VoucherBatch) -> tuple[VoucherBatch, list[tuple[Voucher, str]]]:
    """All vouchers of a batch with their codes as they are printed; the batch keeps that they were listed. Raises
    voucher_batch.key_gone."""
    key = _key_of(uow.ctx, batch)
    if key is None:
        raise rules.key_gone()
    now = uow.ctx.now()
    listed = replace(batch, codes_listed=batch.codes_listed + 1, codes_listed_at=now)
    uow.update(
        VOUCHER_BATCHES,
        VOUCHER_BATCHES.key_of(batch),
        [
            VoucherBatchRow.codes_listed.set(listed.codes_listed),
            VoucherBatchRow.codes_listed_at.set(now),
        ],
        condition=VoucherBatchRow.codes_listed == batch.codes_listed,
        on_conflict=StaleRead("The batch"),
        name="codes listed",
    )
    numbers = range(1, batch.size + 1)
    return listed, [(Voucher(batch, number), _printed(key, batch, number)) for number in numbers]


def void_voucher(uow: UnitOfWork, voucher: Voucher, *, reason: str, by: str) -> Voucher:
    """Takes one voucher back: lost, stolen, misprinted. Said twice, the first reason stays. Raises voucher.redeemed
    (409)."""
    if voucher.use is not None:
        if voucher.use.kind == "void":
            return voucher
        raise conflict("voucher.redeemed", "This voucher was redeemed before.")
    batch = voucher.batch
    use = VoucherUse(batch.batch_id, voucher.number, "void", uow.ctx.now(), by, reason=reason)
    uow.create(VOUCHER_USES, use, on_conflict=StaleRead("The voucher"))
    uow.update(
        VOUCHER_BATCHES,
        VOUCHER_BATCHES.key_of(batch),
        [VoucherBatchRow.voided.add(1)],
        condition=VoucherBatchRow.pk.exists(),
        name="voided",
    )
    return replace(voucher, use=use)


def require_batch(ctx: Context, batch_id: str) -> VoucherBatch:
    """Raises voucher_batch.not_found."""
    owner = BATCH_OWNERS.get(ctx, *batch_owner_key(batch_id))
    batch = None if owner is None else VOUCHER_BATCHES.get(ctx, batches_pk(owner.owner_id), batch_id)
    if batch is None:
        raise not_found("voucher_batch", batch_id)
    return batch


def require_voucher(ctx: Context, voucher_id: str) -> Voucher:
    """Raises voucher.not_found."""
    named = rules.parse_voucher_id(voucher_id)
    owner = None if named is None else BATCH_OWNERS.get(ctx, *batch_owner_key(named[0]))
    if named is None or owner is None:
        raise not_found("voucher", voucher_id)
    batch_id, number = named
    batch = require_batch(ctx, batch_id)
    if number > batch.size:
        raise not_found("voucher", voucher_id)
    return Voucher(batch, number, VOUCHER_USES.get(ctx, *voucher_use_key(batch_id, number)))


def find_by_code(ctx: Context, code: str) -> Voucher | None:
    """The voucher with this code, whichever of the known keys it was made of. None where there is none."""
    hashes = [voucher_codes.code_hash(key, code) for key in _keys(ctx)]
    for card in VOUCHER_CARDS.batch_get(ctx, [voucher_card_key(each) for each in hashes]):
        batch = VOUCHER_BATCHES.get(ctx, batches_pk(card.owner_id), card.batch_id)
        if batch is not None:  # else its making broke off, and nobody has its codes
            return Voucher(batch, card.number, VOUCHER_USES.get(ctx, *voucher_use_key(card.batch_id, card.number)))
    return None


def list_batches(
    ctx: Context,
    owner_id: str,
    *,
    keep: Callable[[VoucherBatch], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[VoucherBatch]:
    """An owner's batches, newest first."""
    return page_of(VOUCHER_BATCHES.walk(ctx, batches_pk(owner_id), newest_first=True, cursor=cursor), limit, keep)


def list_vouchers(
    ctx: Context,
    batch: VoucherBatch,
    *,
    keep: Callable[[Voucher], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Voucher]:
    """The vouchers of a batch by number."""
    return page_of(_walk_vouchers(ctx, batch, cursor), limit, keep)


def last_characters(ctx: Context, batch: VoucherBatch) -> Callable[[int], str | None]:
    """Gives by number the last four characters of a code: by these people tell cards apart. None where the key is
    gone."""
    key = _key_of(ctx, batch)
    return lambda number: None if key is None else voucher_codes.code_of(key, batch.batch_id, number)[-4:]


def _walk_vouchers(ctx: Context, batch: VoucherBatch, cursor: str | None) -> Iterator[Step[Voucher]]:
    first = 1
    if cursor is not None:
        text = decode_cursor(cursor).get("number", {}).get("N", "")
        if not (text.isascii() and text.isdecimal() and len(text) <= 4):
            raise cursor_invalid()
        first = int(text) + 1
    for start in range(first, batch.size + 1, _READ_AT_ONCE):
        numbers = range(start, min(start + _READ_AT_ONCE, batch.size + 1))
        uses = VOUCHER_USES.batch_get(ctx, [voucher_use_key(batch.batch_id, number) for number in numbers])
        by_number = {use.number: use for use in uses}
        for number in numbers:
            yield Voucher(batch, number, by_number.get(number)), {"number": {"N": str(number)}}


def _batches_of(ctx: Context, owner_id: str) -> Iterator[VoucherBatch]:
    return VOUCHER_BATCHES.query_all(ctx, batches_pk(owner_id), consistent=True)


def _check_number(ctx: Context, owner_id: str) -> None:
    now = ctx.now()
    if sum(1 for batch in _batches_of(ctx, owner_id) if not batch.is_over(now)) >= rules.MAX_BATCHES:
        detail = f"There are {rules.MAX_BATCHES} batches whose vouchers are valid; use those first."
        raise conflict("voucher_batch.too_many", detail)


def _outstanding(ctx: Context, owner_id: str, currency: str) -> Money:
    """What drivers may still redeem of what the owner has handed out."""
    now, total = ctx.now(), Money.zero(currency)
    for batch in _batches_of(ctx, owner_id):
        if batch.state == "active" and batch.face_value.currency == currency and not batch.is_over(now):
            total += batch.worth(batch.outstanding)
    return total


def _move(uow: UnitOfWork, batch: VoucherBatch, event: str) -> VoucherBatch:
    """By attribute, so that what is redeemed in the same moment is counted."""
    moved = replace(batch, state=BATCH_LIFECYCLE.next(batch.state, event))
    uow.update(
        VOUCHER_BATCHES,
        VOUCHER_BATCHES.key_of(batch),
        [VoucherBatchRow.state.set(moved.state)],
        condition=VoucherBatchRow.state == batch.state,
        on_conflict=StaleRead("The batch"),
        name="state of the batch",
    )
    return moved


def _card(key: str, batch: VoucherBatch, number: int) -> VoucherCard:
    code = voucher_codes.code_of(key, batch.batch_id, number)
    return VoucherCard(voucher_codes.code_hash(key, code), batch.owner_id, batch.batch_id, number)


def _printed(key: str, batch: VoucherBatch, number: int) -> str:
    return voucher_codes.grouped(voucher_codes.code_of(key, batch.batch_id, number))


def _key_of(ctx: Context, batch: VoucherBatch) -> str | None:
    return next((key for key in _keys(ctx) if voucher_codes.key_id(key) == batch.key_id), None)


def _keys(ctx: Context) -> list[str]:
    return ctx.secret(KEY_NAME).split()
