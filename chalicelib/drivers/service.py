"""Use cases of drivers and id tokens.

The driver's row is the truth about the driver's cards and standing; each id token's row carries a copy of what
Authorize must know, written in the same transaction. Both are guarded by the driver's revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from pynamodb.expressions.update import Action

from chalicelib.drivers.model import (
    MAX_CARDS,
    Driver,
    DriverLink,
    DriverState,
    IdToken,
    IdTokenStatus,
    app_token,
    check_id_token,
    id_token_key,
    matches_search,
)
from chalicelib.drivers.store import (
    DRIVER_LINKS,
    DRIVERS,
    ID_TOKENS,
    DriverLinkRow,
    DriverRow,
    IdTokenRow,
    driver_key,
    link_key,
    links_pk,
    token_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.table import Page, Step, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_LINKS_CHUNK = 100


def create_driver(uow: UnitOfWork, driver: Driver) -> None:
    """Adds a driver and the id token of the driver's app."""
    uow.create(DRIVERS, driver)
    app = IdToken(app_token(driver.driver_id), "app", "active", driver.created_at, driver_id=driver.driver_id)
    uow.create(ID_TOKENS, app)


def get_driver(ctx: Context, driver_id: str) -> Driver | None:
    return DRIVERS.get(ctx, *driver_key(driver_id))


def require_driver(ctx: Context, driver_id: str) -> Driver:
    """Raises driver.not_found."""
    driver = get_driver(ctx, driver_id)
    if driver is None:
        raise not_found("driver", driver_id)
    return driver


def change_driver(uow: UnitOfWork, driver: Driver, changes: Mapping[str, object]) -> Driver:
    """Applies changes by field name (None removes) and returns the driver as it will be."""
    return _save(uow, driver, replace(driver, **changes))  # type: ignore[arg-type]


# -- operators' lists ---------------------------------------------------------------------------------------------


def link_operator(uow: UnitOfWork, operator_id: str, driver_id: str) -> None:
    """Puts the driver on the operator's list; one who is there already, also an inactive one, stays as is."""
    uow.update(
        DRIVER_LINKS,
        link_key(operator_id, driver_id),
        [
            DriverLinkRow.operator_id.set(operator_id),
            DriverLinkRow.driver_id.set(driver_id),
            DriverLinkRow.linked_at.set(DriverLinkRow.linked_at | uow.ctx.now()),
        ],
        name="driver link",
    )


def get_link(ctx: Context, operator_id: str, driver_id: str) -> DriverLink | None:
    return DRIVER_LINKS.get(ctx, *link_key(operator_id, driver_id))


def is_linked(ctx: Context, operator_id: str, driver_id: str) -> bool:
    """May this operator see this driver? Inactive ones too."""
    return get_link(ctx, operator_id, driver_id) is not None


def list_drivers(
    ctx: Context, operator_id: str, *, state: DriverState | None, words: str, limit: int, cursor: str | None
) -> Page[Driver]:
    """The drivers on an operator's list, by time of sign-up. `state` is their standing with this operator."""
    links = DRIVER_LINKS.walk(ctx, links_pk(operator_id), cursor=cursor, chunk=_LINKS_CHUNK)
    return page_of(
        _drivers_of(ctx, links),
        limit,
        lambda driver: (state is None or standing(driver, operator_id) == state) and matches_search(driver, words),
    )


def standing(driver: Driver, operator_id: str) -> DriverState:
    """A driver is inactive for an operator that deactivated them, or if the platform did."""
    return "inactive" if driver.state == "inactive" or operator_id in driver.inactive_at else "active"


def _drivers_of(ctx: Context, links: Iterator[Step[DriverLink]]) -> Iterator[Step[Driver]]:
    while chunk := list(islice(links, _LINKS_CHUNK)):
        places = {link.driver_id: place for link, place in chunk}
        for driver in DRIVERS.batch_get(ctx, [driver_key(driver_id) for driver_id in places]):
            yield driver, places[driver.driver_id]


def set_driver_state(uow: UnitOfWork, driver: Driver, state: DriverState, *, operator_id: str | None) -> Driver:
    """Deactivates or restores a driver at one operator's chargers, or (None: the platform) everywhere.

    All their id tokens follow in the same commit. The second click changes nothing.
    """
    if operator_id is None:
        after = replace(driver, state=state)
    else:
        others = [other for other in driver.inactive_at if other != operator_id]
        after = replace(driver, inactive_at=[*others, operator_id] if state == "inactive" else others)
    if after == driver:
        return driver
    for id_token in (*driver.id_tokens, app_token(driver.driver_id)):
        uow.update(
            ID_TOKENS,
            token_key(id_token),
            [
                IdTokenRow.driver_active.set(after.state == "active"),
                IdTokenRow.refused_by.set(after.inactive_at),
            ],
            condition=IdTokenRow.driver_id == driver.driver_id,
            name="id token",
        )
    return _save(uow, driver, after)


# -- id tokens ----------------------------------------------------------------------------------------------------


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
    _save(uow, driver, replace(driver, id_tokens=[known for known in driver.id_tokens if known != key]))
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
    _save(uow, driver, replace(driver, id_tokens=[*driver.id_tokens, id_token_key(card.id_token)]))
    return replace(
        card,
        driver_id=driver.driver_id,
        driver_active=driver.state == "active",
        refused_by=list(driver.inactive_at),
    )


def _save(uow: UnitOfWork, before: Driver, after: Driver) -> Driver:
    """Writes the driver if nobody changed the row since `before` was read."""
    saved = replace(after, revision=before.revision + 1)
    uow.put(DRIVERS, saved, condition=DriverRow.revision == before.revision)
    return saved
