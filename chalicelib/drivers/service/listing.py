"""Lists of cards: those that an operator configured, and those of the drivers on an organisation's list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from chalicelib.drivers.model import Driver, IdToken
from chalicelib.drivers.store import (
    DRIVER_LINKS,
    DRIVERS,
    ID_TOKENS,
    DriverLinkRow,
    IdTokenRow,
    driver_key,
    links_pk,
    token_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import AttributeMap, Page, Step, decode_cursor, encode_cursor, page_of

_CHUNK = 100
_AFTER = "id_token"
"""In the cursor of a list that stopped amid a driver's cards: the last one that was shown."""

Keep = Callable[[IdToken], bool]


def list_cards_of(ctx: Context, driver: Driver) -> list[IdToken]:
    """The driver's cards, in the order in which they were added."""
    return ID_TOKENS.batch_get(ctx, [token_key(id_token) for id_token in driver.id_tokens])


def list_operator_cards(
    ctx: Context, operator_id: str, *, keep: Keep | None = None, limit: int, cursor: str | None
) -> Page[IdToken]:
    """The cards that an operator configured, by number."""
    steps = ID_TOKENS.walk(ctx, operator_id, index=IdTokenRow.tokens_by_operator, cursor=cursor)
    return page_of(steps, limit, keep)


def list_cards_of_drivers(
    ctx: Context, organization_id: str, *, keep: Keep | None = None, limit: int, cursor: str | None
) -> Page[IdToken]:
    """All cards of the drivers on an organisation's list, driver by driver, whoever configured them."""
    return page_of(_cards_of_linked(ctx, organization_id, cursor), limit, keep)


def walk_operator_cards(ctx: Context, operator_id: str) -> Iterator[IdToken]:
    """All active cards that an operator configured, by number, in bounded memory."""
    cards = ID_TOKENS.walk(ctx, operator_id, index=IdTokenRow.tokens_by_operator)
    return (card for card, _ in cards if card.status == "active")


def walk_cards_of_drivers(ctx: Context, organization_id: str) -> Iterator[IdToken]:
    """All cards of the drivers on an organisation's list, whoever configured them, in bounded memory."""
    for _, cards in _linked(ctx, organization_id, None):
        yield from cards


def listing_organizations(ctx: Context, driver_id: str) -> list[str]:
    """On whose lists a driver is: operators, and agencies."""
    links = DRIVER_LINKS.walk(ctx, driver_id, index=DriverLinkRow.links_by_driver)
    return [link.operator_id for link, _ in links]


def operators_concerned(ctx: Context, driver_id: str) -> list[str]:
    """Whose chargers may know a card of this driver: of those on whose lists the driver is, and who configured one."""
    driver = DRIVERS.get(ctx, *driver_key(driver_id))
    cards = [] if driver is None else list_cards_of(ctx, driver)
    configured = [card.operator_id for card in cards if card.operator_id is not None]
    return list(dict.fromkeys([*listing_organizations(ctx, driver_id), *configured]))


def _cards_of_linked(ctx: Context, organization_id: str, cursor: str | None) -> Iterator[Step[IdToken]]:
    """A cursor is the link before the driver whose cards come next, and the last of these that was shown."""
    place: AttributeMap = {} if cursor is None else decode_cursor(cursor)
    shown = place.pop(_AFTER, {}).get("S")
    for after, cards in _linked(ctx, organization_id, encode_cursor(place)):
        numbers = [card.id_token for card in cards]
        start = numbers.index(shown) + 1 if shown in numbers else 0
        for card in cards[start:]:
            yield card, {**place, _AFTER: {"S": card.id_token}}
        place, shown = after, None


def _linked(ctx: Context, organization_id: str, cursor: str | None) -> Iterator[tuple[AttributeMap, list[IdToken]]]:
    """The cards of each driver on the list, with the place of the driver's link: three round trips per hundred."""
    links = DRIVER_LINKS.walk(ctx, links_pk(organization_id), cursor=cursor, chunk=_CHUNK)
    while chunk := list(islice(links, _CHUNK)):
        found = DRIVERS.batch_get(ctx, [driver_key(link.driver_id) for link, _ in chunk])
        numbers = [number for driver in found for number in driver.id_tokens]
        cards: dict[str, list[IdToken]] = {}
        for card in ID_TOKENS.batch_get(ctx, [token_key(number) for number in numbers]):
            cards.setdefault(card.driver_id or "", []).append(card)
        for link, place in chunk:
            yield place, cards.get(link.driver_id, [])
