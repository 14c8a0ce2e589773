"""Id tokens: configured, claimed, bound, blocked.

The driver's row is the truth about the driver's cards and standing; each id token's row carries a copy of what
Authorize must know, written in the same transaction. Both are guarded by the driver's revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pynamodb.expressions.update import Action

from chalicelib.drivers.model import (
    MAX_CARDS,
    USED_AGAIN_AFTER,
    Driver,
    FormerOwner,
    IdToken,
    IdTokenStatus,
    after_claim,
    check_id_token,
    check_not_reserved,
    id_token_key,
    in_the_drawer,
    is_id_token,
    numbers_meant,
    written_otherwise,
)
from chalicelib.drivers.service.announcing import announce_card
from chalicelib.drivers.service.profiles import require_driver, save_driver
from chalicelib.drivers.store import (
    CLAIM_COUNTS,
    FORMER_OWNERS,
    ID_TOKENS,
    ClaimCountRow,
    IdTokenRow,
    claims_key,
    former_key,
    token_key,
)
from chalicelib.identity.model import shown_line
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, conflict, not_found
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_LINES: Final = frozenset({"note", "visual_number"})


def find_id_token(ctx: Context, id_token: str, *, consistent: bool) -> IdToken | None:
    """In whatever case. Eventually consistent reads cost half a unit: enough for Authorize."""
    return ID_TOKENS.get(ctx, *token_key(id_token), consistent=consistent)


def find_former_owner(ctx: Context, id_token: str) -> FormerOwner | None:
    """Who had the card last, if somebody had."""
    return FORMER_OWNERS.get(ctx, *former_key(id_token), consistent=False)


def require_card(ctx: Context, id_token: str) -> IdToken:
    """Raises id_token.not_found, also for the token of an app: that is not a card."""
    card = find_id_token(ctx, id_token, consistent=True)
    if card is None or card.kind != "card":
        raise not_found("id_token", id_token)
    return card


def add_card(
    uow: UnitOfWork,
    *,
    id_token: str,
    operator_id: str | None,
    driver: Driver | None,
    note: str | None = None,
    expires_at: datetime | None = None,
    group_id: str | None = None,
    visual_number: str | None = None,
    claimable: bool = True,
) -> IdToken:
    """Configures a card for an operator, for a driver, or both. The number of a retired card is free. A UID that is
    known in another writing is the same card.

    Raises id_token.invalid, id_token.reserved, id_token.exists (409), id_token.too_many (409).
    """
    id_token = check_id_token(id_token)
    exists = conflict("id_token.exists", f"The id token {id_token!r} is in use already.", "/id_token")
    known = find_id_token(uow.ctx, id_token, consistent=True)
    same_card = ID_TOKENS.batch_get(uow.ctx, [token_key(form) for form in written_otherwise(id_token)])
    if any(not card.is_retired for card in (known, *same_card) if card is not None):
        raise exists
    check_not_reserved(id_token)
    card = IdToken(
        id_token,
        "card",
        "active",
        uow.ctx.now(),
        operator_id=operator_id,
        expires_at=expires_at,
        group_id=group_id,
        note=shown_line(note),
        visual_number=shown_line(visual_number),
        claimable=claimable,
    )
    if driver is not None:
        card = _bound(uow, card, driver)
    if known is None:
        uow.create(ID_TOKENS, card, on_conflict=exists)
    else:
        uow.put(ID_TOKENS, card, condition=IdTokenRow.status == "retired", on_conflict=exists)
    announce_card(uow, card)
    return card


def count_claim(uow: UnitOfWork, driver_id: str) -> None:
    """One more number that this driver tries. To be committed before the number is looked at: who guesses pays for
    wrong ones, too. Raises id_token.too_many_claims (429)."""
    known = CLAIM_COUNTS.get(uow.ctx, *claims_key(driver_id))
    count = after_claim(known, driver_id, uow.ctx.now())
    if known is None:
        uow.create(CLAIM_COUNTS, count)
        return
    unchanged = (ClaimCountRow.made == known.made) & (ClaimCountRow.since == known.since)
    uow.put(CLAIM_COUNTS, count, condition=unchanged, name="claims")


def claim_card(uow: UnitOfWork, driver: Driver, typed: str) -> IdToken:
    """A driver types the number of a card (`numbers_meant`): a new one, or one that an operator configured, lets
    drivers take, and nobody has yet.

    Raises id_token.invalid, id_token.reserved, id_token.bound (409) if it is not to be had, whoever has it,
    id_token.too_many.
    """
    numbers = [number for number in numbers_meant(typed) if is_id_token(number)]
    if not numbers:
        check_id_token(typed)
    for number in numbers:
        known = find_id_token(uow.ctx, number, consistent=True)
        if known is not None and not known.is_retired:
            if not known.claimable and known.driver_id is None:
                raise _taken(known.id_token)
            return bind_card(uow, known, driver)
    return add_card(uow, id_token=numbers[-1], operator_id=None, driver=driver)


def bind_card(uow: UnitOfWork, card: IdToken, driver: Driver) -> IdToken:
    """Gives a card to a driver; the second click changes nothing. Raises id_token.bound (409), id_token.retired (409),
    id_token.too_many."""
    if card.driver_id == driver.driver_id and card.kind == "card":
        return card
    if card.driver_id is not None or card.kind != "card":
        raise _taken(card.id_token)
    _check_in_use(card)
    bound = _bound(uow, card, driver)
    free = IdTokenRow.pk.exists() & IdTokenRow.driver_id.does_not_exist() & (IdTokenRow.status == card.status)
    uow.put(ID_TOKENS, bound, condition=free)
    announce_card(uow, bound)
    return bound


def unbind_card(uow: UnitOfWork, card: IdToken) -> IdToken:
    """Takes a card from its driver: an operator's card goes back to the drawer, a driver's own one is forgotten."""
    if card.driver_id is None:
        return card
    owner = IdTokenRow.driver_id == card.driver_id
    driver = require_driver(uow.ctx, card.driver_id)
    free = in_the_drawer(card)
    if card.operator_id is None:
        uow.delete(ID_TOKENS, token_key(card.id_token), condition=owner, name="id token")
    else:
        uow.put(ID_TOKENS, free, condition=owner)
    key = id_token_key(card.id_token)
    save_driver(uow, driver, replace(driver, id_tokens=[known for known in driver.id_tokens if known != key]))
    uow.put(FORMER_OWNERS, FormerOwner(card.id_token, driver.driver_id, uow.ctx.now()))
    announce_card(uow, card)
    return free


def change_card(uow: UnitOfWork, card: IdToken, changes: Mapping[str, Any]) -> IdToken:
    """Blocks or unblocks a card (`status`), changes its note, expiry, group and the like (None or blanks remove).

    Raises id_token.retired (409)."""
    _check_in_use(card)
    if not changes:
        return card
    changes = {name: shown_line(value) if name in _LINES else value for name, value in changes.items()}
    present = IdTokenRow.pk.exists() & (IdTokenRow.status != "retired")
    actions = actions_of(IdTokenRow, changes)
    uow.update(ID_TOKENS, token_key(card.id_token), actions, condition=present, name="id token")
    changed = replace(card, **changes)
    if _says(changed) != _says(card):
        announce_card(uow, card)
    return changed


def retire_card(uow: UnitOfWork, card: IdToken) -> IdToken:
    """Takes a card out of the drawer; the second click changes nothing. Raises id_token.bound (409) for a driver's."""
    if card.is_retired:
        return card
    if card.driver_id is not None:
        raise conflict("id_token.bound", "A driver has this card: take it back first, or block it.")
    return _set_standing(uow, card, "retired", was=card.status)


