"""Cards ("id tokens"): configured by the operator, bound to drivers."""

from __future__ import annotations

from datetime import datetime

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import UNSET, TokenText, Unset, api, visible_driver
from chalicelib.drivers.api_public import NameText, ShortText
from chalicelib.drivers.model import IdToken, IdTokenStatus
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Moment, PageView, Request, Shape, check_moment, page_view


class CardCreate(Shape):
    id_token: TokenText
    driver_id: str | None = None
    note: NameText | None = None
    expires_at: Moment | None = None
    group_id: ShortText | None = None
    operator_id: str | None = None


class CardPatch(Shape):
    status: IdTokenStatus | Unset = UNSET
    note: NameText | Unset | None = UNSET
    expires_at: Moment | Unset | None = UNSET
    group_id: ShortText | Unset | None = UNSET


class CardQuery(OperatorPageQuery):
    """`driver_id`: all cards of a driver on the operator's list, also those that the driver added."""

    driver_id: str | None = None
    status: IdTokenStatus | None = None


class CardDriver(Shape):
    driver_id: str


class CardDetail(Shape):
    id_token: str
    status: IdTokenStatus
    driver_id: str | None
    operator_id: str | None
    note: str | None
    expires_at: datetime | None
    group_id: str | None
    created_at: datetime


def card_detail(card: IdToken) -> CardDetail:
    return CardDetail(
        id_token=card.id_token,
        status=card.status,
        driver_id=card.driver_id,
        operator_id=card.operator_id,
        note=card.note,
        expires_at=card.expires_at,
        group_id=card.group_id,
        created_at=card.created_at,
    )


@api.post("/v1/id-tokens", "id_tokens:write")
def create_id_token(req: Request, body: CardCreate) -> CardDetail:
    """Configures a card, for a driver of the operator's list or for the drawer. A known number is refused (409)."""
    operator_id = owning_operator(req, body.operator_id)
    if body.expires_at is not None:
        check_moment(body.expires_at, "/expires_at")
    card = service.add_card(
        req.uow,
        id_token=body.id_token,
        operator_id=operator_id,
        driver=None if body.driver_id is None else visible_driver(req, body.driver_id),
        note=body.note,
        expires_at=body.expires_at,
        group_id=body.group_id,
    )
    return card_detail(card)


@api.get("/v1/id-tokens", "id_tokens:read")
def list_id_tokens(req: Request, query: CardQuery) -> PageView[CardDetail]:
    """The cards that the operator configured, by number; or all cards of one driver."""
    if query.driver_id is not None:
        cards = service.list_cards_of(req.ctx, visible_driver(req, query.driver_id))
        wanted = [card_detail(card) for card in cards if query.status in (None, card.status)]
        return PageView(data=wanted, has_more=False)
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_operator_cards(
        req.ctx, operator_id, status=query.status, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, card_detail)


@api.get("/v1/id-tokens/{id_token}", "id_tokens:read")
def get_id_token(req: Request, id_token: str) -> CardDetail:
    """One card that the operator configured."""
    return card_detail(_owned_card(req, id_token))


@api.patch("/v1/id-tokens/{id_token}", "id_tokens:write")
def update_id_token(req: Request, id_token: str, body: CardPatch) -> CardDetail:
    """Blocks or unblocks a card, changes its note, expiry or group (merge patch)."""
    if isinstance(body.expires_at, datetime):
        check_moment(body.expires_at, "/expires_at")
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    changes = {name: value for name, value in values.items() if value is not UNSET}
    return card_detail(service.change_card(req.uow, _owned_card(req, id_token), changes))


@api.put("/v1/id-tokens/{id_token}/driver", "id_tokens:write")
def bind_id_token(req: Request, id_token: str, body: CardDriver) -> CardDetail:
    """Gives a card to a driver of the operator's list. A card of another driver is refused (409)."""
    card = _owned_card(req, id_token)
    return card_detail(service.bind_card(req.uow, card, visible_driver(req, body.driver_id)))


@api.delete("/v1/id-tokens/{id_token}/driver", "id_tokens:write")
def unbind_id_token(req: Request, id_token: str) -> None:
    """Takes a card from its driver: it is in the drawer again."""
    service.unbind_card(req.uow, _owned_card(req, id_token))


def _owned_card(req: Request, id_token: str) -> IdToken:
    card = service.require_card(req.ctx, id_token)
    if not may_see(req, card.operator_id):
        raise not_found("id_token", id_token)
    return card
