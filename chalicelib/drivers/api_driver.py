"""A driver's own data and cards."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_public import (
    CountryText,
    DriverView,
    LanguageText,
    LineText,
    NameText,
    ShortText,
    driver_view,
)
from chalicelib.drivers.model import IdToken
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, Request, Shape

api = Api("driver", "driver")

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class DriverPatch(Shape):
    full_name: NameText | Unset = UNSET
    language: LanguageText | Unset = UNSET
    receipts_by_email: bool | Unset = UNSET
    phone: ShortText | Unset | None = UNSET
    address: LineText | Unset | None = UNSET
    apartment: ShortText | Unset | None = UNSET
    street: LineText | Unset | None = UNSET
    city: NameText | Unset | None = UNSET
    region: NameText | Unset | None = UNSET
    postal_code: ShortText | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET


class CardClaim(Shape):
    """The number on the card."""

    id_token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CardView(Shape):
    """A card as its driver sees it."""

    id_token: str
    status: str
    expires_at: datetime | None
    created_at: datetime


class CardList(Shape):
    data: list[CardView]


def card_view(card: IdToken) -> CardView:
    return CardView(id_token=card.id_token, status=card.status, expires_at=card.expires_at, created_at=card.created_at)


@api.get("/v1/driver/me")
def get_own_driver(req: Request) -> DriverView:
    """The signed-in driver."""
    return driver_view(service.require_driver(req.ctx, req.driver_id))


@api.patch("/v1/driver/me")
def update_own_driver(req: Request, body: DriverPatch) -> DriverView:
    """Changes the driver's name, address and the like (merge patch)."""
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    changes = {name: value for name, value in values.items() if value is not UNSET}
    driver = service.require_driver(req.ctx, req.driver_id)
    return driver_view(service.change_driver(req.uow, driver, changes))


@api.get("/v1/driver/id-tokens")
def list_own_cards(req: Request) -> CardList:
    """The driver's cards, in the order in which they were added."""
    driver = service.require_driver(req.ctx, req.driver_id)
    return CardList(data=[card_view(card) for card in service.list_cards_of(req.ctx, driver)])


@api.post("/v1/driver/id-tokens")
def add_own_card(req: Request, body: CardClaim) -> CardView:
    """Adds a card by its number. One that is somebody else's is refused (409)."""
    driver = service.require_driver(req.ctx, req.driver_id)
    return card_view(service.claim_card(req.uow, driver, body.id_token))


@api.delete("/v1/driver/id-tokens/{id_token}")
def remove_own_card(req: Request, id_token: str) -> None:
    """Removes a card: it no longer charges on this wallet."""
    card = service.require_card(req.ctx, id_token)
    if card.driver_id != req.driver_id:
        raise not_found("id_token", id_token)
    service.unbind_card(req.uow, card)
