"""Id tokens: configured, claimed, bound, blocked.

The driver's row is the truth about the driver's cards and standing; each id token's row carries a copy of what
Authorize must know, written in the same transaction. Both are guarded by the driver's revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.update import Action

from chalicelib.drivers.model import (
    MAX_CARDS,
    Driver,
    IdToken,
    IdTokenStatus,
    check_id_token,
    id_token_key,
)
from chalicelib.drivers.service.profiles import require_driver, save_driver
from chalicelib.drivers.store import (
    ID_TOKENS,
    IdTokenRow,
    token_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.table import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def find_id_token(ctx: Context, id_token: str, *, consistent: bool) -> IdToken | None:
    """In whatever case. Eventually consistent reads cost half a unit: enough for Authorize."""
    return ID_TOKENS.get(ctx, *token_key(id_token), consistent=consistent)


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
) -> IdToken:
    """Configures a card for an operator, for a driver, or both. Raises id_token.invalid, id_token.exists (409)."""
    id_token = check_id_token(id_token)
    exists = conflict("id_token.exists", f"The id token {id_token!r} is in use already.")
    if find_id_token(uow.ctx, id_token, consistent=True) is not None:
        raise exists
    card = IdToken(
        id_token,
        "card",
        "active",
        uow.ctx.now(),
        operator_id=operator_id,
        expires_at=expires_at,
        group_id=group_id,
        note=note,
    )
    if driver is not None:
        card = _bound(uow, card, driver)
    uow.create(ID_TOKENS, card, on_conflict=exists)
    return card


def claim_card(uow: UnitOfWork, driver: Driver, id_token: str) -> IdToken:
    """A driver types the number of a card: a new one, or one that an operator configured and nobody has yet.

    Raises id_token.invalid, id_token.bound (409) if it is somebody else's, id_token.too_many.
    """
    id_token = check_id_token(id_token)
    known = find_id_token(uow.ctx, id_token, consistent=True)
    if known is None:
        return add_card(uow, id_token=id_token, operator_id=None, driver=driver)
    return bind_card(uow, known, driver)


def bind_card(uow: UnitOfWork, card: IdToken, driver: Driver) -> IdToken:
    """Gives a card to a driver; the second click changes nothing. Raises id_token.bound (409), id_token.too_many."""
    if card.driver_id == driver.driver_id and card.kind == "card":
        return card
    taken = conflict("id_token.bound", f"The id token {card.id_token!r} belongs to a driver already.")
    if card.driver_id is not None or card.kind != "card":
        raise taken
    bound = _bound(uow, card, driver)
    uow.put(ID_TOKENS, bound, condition=IdTokenRow.pk.exists() & IdTokenRow.driver_id.does_not_exist())
    return bound


def unbind_card(uow: UnitOfWork, card: IdToken) -> IdToken:
    """Takes a card from its driver: an operator's card goes back to the drawer, a driver's own one is forgotten."""
    if card.driver_id is None:
        return card
    owner = IdTokenRow.driver_id == card.driver_id
    driver = require_driver(uow.ctx, card.driver_id)
    free = replace(card, driver_id=None, driver_active=True, refused_by=[])
    if card.operator_id is None:
        uow.delete(ID_TOKENS, token_key(card.id_token), condition=owner, name="id token")
    else:
        uow.put(ID_TOKENS, free, condition=owner)
    key = id_token_key(card.id_token)
    save_driver(uow, driver, replace(driver, id_tokens=[known for known in driver.id_tokens if known != key]))
    return free


def change_card(uow: UnitOfWork, card: IdToken, changes: Mapping[str, object]) -> IdToken:
    """Blocks or unblocks a card (`status`), changes its `note`, `expires_at` or `group_id` (None removes)."""
    columns = IdTokenRow.get_attributes()
    actions: list[Action] = [
        columns[name].remove() if value is None else columns[name].set(value) for name, value in changes.items()
    ]
    if actions:
        uow.update(ID_TOKENS, token_key(card.id_token), actions, condition=IdTokenRow.pk.exists(), name="id token")
    return replace(card, **changes)  # type: ignore[arg-type]


def list_cards_of(ctx: Context, driver: Driver) -> list[IdToken]:
    """The driver's cards, in the order in which they were added."""
    return ID_TOKENS.batch_get(ctx, [token_key(id_token) for id_token in driver.id_tokens])


def list_operator_cards(
    ctx: Context, operator_id: str, *, status: IdTokenStatus | None, limit: int, cursor: str | None
) -> Page[IdToken]:
    """The cards that an operator configured, by number."""
    steps = ID_TOKENS.walk(ctx, operator_id, index=IdTokenRow.tokens_by_operator, cursor=cursor)
    return page_of(steps, limit, lambda card: status is None or card.status == status)


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
    )