def restore_card(uow: UnitOfWork, card: IdToken) -> IdToken:
    """Puts a retired card back into the drawer, unblocked; the second click changes nothing."""
    return _set_standing(uow, card, "active", was="retired") if card.is_retired else card


def note_card_used(uow: UnitOfWork, id_token: str, at: datetime) -> None:
    """The card began a charge at that moment. Written when it was not used for an hour; other tokens leave no trace."""
    card = find_id_token(uow.ctx, id_token, consistent=False)
    if card is None or card.kind != "card":
        return
    at = min(at, uow.ctx.now())
    if card.last_used_at is None or at - card.last_used_at >= USED_AGAIN_AFTER:
        present = IdTokenRow.pk.exists()
        uow.update(
            ID_TOKENS, token_key(id_token), [IdTokenRow.last_used_at.set(at)], condition=present, name="id token"
        )


def _set_standing(uow: UnitOfWork, card: IdToken, status: IdTokenStatus, *, was: IdTokenStatus) -> IdToken:
    unchanged = (IdTokenRow.status == was) & IdTokenRow.driver_id.does_not_exist()
    actions: list[Action] = [IdTokenRow.status.set(status)]
    uow.update(ID_TOKENS, token_key(card.id_token), actions, condition=unchanged, name="id token")
    return replace(card, status=status)


def _check_in_use(card: IdToken) -> None:
    if card.is_retired:
        raise conflict("id_token.retired", "This card is retired; restore it first.")


def _taken(id_token: str) -> DomainError:
    return conflict("id_token.bound", f"The id token {id_token!r} is not free.")


def _says(card: IdToken) -> tuple[object, ...]:
    """What of a card chargers are told."""
    return card.status, card.expires_at, card.group_id


def _bound(uow: UnitOfWork, card: IdToken, driver: Driver) -> IdToken:
    """The card as the driver's, and the driver's row with it. Writes the latter only."""
    if len(driver.id_tokens) >= MAX_CARDS:
        raise conflict("id_token.too_many", f"A driver has at most {MAX_CARDS} cards.")
    save_driver(uow, driver, replace(driver, id_tokens=[*driver.id_tokens, id_token_key(card.id_token)]))
    return replace(
        card,
        driver_id=driver.driver_id,
        driver_active=driver.state == "active",
        refused_by=list(driver.inactive_at),
        enterprises=dict(driver.enterprises),
        driver_groups=dict(driver.groups),
    )
